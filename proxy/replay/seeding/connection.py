"""A connection to the target for questions of imaptap's own. It is no session of the replay, and is not recorded."""

from __future__ import annotations

import itertools
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from proxy.imap.grammar import Command, write
from proxy.imap.grammar.generic import Bare
from proxy.imap.offers import Offers
from proxy.live.endpoint import Security
from proxy.live.errors import LiveError
from proxy.live.tap import Tap
from proxy.live.turns import Turns
from proxy.replay.connection import Connection
from proxy.replay.ear import Ear
from proxy.replay.entrance import Entrance
from proxy.replay.flight import Content

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterator, Sequence

    from proxy.imap.grammar.commands import Body
    from proxy.imap.transcript import Record
    from proxy.imap.units import Literal, Unit
    from proxy.imap.view.dialogue import Dialogue
    from proxy.live.endpoint import Endpoint
    from proxy.live.upstream import Upstream
    from proxy.replay.flight import Flight
    from proxy.replay.stage import Account


@asynccontextmanager
async def asking(endpoint: Endpoint, upstream: Upstream, account: Account, patience: float) -> AsyncGenerator[Asking]:
    """Connect, log in where that is needed, and log out at the end. Raises LiveError."""
    ear = Ear(_Nobody())
    connection = Connection(endpoint, upstream, Tap(1, ear, Turns(), decode=True), ear, patience=patience)
    tags = (b"S%d" % number for number in itertools.count(1))
    entrance = Entrance(connection, account, lambda: next(tags))
    try:
        await connection.open()
        if endpoint.security is Security.STARTTLS:
            await entrance.secure()
        if not entrance.inside:
            await entrance.log_in(None)
        else:
            await entrance.look_around()
        asker = Asking(connection, ear, tags)
        await asker.ask(Bare(b"CAPABILITY"))
        yield asker
        with suppress(LiveError):  # some close without an answer (M 3.14)
            await asker.ask(Bare(b"LOGOUT"))
    finally:
        account.asked = False  # none of this is recorded: a session asks again, for those who read what was replayed
        await connection.close()


class Asking:
    """Asks one question after another (`proxy.replay.seeding.asker.Asker`)."""

    def __init__(self, connection: Connection, ear: Ear, tags: Iterator[bytes]) -> None:
        self._connection, self._tags = connection, tags
        self._heard: dict[int, Dialogue] = {}
        ear.over = self._over

    @property
    def capabilities(self) -> frozenset[str]:
        """The words in force, in capitals."""
        return self._connection.told or frozenset()

    async def ask(self, body: Body, content: Sequence[Iterator[bytes]] = ()) -> Dialogue:
        """Send a command and hear all that is answered to it. Raises LiveError where no whole answer came."""
        tag = next(self._tags)
        unit = at_once(write(Command(tag, body)), self.capabilities)
        elsewhere = iter(content)
        contents = [Content(next(elsewhere) if each.content is None else (each.content,)) for each in unit.literals]
        self._heard.clear()
        flight = await self._connection.send(tag, unit, contents, begun=_nothing)
        await flight.over
        dialogue = self._heard.get(flight.number)
        if flight.completion is None or dialogue is None:
            url = self._connection.endpoint.url
            raise self._connection.trouble or LiveError(f"{url} closed the connection while it was asked.")
        return dialogue

    def _over(self, dialogue: Dialogue) -> None:
        self._heard[dialogue.exchange.number] = dialogue


def at_once(unit: Unit, capabilities: frozenset[str]) -> Unit:
    """The same command with literals that do not wait, where the target takes such (RFC 7888)."""
    offers = Offers(capabilities)
    texts = list(unit.texts)
    literals: list[Literal] = []
    for index, literal in enumerate(unit.literals):
        waits = not offers.takes(literal.size)
        literals.append(replace(literal, synchronising=waits))
        if not waits:
            texts[index] = texts[index].removesuffix(b"}\r\n") + b"+}\r\n"
    return unit._replace(texts=tuple(texts), literals=tuple(literals))


def _nothing(_: Flight) -> None:
    """A question's flight is of interest when it is over."""


class _Nobody:
    """A sink that keeps nothing."""

    full = crammed = False

    def put(self, *records: Record) -> None:
        """Drop them."""

    def when_drained(self, callback: Callable[[], None]) -> None:
        """At once."""
        callback()
