"""The tap: hears what the relay has forwarded, has it understood, and puts the records into the sink.

Everything in here runs after the bytes are on their way; nothing in here may stop them (DESIGN rule 1).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from proxy.imap.capabilities import Rewrite
from proxy.imap.conversation import Conversation
from proxy.imap.transcript import Direction, Ending, Event, EventKind, Layer, SessionOpened
from proxy.live.clock import Clock
from proxy.live.sink import Sink

_TICK = 0.03
_TURN = 0.002
_BACKLOG_BYTES = 32 * 1024
_BACKLOG_CHUNKS = 256
_OPAQUE = frozenset({EventKind.COMPRESS, EventKind.RAW})


class Ticker:
    """Comes back to taps that have put off understanding, or hold back a part of a line; sleeps when there are none.

    Understanding many exchanges at once costs less than each by itself, and none of them waits for it. So that
    nothing else waits either, the taps take turns with the event loop.
    """

    def __init__(self) -> None:
        self._waiting: dict[Tap, None] = {}
        self._due: deque[Tap] = deque()
        self._timer: asyncio.Handle | None = None

    def add(self, tap: Tap) -> None:
        """Come back to this tap at the next tick."""
        self._waiting[tap] = None
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_TICK, self._tick)

    def discard(self, tap: Tap) -> None:
        """The tap has ended."""
        self._waiting.pop(tap, None)

    def _tick(self) -> None:
        self._due.extend(self._waiting)
        self._waiting.clear()
        self._turn()

    def _turn(self) -> None:
        loop = asyncio.get_running_loop()
        end = loop.time() + _TURN
        while self._due:
            self._due.popleft().tick()
            if loop.time() > end:
                break
        if self._due:
            self._timer = loop.call_soon(self._turn)
        else:
            self._timer = loop.call_later(_TICK, self._tick) if self._waiting else None


class Tap:
    """One session's ear."""

    def __init__(self, session: int, sink: Sink, ticker: Ticker, *, decode: bool) -> None:
        self.session = session
        self.clock = Clock()
        self._conversation = Conversation(session, decode=decode)
        self._backlog: list[tuple[Direction, bytes, int, Layer]] = []
        self._backlog_bytes = 0
        self._over = False
        self.opaque = False
        """Whether the streams are no longer IMAP in clear: compressed, or inside a SASL security layer."""
        self._sink = sink
        self._ticker = ticker

    @property
    def conversation(self) -> Conversation:
        """What has been understood of all that was heard."""
        if self._backlog:
            self._settle()
        return self._conversation

    def offered(self, capability: str) -> bool:
        """Whether the server was known to have this capability the last time that anything was understood."""
        return capability in self._conversation.state.capabilities

    @property
    def full(self) -> bool:
        """Whether the recorder is behind: the relay has to wait."""
        return self._sink.full

    def when_drained(self, callback: Callable[[], None]) -> None:
        """Call back, from any thread, when the recorder has caught up."""
        self._sink.when_drained(callback)

    def opened(self, client: str, listen: str, upstream: str) -> None:
        """The session begins."""
        self._sink.put(SessionOpened(self.session, self.clock.wall, client, listen, upstream))

    def heard(self, direction: Direction, data: bytes, layer: Layer) -> None:
        """These bytes were read from the peer of `direction`."""
        self.conversation.receive(direction, data, self.clock.now(), layer)
        self._pass_on()
        if self._conversation.holds_text:
            self._ticker.add(self)

    def overheard(self, direction: Direction, data: bytes, layer: Layer) -> None:
        """The same, where nobody waits for what it means: understood a little later, together with what follows."""
        self._backlog.append((direction, data, self.clock.now(), layer))
        self._backlog_bytes += len(data)
        if self._backlog_bytes > _BACKLOG_BYTES or len(self._backlog) >= _BACKLOG_CHUNKS:
            self._settle()
        elif len(self._backlog) == 1:
            self._ticker.add(self)

    def event(self, kind: EventKind, name: str, text: str = "", direction: Direction | None = None) -> None:
        """Something happened that is not in the bytes."""
        offset = None if direction is None else self.conversation.received(direction)
        self.conversation.event(Event(self.session, self.clock.now(), kind, name, text, direction, offset))
        self._pass_on()

    def rewrote(self, direction: Direction, rewrite: Rewrite) -> None:
        """Bytes of `direction` were changed on the way."""
        event = Event(
            self.session, self.clock.now(), EventKind.REWRITE, rewrite.name, "", direction, rewrite.offset,
            len(rewrite.received), rewrite.received, rewrite.sent,
        )  # fmt: skip
        self.conversation.event(event)
        self._pass_on()

    def inserted(self, direction: Direction, sent: bytes, name: str, held: int = 0) -> None:
        """imaptap itself sent these bytes to the peer that hears `direction`, before the last `held` received ones."""
        self.rewrote(direction, Rewrite(self.conversation.received(direction) - held, b"", sent, name))

    def took(self, direction: Direction, line: bytes, name: str) -> None:
        """The last bytes received in `direction` were taken out: they did not go on."""
        self.rewrote(direction, Rewrite(self.conversation.received(direction) - len(line), line, b"", name))

    def withheld(self, direction: Direction, count: int) -> None:
        """The last `count` bytes received did not go on. They may hold a secret, so only their place is told."""
        if count:
            offset = self.conversation.received(direction) - count
            self.conversation.event(
                Event(
                    self.session,
                    self.clock.now(),
                    EventKind.REWRITE,
                    "withheld",
                    "",
                    direction,
                    offset,
                    count,
                    None,
                    b"",
                )
            )
            self._pass_on()

    def proxy_command(self, line: bytes) -> None:
        """imaptap sent a command of its own upstream."""
        self.inserted(Direction.CLIENT, line, "command")
        self.conversation.proxy_command(line, self.clock.now())
        self._pass_on()

    def answered(self, tag: bytes, status: str, text: str) -> None:
        """imaptap answered the client's command itself."""
        self.conversation.answer(tag, status, text, self.clock.now())
        self._pass_on()

    def tick(self) -> None:
        """Understand what was put off, or else release what is public of unfinished lines."""
        if self._backlog:
            self._settle()
        elif not self._over:
            self._conversation.tick()
            self._pass_on()

    def closed(self, ending: Ending, reason: str) -> None:
        """The session is over."""
        self.conversation.close(self.clock.now(), ending, reason)
        self._pass_on()

        self._over = True
        self._ticker.discard(self)

    def _settle(self) -> None:
        backlog, self._backlog, self._backlog_bytes = self._backlog, [], 0
        for direction, data, at, layer in backlog:
            self._conversation.receive(direction, data, at, layer)
        self._pass_on()
        if self._conversation.holds_text:
            self._ticker.add(self)

    def _pass_on(self) -> None:
        records = self._conversation.take()
        for record in records:
            if type(record) is Event and record.kind in _OPAQUE:
                self.opaque = True
        if records:
            self._sink.put(*records)
