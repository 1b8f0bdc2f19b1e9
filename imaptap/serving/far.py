"""The server that is asked what the recording does not know: dialled, and brought to where the served session is."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from imaptap.serving.pipe import Pipe
from proxy.imap.commands import SELECTS, read_head
from proxy.imap.grammar import Command, Untagged, write
from proxy.imap.grammar.capability import Enable
from proxy.imap.transcript import Ending, readable
from proxy.live.endpoint import Security
from proxy.live.errors import LiveError
from proxy.live.tap import Tap
from proxy.live.turns import Turns
from proxy.replay.connection import Connection
from proxy.replay.ear import Ear
from proxy.replay.flight import Content, line_of
from proxy.replay.login import choose, log_in, refused
from proxy.replay.serving.standing import Numbers, words_enabled

if TYPE_CHECKING:
    from collections.abc import Callable

    from proxy.imap.grammar.commands import Body
    from proxy.live.endpoint import Endpoint
    from proxy.live.sink import Sink
    from proxy.live.upstream import Upstream
    from proxy.replay.flight import Flight
    from proxy.replay.serving.standing import Standing
    from proxy.replay.serving.values import Ask

_PATIENCE_SECONDS = 60.0
_ENTRY_SECONDS = 120.0
"""In all: a server that says something now and then is never silent, and its client waits."""
_WHOLE_SECONDS = 0.01


class Answer(NamedTuple):
    """What came of asking: bytes for the client, and the server's end of the session if it goes on there."""

    said: bytes
    pipe: Pipe | None


class Far:
    """One server. What imaptap itself says to it, the login among that, is on no record."""

    def __init__(self, endpoint: Endpoint, upstream: Upstream, nowhere: Sink, tell: Callable[[str, str], None]) -> None:
        """`nowhere` forgets what it is told; `tell` hears a sentence and a hint where the server cannot be reached."""
        self.endpoint = endpoint
        self._upstream, self._nowhere, self._tell = upstream, nowhere, tell

    async def enter(self, standing: Standing, ask: Ask) -> Answer:
        """Dial, and bring the connection to where the session is. Raises LiveError that says why it is not there."""
        tap = Tap(0, self._nowhere, Turns(), decode=False)
        ear = Ear(self._nowhere, learning=False)  # a server may say anything without end
        connection = Connection(self.endpoint, self._upstream, tap, ear, patience=_PATIENCE_SECONDS)
        entered = False
        try:
            async with asyncio.timeout(_ENTRY_SECONDS):
                answer = await _Entry(connection, standing, ask, self._tell).enter()
            entered = answer.pipe is not None
        except TimeoutError as error:
            raise LiveError(f"{self.endpoint.url} took more than {_ENTRY_SECONDS:g} seconds.") from error
        finally:
            if not entered:
                await connection.close(Ending.CUT)
        return answer


class _Entry:
    """One connection on its way."""

    def __init__(self, connection: Connection, standing: Standing, ask: Ask, tell: Callable[[str, str], None]) -> None:
        self._connection, self._standing, self._ask, self._tell = connection, standing, ask, tell
        self._tags = itertools.count(1)

    async def enter(self) -> Answer:
        await self._open()
        if self._ask.logged_in and not self._connection.preauth:
            flight = await self._log_in()
            if self._ask.unit is None:
                return await self._logged_in(flight)
        elif self._ask.unit is None:
            raise LiveError(f"{self._url} has somebody logged in from the beginning.")
        await self._enable()
        await self._select()
        return Answer(b"", await self._pipe())

    @property
    def _url(self) -> str:
        return self._connection.endpoint.url

    async def _open(self) -> None:
        connection = self._connection
        try:
            await connection.open()
            if connection.endpoint.security is Security.STARTTLS:
                flight = await self._own(b"STARTTLS")
                if flight.status != "OK":
                    raise LiveError(f"{self._url} refused STARTTLS.", "Use imaps://.")
                await connection.start_tls()
        except LiveError as error:
            self._tell(str(error), error.hint)
            raise

    async def _log_in(self) -> Flight:
        connection, credentials = self._connection, self._standing.credentials
        if credentials is None:
            raise LiveError(f"Nobody has said who is to log in at {self._url}.")
        if connection.told is None:
            await self._own(b"CAPABILITY")
        words = connection.told or frozenset[str]()
        mechanism = choose(words, credentials, self._url)
        initial = "SASL-IR" in words
        flight = await log_in(connection, credentials, mechanism, self._tag(), initial=initial, begun=_nothing)
        if flight.completion is None or (flight.status != "OK" and self._ask.unit is not None):
            raise refused(connection, credentials, mechanism, flight)
        return flight

    async def _logged_in(self, flight: Flight) -> Answer:
        """What the server says to the login is said to the client."""
        if flight.completion is None:
            raise LiveError(f"{self._url} closed the connection.")
        said = write(replace(flight.completion, tag=self._ask.tag)).texts[0]
        return Answer(said, await self._pipe() if flight.status == "OK" else None)

    async def _enable(self) -> None:
        if words := self._standing.enabled:
            there = set[bytes]()
            self._connection.news = lambda value: there.update(words_enabled(value))
            flight = await self._say(Enable(words))
            # Words that it does not have are no error (RFC 5161): it says which ones it has.
            missing = words if flight.status != "OK" else sorted(self._standing.told_enabled - there)
            if missing:
                raise LiveError(f"{self._url} does not enable {readable(b' '.join(missing))}.")

    async def _select(self) -> None:
        """The mailbox that is selected, and nothing else in it than the client knows of. Raises LiveError."""
        body, unit = self._standing.selects, self._ask.unit
        if body is None or (unit is not None and read_head(unit.texts[0]).name in SELECTS):
            return
        there = Numbers()

        def hear(value: Untagged) -> None:
            there.hear(value)

        self._connection.news = hear
        flight = await self._say(body)
        name = readable(body.mailbox.name.encode())
        if flight.status != "OK":
            raise LiveError(f"{self._url} does not let {name} be selected: {_text(flight)}")
        await self._whole()
        if differing := "; ".join(self._standing.numbers.differences(there)):
            raise LiveError(f"{name} is not what it was: {differing} ({self._url})")

    async def _pipe(self) -> Pipe:
        await self._whole()
        return Pipe(self._connection)

    async def _whole(self) -> None:
        """Wait until what the server is saying is all there: what comes then is the client's."""
        for _ in range(round(_PATIENCE_SECONDS / _WHOLE_SECONDS)):
            if self._connection.between:
                return
            await asyncio.sleep(_WHOLE_SECONDS)  # seldom, and not for long
        raise LiveError(f"{self._url} said half a line, and no more.")

    async def _own(self, command: bytes) -> Flight:
        tag = self._tag()
        flight = await self._connection.send(tag, line_of(tag, command.decode()), (), begun=_nothing)
        return await self._over(flight)

    async def _say(self, body: Body) -> Flight:
        tag = self._tag()
        unit = write(Command(tag, body))
        contents = [Content((literal.content,)) for literal in unit.literals if literal.content is not None]
        if len(contents) < len(unit.literals):
            raise LiveError(f"A name is too long to be said again to {self._url}.")
        return await self._over(await self._connection.send(tag, unit, contents, begun=_nothing))

    async def _over(self, flight: Flight) -> Flight:
        await flight.over
        if flight.completion is None:
            raise self._connection.trouble or LiveError(f"{self._url} closed the connection.")
        return flight

    def _tag(self) -> bytes:
        return b"imaptap%d" % next(self._tags)


def _text(flight: Flight) -> str:
    completion = flight.completion
    return "" if completion is None else readable(write(completion).texts[0]).partition(" ")[2].strip()


def _nothing(_: Flight) -> None:
    """Nobody has to know."""
