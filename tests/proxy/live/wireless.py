"""A relay without sockets: transports that note what they are given, and a session that only knows how to go on.

`Wireless` has an event loop of its own, which runs only while something is delivered; no time passes between.
"""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast

from proxy.imap.gate import Act, ServerGate
from proxy.imap.transcript import Direction, Ending, Record
from proxy.live import plan
from proxy.live.endpoint import Security, parse_upstream
from proxy.live.leg import Leg
from proxy.live.notices import Notices
from proxy.live.relay import Relay
from proxy.live.session import Session
from proxy.live.settings import Settings
from proxy.live.tap import Tap
from proxy.live.turns import Turns
from tests.proxy.live.rig import ListSink

_ROUNDS = 12
"""So often the event loop goes round after each step, and on as long as turns are due: a machine that is busy takes
smaller ones."""


class Transport(asyncio.Transport):
    """Takes everything at once and keeps it."""

    def __init__(self) -> None:
        super().__init__()
        self.got = bytearray()
        self.reading, self.closing, self.ended = True, False, False

    def get_extra_info(self, _: str, default: object = None) -> object:
        return default

    def is_closing(self) -> bool:
        return self.closing

    def is_reading(self) -> bool:
        return self.reading

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True

    def get_write_buffer_size(self) -> int:
        return 0

    def write(self, data: bytes | bytearray | memoryview) -> None:
        assert not self.ended, "asyncio raises here"
        if not self.closing:
            self.got += data

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        self.ended = True

    def close(self) -> None:
        self.closing = True

    def abort(self) -> None:
        self.closing = True


class Wireless:
    """One session in clear on both sides, or with TLS upstream."""

    def __init__(self, upstream: Security) -> None:
        self.loop = asyncio.new_event_loop()
        self.loop.set_exception_handler(self._complain)
        self.faults: list[str] = []
        self.sink = ListSink()
        self.client, self.server = Transport(), Transport()
        self.answers: list[tuple[int, bytes]] = []
        """What imaptap itself has told the client, and how many bytes of the server's had gone before."""
        self.ending: tuple[Ending, str] | None = None
        self._upstream = upstream
        self.loop.run_until_complete(self._open())

    def _complain(self, _: object, context: dict[str, Any]) -> None:
        self.faults.append(f"{context.get('message')}: {context.get('exception')!r}")

    async def _open(self) -> None:
        self.tap = Tap(1, self.sink, Turns(), decode=True)
        self.relay = Relay(self.tap, Notices(lambda *_: None))
        self.tap.opened("192.0.2.1:1", "imap+insecure://localhost:1", "imap+insecure://localhost:2")
        settings = Settings(parse_upstream("imap+insecure://localhost:2"), ())
        self.relay.gates.client = plan.client_gate(Security.PLAIN, self._upstream)
        self.relay.gates.server = ServerGate(plan.words(settings, Security.PLAIN, self._upstream))
        for leg, transport in ((self.relay.client, self.client), (self.relay.upstream, self.server)):
            leg.connection_made(transport)

    def leg(self, direction: Direction) -> Leg:
        """The leg on which this side is heard."""
        return self.relay.client if direction is Direction.CLIENT else self.relay.upstream

    def deliver(self, direction: Direction, data: bytes) -> None:
        """These bytes come from this side."""
        self._run(lambda: self.leg(direction).data_received(data))

    def press(self, direction: Direction, *, full: bool) -> None:
        """This side does not read any more, or reads again."""
        leg = self.leg(direction)
        self._run(leg.pause_writing if full else leg.resume_writing)

    def fill(self, *, full: bool) -> None:
        """The recorder is behind, or no more."""
        if full:
            self.sink.full = True
        else:
            self._run(self.sink.drain)

    def hang_up(self, direction: Direction, error: Exception | None, *, politely: bool) -> None:
        """This side goes; the other one is told and goes as well. The record is closed as a session does it."""
        leg, other = self.leg(direction), self.leg(Direction(1 - direction))
        if politely:
            self._run(leg.eof_received)
        self._run(lambda: leg.connection_lost(error))
        self._run(lambda: other.connection_lost(None))
        assert self.ending
        self._run(self._close)

    def _close(self) -> None:
        assert self.ending
        self.relay.give_up()
        _ = self.tap.conversation  # understood to its end
        self.tap.closed(*self.ending)

    def _run(self, step: Any) -> None:
        self.loop.run_until_complete(self._step(step))

    async def _step(self, step: Any) -> None:
        step()
        turns, rounds = self.tap.turns, 0
        while rounds < _ROUNDS or turns._due:
            self._act()
            await asyncio.sleep(0)
            rounds += 1

    def _act(self) -> None:
        """What a session does about STARTTLS where there is none, and about the end."""
        while self.relay._dues:
            due = self.relay._dues.popleft()
            if due.passed is None:
                assert due.ending
                self.ending = (due.ending, due.reason)
                continue
            assert due.passed.act is Act.DENY
            before = len(self.client.got)
            session = cast("Session", SimpleNamespace(_relay=self.relay, _tap=self.tap))
            Session._answer(session, due.passed, "BAD", "STARTTLS is not available here")
            self.answers.append((before, bytes(self.client.got[before:])))
            self.relay.free("act")

    @property
    def records(self) -> list[Record]:
        """All that the sink was told."""
        return self.sink.records

    def close(self) -> None:
        """No more of it."""
        self.loop.close()
