"""The tap: hears what the relay has forwarded, has it understood, and puts the records into the sink.

Everything in here runs after the bytes are on their way; nothing in here may stop them (DESIGN rule 1).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Iterator

from proxy.imap.capabilities import Rewrite
from proxy.imap.conversation import Conversation
from proxy.imap.letters.policy import Bodies
from proxy.imap.transcript import Direction, Ending, Event, EventKind, Layer, SessionOpened
from proxy.live.clock import Clock
from proxy.live.sink import Sink
from proxy.live.turns import TURN, Pace, Turns

_BACKLOG_BYTES = 32 * 1024
_BACKLOG_CHUNKS = 256
_OPAQUE = frozenset({EventKind.COMPRESS, EventKind.RAW})

_END = object()
_LITTLE = 1 << 20
"""Bytes that a session may add while the recorder is behind, for those who say more: ten commands a second for ten
seconds, or a letter."""
_RECORD_BYTES = 600
"""What a record weighs, about."""

_Chunk = tuple[Direction, bytes, int, Layer]


class Tap:
    """One session's ear."""

    def __init__(self, session: int, sink: Sink, turns: Turns, *, decode: bool, bodies: Bodies = Bodies.FULL) -> None:
        self.session = session
        self.clock = Clock()
        self._conversation = Conversation(session, decode=decode, bodies=bodies)
        self._backlog: deque[_Chunk | Callable[[], None]] = deque()
        """What was overheard and is not understood yet, and what is to be put on record behind it."""
        self._backlog_bytes = 0
        self._steps: Iterator[None] | None = None
        """What is left to be done of the chunk taken last."""
        self._held = 0
        """Of what is understood and left for soon, in bytes."""
        self._pace = Pace()
        self._when_understood: list[Callable[[], None]] = []
        self._over = False
        self._lately = 0
        """What has been heard, and put on record, since the recorder was last known not to be behind, in bytes."""
        self.opaque = False
        """Whether the streams are no longer IMAP in clear: compressed, or inside a SASL security layer."""
        self._sink = sink
        self.turns = turns

    @property
    def conversation(self) -> Conversation:
        """What has been understood of all that was heard. Not to be asked for while the tap is `behind`."""
        if self._waiting:
            self._settle()
        return self._conversation

    def offered(self, capability: str) -> bool:
        """Whether the server was known to have this capability the last time that anything was understood."""
        return capability in self._conversation.state.capabilities

    @property
    def _waiting(self) -> bool:
        return self._steps is not None or bool(self._backlog)

    @property
    def behind(self) -> bool:
        """Whether so much is not understood yet that no more should be read."""
        return self._steps is not None or self._backlog_bytes > _BACKLOG_BYTES

    def when_understood(self, callback: Callable[[], None]) -> None:
        """Call back when all that was heard is understood; at once if it is."""
        if self._waiting:
            self._when_understood.append(callback)
        else:
            callback()

    @property
    def full(self) -> bool:
        """Whether the recorder is behind, and this session has to wait: because of the others, if it says little."""
        if not self._sink.full:
            self._lately = 0
            return False
        return self._lately > _LITTLE or self._sink.crammed

    def when_drained(self, callback: Callable[[], None]) -> None:
        """Call back, in the event loop, when the recorder has caught up."""
        loop = asyncio.get_running_loop()

        def drained() -> None:
            # The loop may be closed by the time that the recorder's thread comes here.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(callback)

        self._sink.when_drained(drained)

    @property
    def client_may_be_told(self) -> bool:
        """Whether a line that is sent to the client now is one, and does not land inside something of the server's."""
        return not self.behind and self.conversation.client_may_be_told and not self.opaque

    def opened(self, client: str, listen: str, upstream: str) -> None:
        """The session begins."""
        self._sink.put(SessionOpened(self.session, self.clock.wall, client, listen, upstream))

    def heard(self, direction: Direction, data: bytes, layer: Layer, *, soon: bool = False) -> None:
        """These bytes were read from the peer of `direction`.

        They are understood at once; `soon`: and go on record a little later, together with what follows (`catch_up`).
        """
        self._lately += len(data)
        self._steps = self.conversation.begin(direction, data, self.clock.now(), layer)
        if soon:
            self._pass_on_soon(len(data))
        else:
            self._pass_on()
        if self._steps is not None:
            self.turns.next(self)
        elif self._conversation.holds_text:
            self.turns.soon(self)

    def overheard(self, direction: Direction, data: bytes, layer: Layer) -> None:
        """The same, where nobody waits for what it means: understood a little later, together with what follows."""
        self._backlog.append((direction, data, self.clock.now(), layer))
        self._backlog_bytes += len(data)
        self._lately += len(data)
        if self._backlog_bytes <= _BACKLOG_BYTES and len(self._backlog) < _BACKLOG_CHUNKS:
            if len(self._backlog) == 1:
                self.turns.soon(self)
        elif self._steps is None and self._backlog_bytes <= self._pace.size:
            self.turn(self.turns.now() + TURN)
        else:
            self.turns.next(self)

    def event(
        self,
        kind: EventKind,
        name: str,
        text: str = "",
        direction: Direction | None = None,
        *,
        place: tuple[int, int] | None = None,
        soon: bool = False,
    ) -> None:
        """Something happened that is not in the bytes: at the end of what `direction` has said, or at `place` in it.

        `place` is an offset and a length; `soon` as in `heard`.
        """
        at = self.clock.now()

        def put() -> None:
            here = None if direction is None else self._conversation.received(direction)
            offset, length = place or (here, None)
            self._conversation.event(Event(self.session, at, kind, name, text, direction, offset, length))

        self._in_order(put, soon=soon)

    def rewrote(self, direction: Direction, rewrite: Rewrite) -> None:
        """Bytes of `direction` were changed on the way."""
        event = Event(
            self.session, self.clock.now(), EventKind.REWRITE, rewrite.name, "", direction, rewrite.offset,
            len(rewrite.received), rewrite.received, rewrite.sent,
        )  # fmt: skip
        self._in_order(lambda: self._conversation.event(event))

    def inserted(self, direction: Direction, sent: bytes, name: str, held: int = 0) -> None:
        """imaptap itself sent these bytes to the peer that hears `direction`, before the last `held` received ones."""
        self.rewrote(direction, Rewrite(self.conversation.received(direction) - held, b"", sent, name))

    def took(self, direction: Direction, line: bytes, name: str) -> None:
        """The last bytes received in `direction` were taken out: they did not go on."""
        self.rewrote(direction, Rewrite(self.conversation.received(direction) - len(line), line, b"", name))

    def withheld(self, direction: Direction, count: int) -> None:
        """The last `count` bytes received did not go on. They may hold a secret, so only their place is told."""
        at = self.clock.now()

        def put() -> None:
            offset = self._conversation.received(direction) - count
            name, nothing = "withheld", b""
            self._conversation.event(
                Event(self.session, at, EventKind.REWRITE, name, "", direction, offset, count, None, nothing)
            )

        if count:
            self._in_order(put)

    def proxy_command(self, line: bytes) -> None:
        """imaptap sent a command of its own upstream."""
        self.inserted(Direction.CLIENT, line, "command")
        self.conversation.proxy_command(line, self.clock.now())
        self._pass_on()

    def answered(self, tag: bytes, status: str, text: str) -> None:
        """imaptap answered the client's command itself."""
        self.conversation.answer(tag, status, text, self.clock.now())
        self._pass_on()

    def catch_up(self) -> None:
        """Put on record what was left for soon."""
        self._pass_on()

    def turn(self, end: float) -> None:
        """Understand what was put off, as far as there is time for it, or release what is public of a half line."""
        if self._waiting and self.full:
            # A few bytes can make many records: what is not understood yet waits for the recorder, too.
            self.when_drained(self._go_on)
            return
        if self._waiting:
            enough = self._backlog_bytes - self._pace.size
            self._understand_small(enough)
            while self._waiting and (self._cheap(enough) or self.turns.now() < end):
                self._understand_next()
            if self._conversation.holds_text:
                self.turns.soon(self)
        elif not self._over:
            self._conversation.tick()
        self._pass_on()
        if self._waiting:
            self.turns.next(self)
        else:
            due, self._when_understood = self._when_understood, []
            for callback in due:
                callback()

    def _go_on(self) -> None:
        # Also where somebody has asked meanwhile, and so all is understood: those who wait for that hear it in a turn.
        if not self._over:
            self.turns.next(self)

    def closed(self, ending: Ending, reason: str) -> None:
        """The session is over; what is left of a long backlog will not be understood."""
        if self.behind:
            self._conversation.give_up(self.clock.now(), "the session was over before they were understood")
        self.conversation.close(self.clock.now(), ending, reason)
        self._pass_on()
        self._over = True
        self.turns.forget(self)

    def _settle(self) -> None:
        while self._waiting:
            self._understand_next(whole=True)
        self._pass_on()

    def _cheap(self, enough: int) -> bool:
        """Whether the backlog is not as short yet as this, and nothing else is known of it: no look at the clock."""
        return self._steps is None and self._backlog_bytes > enough

    def _in_order(self, put: Callable[[], None], *, soon: bool = False) -> None:
        """Behind all that was heard before."""
        if self._waiting:
            self._backlog.append(put)
            return
        put()
        if soon:
            self._pass_on_soon(_RECORD_BYTES)
        else:
            self._pass_on()

    def _understand_small(self, enough: int) -> None:
        """Take the chunks that come next and are small, as nearly all are, until the backlog is as short as this."""
        backlog, small = self._backlog, self._pace.small
        while backlog and self._steps is None and self._backlog_bytes > enough:
            step = backlog[0]
            if callable(step) or len(step[1]) >= small:
                break
            del backlog[0]
            direction, data, at, layer = step
            self._backlog_bytes -= len(data)
            self._steps = self._conversation.begin(direction, data, at, layer)

    def _understand_next(self, *, whole: bool = False) -> None:
        if self._steps is not None:
            if next(self._steps, _END) is _END:
                self._steps = None
            return
        step = self._backlog.popleft()
        if callable(step):
            step()
            return
        direction, data, at, layer = step
        if whole or len(data) - self._conversation.passing(direction) < self._pace.small:
            self._backlog_bytes -= len(data)
            self._steps = self._conversation.begin(direction, data, at, layer)
            self._pace.took(len(data), 0.0)
            return
        share = self._pace.share(data)
        if share < len(data):
            self._backlog.appendleft((direction, data[share:], at, layer))
            data = data[:share]
        self._backlog_bytes -= share
        began = self._pace.begin(share)
        self._steps = self._conversation.begin(direction, data, at, layer)
        self._pace.end(share, began)

    def _pass_on_soon(self, size: int) -> None:
        self._held += size
        if self._held > _BACKLOG_BYTES:
            self._pass_on()
        else:
            self.turns.soon(self)

    def _pass_on(self) -> None:
        self._held = 0
        records = self._conversation.take()
        for record in records:
            if type(record) is Event and record.kind in _OPAQUE:
                self.opaque = True
        if records:
            self._lately += _RECORD_BYTES * len(records)
            self._sink.put(*records)
