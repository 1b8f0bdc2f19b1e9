"""The connection to the server that a recording is replayed to: sends whole commands, hears whole units, records both.

Everything goes through a `Tap`, as the traffic of a real client does: what is recorded of a replay is a true
recording, with its secrets masked by the same machinery.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from proxy.imap.grammar import (
    Command,
    Continuation,
    Done,
    Parsed,
    Tagged,
    Untagged,
    cut,
    parse_command,
    parse_response,
    parse_sasl,
)
from proxy.imap.grammar.capability import Capability
from proxy.imap.grammar.commands import Compress
from proxy.imap.grammar.generic import Bare
from proxy.imap.grammar.remembered import Remembered
from proxy.imap.grammar.status import Condition, Status
from proxy.imap.transcript import Direction, Ending, EventKind, readable
from proxy.live.errors import LiveError
from proxy.replay import trouble
from proxy.replay.flight import moved, status_of
from proxy.replay.flights import Flights
from proxy.replay.line import Line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from proxy.imap.cutter import CutUnit
    from proxy.imap.grammar import Response
    from proxy.imap.units import Unit
    from proxy.live.endpoint import Endpoint
    from proxy.live.leg import Leg, Owner
    from proxy.live.tap import Tap
    from proxy.live.upstream import Upstream
    from proxy.replay.ear import Ear
    from proxy.replay.flight import Content, Flight

LOST = "the connection was lost"
_response, _command = Remembered(parse_response), Remembered(parse_command)
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
        """Called with untagged data, where somebody wants to hear of it."""
        self.idling = False
        """Whether the server owes nothing, whatever is in flight."""
        self._line = Line(endpoint, upstream, tap, self, patience=patience)
        self._tap, self._ear = tap, ear
        self.flights = Flights()
        self._asking: Flight | None = None
        self._greeted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._switching: Flight | None = None
        """STARTTLS or COMPRESS, on its way: with its OK the layer changes."""

    # --- its life ---------------------------------------------------------------------------------------------------

    async def open(self) -> None:
        """Dial, with TLS where the URL says imaps, and hear the greeting. Raises LiveError."""
        url = self.endpoint.url
        await self._line.dial()
        await self._greeted
        if self.greeting is None:
            raise self.trouble or trouble.no_greeting(url)
        if self.greeting.condition is Condition.BYE:
            raise trouble.turned_away(url, self.bye)

    @property
    def open_now(self) -> bool:
        """Whether more can be sent."""
        return self._line.open_now and self.trouble is None

    def missed(self) -> None:
        """More should have been sent, and cannot be."""
        self.trouble = self.trouble or self._gone(None)

    @property
    def preauth(self) -> bool:
        """Whether the server had logged somebody in before anybody asked."""
        return self.greeting is not None and self.greeting.condition is Condition.PREAUTH

    @property
    def secure(self) -> bool:
        """Whether TLS protects it."""
        return self._line.secure

    async def close(self, ending: Ending | None = None, reason: str = "") -> None:
        """Close, and put the session's end on record; without an `ending`, whichever it was."""
        by_server = self._line.left
        self.why = reason or self.why
        await self._line.close(at_once=ending is Ending.CUT)
        self._tap.catch_up()
        self.flights.give_up()
        self._ear.finish()
        self._tap.closed(ending or (Ending.SERVER if by_server else Ending.CLIENT), reason)

    @property
    def between(self) -> bool:
        """Whether all that has come is whole."""
        return self._line.inbound.between

    def hand_over(self, owner: Owner) -> Leg:
        """Nothing is in flight, and from here on all is another's: what comes is told to `owner` as it comes."""
        return self._line.hand_over(owner)

    async def closed_by_server(self) -> None:
        """Wait a moment for the connection to be closed, as a server does after LOGOUT."""
        await self._line.closed()

    # --- what we say ------------------------------------------------------------------------------------------------

    async def send(
        self,
        tag: bytes,
        unit: Unit,
        contents: Iterable[Content],
        *,
        begun: Callable[[Flight], None],
        shown: Unit | None = None,
        command: Command | None = None,
    ) -> Flight:
        """Send a command with all its literals: synchronising ones wait for `+`, and are withheld when refused.

        `contents` are those of the unit's literals, in order; `begun` hears of the flight before anything is sent.
        `shown` is what may be told of the unit, where it has secrets; `command` what it says, where that is known.
        """
        flight = self.flights.begin(tag, self._line.sent, self._ear.newest)
        self._tell(shown or unit, flight, command)
        begun(flight)
        if not self.open_now:
            self.flights.give_up()
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
        unit = cut(shown + b"\r\n", Direction.CLIENT, self._line.sent)
        parsed = parse_sasl(unit) if sasl else parse_command(unit)
        self._ear.asked(unit, self._tap.clock.now(), self._line.layer, parsed, flight.number)
        await self._say(line + b"\r\n", None)

    async def own(self, tag: bytes, command: bytes) -> Flight:
        """Send a command of imaptap's own, which is recorded as one (M 6.4)."""
        flight = self.flights.begin(tag, self._line.sent, self._ear.newest)
        line = tag + b" " + command + b"\r\n"
        self._tell(cut(line, Direction.CLIENT), flight)
        self._line.say_own(line)
        if not self.open_now:
            self.flights.give_up()
        return flight

    async def continuation(self, flight: Flight) -> Continuation | None:
        """Wait for the `+` to this command; None where it is answered otherwise, or never."""
        if flight.over.done():
            return None
        self._asking = flight
        return await flight.continuation()

    async def start_tls(self) -> None:
        """STARTTLS was answered OK: shake hands. Raises LiveError."""
        await self._line.start_tls()
        self.told = None

    def step(self, name: str, text: str, place: tuple[int, int] | None = None) -> None:
        """Put an event of the replay on record."""
        side = Direction.CLIENT if place else None
        self._tap.event(EventKind.STEP, name, text, side, place=place, soon=True)

    def _tell(self, unit: Unit, flight: Flight, command: Command | None = None) -> None:
        """Literals get the offsets that they have in our stream."""
        here = moved(unit, flight.start)
        parsed = _command(here) if command is None or unit.literals else Parsed[Command | Done](command)
        self._ear.asked(here, self._tap.clock.now(), self._line.layer, parsed, flight.number)
        if isinstance(parsed.value, Command) and parsed.value.body in _SWITCHES:
            self._switching = flight
            flight.deflates = isinstance(parsed.value.body, Compress)

    async def _say(self, data: bytes, flight: Flight | None) -> None:
        # What is no command of its own may be counted as one, so the recorder has to tell of it before the next.
        sent = await self._line.say(data, soon=flight is not None)
        if flight:
            flight.length += sent

    # --- what the server says ---------------------------------------------------------------------------------------

    def heard(self) -> None:
        """All units that have come are told."""
        self._ear.settle(idle=not self.flights)
        self.flights.land()

    def lost(self, error: Exception | None) -> None:
        """The connection is gone."""
        if self.trouble is None and (self.flights or not self._greeted.done() or (error and not self.bye)):
            self.trouble = self._gone(error)
        self._ear.settle(idle=True)
        if not self._greeted.done():
            self._greeted.set_result(None)
        self.flights.give_up()

    def broken(self, message: str, hint: str) -> None:
        """The connection is about to be closed, for this reason."""
        self.trouble = LiveError(message, hint)

    def silent(self, seconds: float) -> None:
        """It is about to be closed, since the server owes something and has said nothing for so long."""
        self.trouble = trouble.silent(self.endpoint.url, seconds, greeted=self._greeted.done())

    @property
    def owed(self) -> bool:
        """Whether the server owes a greeting or an answer."""
        return not self._greeted.done() or (bool(self.flights) and not self.idling)

    def unit(self, found: CutUnit, at: int) -> None:
        """The server has said this."""
        parsed = _response(found.unit)
        self._ear.answered(found.unit, at, self._line.layer, parsed)
        value = parsed.understood
        if not self._greeted.done():
            self._greet(value)
        if isinstance(value, Untagged):
            self._untagged(value)
        elif isinstance(value, Tagged):
            self._tagged(value)
        elif isinstance(value, Continuation) and self._asking:
            self._asking.go_on(value)
            self._asking = None

    def _greet(self, value: Response | None) -> None:
        data = value.data if isinstance(value, Untagged) else None
        if isinstance(data, Status):
            self.greeting = data
        else:
            self.trouble = trouble.no_imap(self.endpoint.url)
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
        flight = self.flights.find(value.tag)
        if flight is None:
            return
        code = value.status.code if isinstance(value.status, Status) else None
        if isinstance(code, Capability):
            self._learn(code)
        if flight is self._switching:
            self._switching = None
            if status_of(value) == "OK":
                (self._line.inbound.deflate if flight.deflates else self._line.inbound.expect_tls)()
        self.flights.end(flight, value)

    def _learn(self, told: Capability) -> None:
        self.told = frozenset(readable(word.upper()) for word in told.words)

    def _gone(self, error: Exception | None) -> LiveError:
        url = self.endpoint.url
        return trouble.gone(url, self.bye, error) if self._greeted.done() else trouble.no_greeting(url)
