"""The connection to the server that a recording is replayed to: sends whole commands, hears whole units, records both.

Everything goes through a `Tap`, as the traffic of a real client does: what is recorded of a replay is a true
recording, with its secrets masked by the same machinery.
"""

from __future__ import annotations

import asyncio
import contextlib
import zlib
from typing import TYPE_CHECKING

from proxy.imap.grammar import Command, Continuation, Tagged, Untagged, cut, parse_command, parse_response, parse_sasl
from proxy.imap.grammar.capability import Capability
from proxy.imap.grammar.commands import Compress
from proxy.imap.grammar.generic import Bare
from proxy.imap.grammar.status import Condition, Status
from proxy.imap.transcript import Direction, Ending, EventKind, readable
from proxy.live.endpoint import Endpoint, Security
from proxy.live.errors import LiveError
from proxy.live.leg import Leg
from proxy.live.upstream import Upstream, describe_tls, without_greeting
from proxy.replay.flight import Content, Flight, moved, status_of
from proxy.replay.inbound import Inbound
from proxy.replay.silence import Silence

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from proxy.imap.cutter import CutUnit
    from proxy.imap.grammar import Response
    from proxy.imap.units import Unit
    from proxy.live.tap import Tap
    from proxy.replay.ear import Ear

LOST = "the connection was lost"
_CLIENT = "imaptap replay"
_BLOCK = 64 * 1024
_CLOSE_SECONDS = 2.0
_SWITCHES = (Bare(b"STARTTLS"), Compress(b"DEFLATE"))
"""Commands whose OK changes the layer."""


class Connection:
    """One connection. What goes wrong with it later stands in `trouble`; flights then end without a completion."""

    def __init__(self, endpoint: Endpoint, upstream: Upstream, tap: Tap, ear: Ear, *, patience: float) -> None:
        """`patience` is how many seconds a server may say nothing while something is in flight."""
        self.endpoint = endpoint
        self.trouble: LiveError | None = None
        self.greeting: Status | None = None
        self.why = LOST
        """Why what is still in flight will not be answered."""
        self.bye = ""
        """What the server said with BYE."""
        self.told: frozenset[str] | None = None
        """The capabilities that were told since TLS or a login changed them; None: none."""
        self.news: Callable[[Untagged], None] | None = None
        """Called with untagged data while somebody waits for some."""
        self._upstream, self._tap, self._ear = upstream, tap, ear
        self._silence = Silence(patience, self._owes, self._silent)
        self._leg = Leg(Direction.SERVER, self)
        self._inbound = Inbound()
        self._sent = 0
        self._count = 0
        self._flights: dict[bytes, Flight] = {}
        self._asking: tuple[Flight, asyncio.Future[Continuation | None]] | None = None
        self._greeted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._room = asyncio.Event()
        self._room.set()
        self._closed = asyncio.Event()
        self._switching: Flight | None = None
        """STARTTLS or COMPRESS, on its way: with its OK the layer changes."""

    # --- its life ---------------------------------------------------------------------------------------------------

    async def open(self) -> None:
        """Dial, with TLS where the URL says imaps, and hear the greeting. Raises LiveError."""
        url = self.endpoint.url
        self._tap.opened(_CLIENT, url, url)
        await self._upstream.dial(self.endpoint, self._leg, alpn=self.endpoint.security is Security.TLS)
        self._tell_tls()
        self._silence.begin()
        await self._greeted
        if self.greeting is None:
            raise self.trouble or LiveError(*without_greeting(url))
        if self.greeting.condition is Condition.BYE:
            raise LiveError(f"{url} greeted with BYE: {self.bye}", "Ask it later, or ask whoever runs it.")

    @property
    def open_now(self) -> bool:
        """Whether more can be sent."""
        return self._leg.open and not self._leg.heard_all and self.trouble is None

    @property
    def preauth(self) -> bool:
        """Whether the server had logged somebody in before anybody asked."""
        return self.greeting is not None and self.greeting.condition is Condition.PREAUTH

    @property
    def in_flight(self) -> bool:
        """Whether a command is not answered yet."""
        return bool(self._flights)

    @property
    def secure(self) -> bool:
        """Whether TLS protects it."""
        return bool(self._leg.transport and self._leg.transport.get_extra_info("ssl_object"))

    @property
    def last_answer(self) -> bool:
        """Whether the server has closed."""
        return self._leg.heard_all or self._leg.closed

    async def close(self, ending: Ending | None = None, reason: str = "") -> None:
        """Close, and put the session's end on record; without an `ending`, whichever it was."""
        self._silence.end()
        by_server = self.last_answer
        self.why = reason or self.why
        if ending is not Ending.CUT:
            self._leg.close()
            await self.closed_by_server()
        self._leg.abort()
        for flight in list(self._flights.values()):
            self._end(flight, None)
        await asyncio.sleep(0)  # who waited for them puts down what became of them
        self._ear.finish()
        self._tap.closed(ending or (Ending.SERVER if by_server else Ending.CLIENT), reason)

    async def closed_by_server(self) -> None:
        """Wait a moment for the connection to be closed, as a server does after LOGOUT."""
        if self._leg.transport is None:
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_SECONDS):
                await self._closed.wait()

    # --- what we say ------------------------------------------------------------------------------------------------

    async def send(
        self,
        tag: bytes,
        unit: Unit,
        contents: Iterable[Content],
        *,
        begun: Callable[[Flight], None],
        shown: Unit | None = None,
    ) -> Flight:
        """Send a command with all its literals: synchronising ones wait for `+`, and are withheld when refused.

        `contents` are those of the unit's literals, in order; `begun` hears of the flight before anything is sent.
        `shown` is what may be told of the unit, where it has secrets.
        """
        flight = self._begin(tag)
        self._tell(shown or unit, flight)
        begun(flight)
        sources = iter(contents)
        await self._say(unit.texts[0], flight)
        for literal, text in zip(unit.literals, unit.texts[1:], strict=True):
            if literal.synchronising and await self.continuation(flight) is None:
                flight.refused = True
                return flight
            for part in next(sources).parts:
                await self._say(part, flight)
            await self._say(text, flight)
        return flight

    async def line(self, flight: Flight, line: bytes, *, sasl: bool) -> None:
        """Send a line that goes on with a command: one of SASL, or DONE."""
        shown = b"*" * len(line) if sasl and line != b"*" else line
        unit = cut(shown + b"\r\n", Direction.CLIENT, self._sent)
        parsed = parse_sasl(unit) if sasl else parse_command(unit)
        self._ear.asked(unit, self._tap.clock.now(), self._leg.layer, parsed, flight.number)
        await self._say(line + b"\r\n", None)

    async def own(self, tag: bytes, command: bytes) -> Flight:
        """Send a command of imaptap's own, which is recorded as one (M 6.4)."""
        flight = self._begin(tag)
        line = tag + b" " + command + b"\r\n"
        self._tell(cut(line, Direction.CLIENT), flight)
        self._leg.write(self._wire(line))
        self._tap.proxy_command(line)
        return flight

    async def continuation(self, flight: Flight) -> Continuation | None:
        """Wait for the `+` to this command; None where it is answered otherwise, or never."""
        if flight.over.done():
            return None
        future: asyncio.Future[Continuation | None] = asyncio.get_running_loop().create_future()
        self._asking = (flight, future)
        return await future

    async def start_tls(self) -> None:
        """STARTTLS was answered OK: shake hands. Raises LiveError."""
        if self._inbound.injected:
            raise self._tampered()
        await self._upstream.start_tls(self.endpoint, self._leg)
        self._inbound.secured()
        self._tap.conversation.secured()
        self.told = None
        self._tell_tls()

    def step(self, name: str, text: str, place: tuple[int, int] | None = None) -> None:
        """Put an event of the replay on record."""
        side = Direction.CLIENT if place else None
        self._tap.event(EventKind.STEP, name, text, side, place=place)

    def _begin(self, tag: bytes) -> Flight:
        self._count += 1
        flight = Flight(self._count, tag, self._sent)
        if self.open_now:
            self._flights[tag] = flight
        else:
            flight.over.set_result(None)
        return flight

    def _tell(self, unit: Unit, flight: Flight) -> None:
        """Literals get the offsets that they have in our stream."""
        here = moved(unit, flight.start)
        parsed = parse_command(here)
        self._ear.asked(here, self._tap.clock.now(), self._leg.layer, parsed, flight.number)
        if isinstance(parsed.value, Command) and parsed.value.body in _SWITCHES:
            self._switching = flight
            flight.deflates = isinstance(parsed.value.body, Compress)

    async def _say(self, data: bytes, flight: Flight | None) -> None:
        for start in range(0, len(data), _BLOCK):
            if not self.open_now:
                return
            part = data[start : start + _BLOCK]
            wire = self._wire(part)
            self._leg.write(wire)
            self._tap.heard(Direction.CLIENT, wire, self._leg.layer)
            self._silence.broken()
            self._sent += len(part)
            if flight:
                flight.length += len(part)
            if self._tap.full:
                self._wait_for_recorder()
            if not self._room.is_set():
                await self._room.wait()

    def _wire(self, data: bytes) -> bytes:
        deflated = self._inbound.deflated
        return data if deflated is None else deflated.deflate(data)

    # --- what the server says ---------------------------------------------------------------------------------------

    def data(self, leg: Leg, data: bytes) -> None:
        """Bytes have come."""
        self._silence.broken()
        self._tap.heard(Direction.SERVER, data, leg.layer)
        _ = self._tap.conversation  # what is deflated is understood when somebody asks
        self._read(data)
        self._ear.settle(idle=not self._flights)
        if self._tap.full:
            self._wait_for_recorder()

    def eof(self, leg: Leg) -> bool:
        """The server sends no more."""
        del leg
        return False

    def lost(self, leg: Leg, error: Exception | None) -> None:
        """The connection is gone."""
        del leg
        if self.trouble is None and (error or self._flights or not self._greeted.done()):
            self.trouble = self._broken(error)
        self._closed.set()
        self._room.set()
        self._ear.settle(idle=True)
        if not self._greeted.done():
            self._greeted.set_result(None)
        for flight in list(self._flights.values()):
            self._end(flight, None)

    def gone(self) -> None:
        """Never the case: nothing is held."""

    def pressed(self, leg: Leg, *, full: bool) -> None:
        """The server does not read fast enough, or does again."""
        del leg
        if full:
            self._room.clear()
        else:
            self._room.set()

    def _read(self, data: bytes) -> None:
        at = self._tap.clock.now()
        try:
            for found in self._inbound.feed(data, at):
                self._unit(found, at)
        except zlib.error:
            url = self.endpoint.url
            self.trouble = LiveError(f"{url} sent a broken deflate stream.", "The recording shows where it broke.")
            self._leg.abort()

    def _unit(self, found: CutUnit, at: int) -> None:
        parsed = parse_response(found.unit)
        self._ear.answered(found.unit, at, self._leg.layer, parsed)
        value = parsed.understood
        if not self._greeted.done():
            self._greet(value)
        if isinstance(value, Untagged):
            self._untagged(value)
        elif isinstance(value, Tagged):
            self._tagged(value)
        elif isinstance(value, Continuation) and self._asking:
            (_, future), self._asking = self._asking, None
            if not future.done():
                future.set_result(value)

    def _greet(self, value: Response | None) -> None:
        data = value.data if isinstance(value, Untagged) else None
        if isinstance(data, Status):
            self.greeting = data
        else:
            self.trouble = LiveError(f"{self.endpoint.url} did not greet as an IMAP server.", "Check host and port.")
        self._greeted.set_result(None)

    def _untagged(self, value: Untagged) -> None:
        data = value.data
        if isinstance(data, Capability):
            self._learn(data)
        elif isinstance(data, Status):
            if isinstance(data.code, Capability):
                self._learn(data.code)
            if data.condition is Condition.BYE:
                self.bye = readable(data.text)
        if self.news:
            self.news(value)

    def _tagged(self, value: Tagged) -> None:
        flight = self._flights.get(value.tag)
        if flight is None:
            return
        code = value.status.code if isinstance(value.status, Status) else None
        if isinstance(code, Capability):
            self._learn(code)
        if flight is self._switching:
            self._switching = None
            if status_of(value) == "OK":
                (self._inbound.deflate if flight.deflates else self._inbound.expect_tls)()
        self._end(flight, value)

    def _learn(self, told: Capability) -> None:
        self.told = frozenset(readable(word.upper()) for word in told.words)

    def _end(self, flight: Flight, completion: Tagged | None) -> None:
        flight.completion = completion
        del self._flights[flight.tag]
        if self._asking and self._asking[0] is flight:
            (_, future), self._asking = self._asking, None
            if not future.done():
                future.set_result(None)
        if not flight.over.done():
            flight.over.set_result(None)

    # --- flow and silence -------------------------------------------------------------------------------------------

    def _wait_for_recorder(self) -> None:
        loop = asyncio.get_running_loop()
        self._room.clear()
        self._leg.hold("recorder")

        def back() -> None:
            with contextlib.suppress(RuntimeError):  # the loop may have ended meanwhile
                loop.call_soon_threadsafe(self._recorder_is_back)

        self._tap.when_drained(back)

    def _recorder_is_back(self) -> None:
        self._room.set()
        self._leg.free("recorder")

    def _owes(self) -> bool:
        waits = not self._greeted.done() or (self._flights and not self.news)
        return bool(waits) and not self._leg.closed and not self._tap.full

    def _silent(self) -> None:
        greeted, url = self._greeted.done(), self.endpoint.url
        what = "has not answered" if greeted else "has not greeted"
        hint = "--timeout waits longer." if greeted else "If that port speaks TLS from the start, use imaps://."
        self.trouble = LiveError(f"{url} {what} for {self._silence.patience:g} s.", hint)
        self._leg.abort()

    def _tell_tls(self) -> None:
        if self._leg.transport is not None and self.secure:
            self._tap.event(EventKind.TLS, "upstream leg", describe_tls(self._leg.transport), Direction.SERVER)

    def _broken(self, error: Exception | None) -> LiveError:
        url = self.endpoint.url
        if not self._greeted.done():
            return LiveError(*without_greeting(url))
        said = f" after BYE: {self.bye}" if self.bye else ""
        why = f": {str(error) or type(error).__name__}" if error else ""
        return LiveError(f"{url} closed the connection{said}{why}.", "What was said until then is on record.")

    def _tampered(self) -> LiveError:
        text = "the server sent bytes in clear behind its OK to STARTTLS"
        self._tap.event(EventKind.SECURITY, "STARTTLS injection", text, Direction.SERVER)
        return LiveError(
            f"{self.endpoint.url} sent bytes in clear behind its OK to STARTTLS: someone may be tampering with it.",
            "Use imaps:// where the server offers it.",
        )
