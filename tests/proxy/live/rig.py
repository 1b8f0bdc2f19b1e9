"""The live side alone, on real loopback sockets: a Recorder in a thread with its own event loop, and a list as sink.

Tests play the peers (tests.servers.scripted) in their own thread, then look at what the sink was told.
"""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Self, TypeVar

from certs.authority import Authority
from proxy.imap.transcript import (
    Direction,
    Ending,
    Event,
    EventKind,
    Exchange,
    Piece,
    Record,
    SessionClosed,
    SessionOpened,
)
from proxy.live.endpoint import Endpoint, parse_listen, parse_upstream
from proxy.live.recorder import Recorder
from proxy.live.relay import Relay
from proxy.live.settings import Settings
from proxy.live.transport import TransportKind, loop_factory
from tests.servers.scripted import Player, ScriptedServer, dial
from tests.servers.streams import Rewrite, Stored
from tests.servers.wait import PATIENCE, until

T = TypeVar("T")
CLIENT, SERVER = Direction.CLIENT, Direction.SERVER
EVERY_LISTENER = ("imaps://127.0.0.1:0", "imap://127.0.0.1:0", "imap+insecure://127.0.0.1:0")


@dataclass
class ListSink:
    """Keeps what it is told; says that it is full when a test says so."""

    records: list[Record] = field(default_factory=list)
    full: bool = False
    forgetful: bool = False
    """Whether pieces are let go, for bodies that are larger than a test should keep."""
    waiting: list[Callable[[], None]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    asked: int = 0
    """How often the relay has asked to be called back."""

    @property
    def crammed(self) -> bool:
        """Nobody says so little that he need not wait."""
        return self.full

    def put(self, *records: Record) -> None:
        """Take some."""
        self.records += (each for each in records if not (self.forgetful and isinstance(each, Piece)))

    def when_drained(self, callback: Callable[[], None]) -> None:
        """Remember whom to call; if there is room by now, call at once."""
        with self.lock:
            self.asked += 1
            if self.full:
                self.waiting.append(callback)
                return
        callback()

    def drain(self) -> None:
        """There is room again: call back from this thread, which is not the event loop's."""
        with self.lock:
            self.full = False
            waiting, self.waiting = self.waiting, []
        for callback in waiting:
            callback()


@dataclass(frozen=True)
class Told:
    """The records of one session that has ended."""

    records: list[Record]

    @property
    def opened(self) -> SessionOpened:
        """How it began."""
        (opened,) = (record for record in self.records if isinstance(record, SessionOpened))
        assert self.records[0] is opened
        return opened

    @property
    def closed(self) -> SessionClosed:
        """Its one end."""
        (closed,) = (record for record in self.records if isinstance(record, SessionClosed))
        assert self.records[-1] is closed
        return closed

    @property
    def ending(self) -> Ending:
        """How it ended."""
        return self.closed.ending

    def events(self, kind: EventKind, direction: Direction | None = None) -> list[Event]:
        """Its events of one kind, of one direction if given."""
        found = [record for record in self.records if isinstance(record, Event) and record.kind is kind]
        return [event for event in found if direction is None or event.direction is direction]

    @property
    def exchanges(self) -> list[Exchange]:
        """Every exchange as last told."""
        last = {record.number: record for record in self.records if isinstance(record, Exchange)}
        return [last[number] for number in sorted(last)]

    def stream(self, direction: Direction) -> bytes:
        """All that was received from one side, secrets masked."""
        return b"".join(x.data for x in self.records if isinstance(x, Piece) and x.direction is direction)

    def sent_on(self, direction: Direction) -> tuple[bytes, bytes]:
        """The stream with every REWRITE event applied, and which of its bytes are masked."""
        streams = {side.name: self.stream(side) for side in Direction}
        secrets = [
            (side.name, x.offset or 0, self._masked(x, len(streams[side.name])))
            for side in Direction
            for x in self.events(EventKind.SECRET, side)
        ]
        rewrites = [self._rewrite(event, streams) for event in self.events(EventKind.REWRITE)]
        return Stored(streams, secrets, rewrites).sent_on(direction.name)

    @staticmethod
    def _masked(event: Event, end: int) -> int:
        """A mask may be longer than the stream: "all that comes", or a secret literal that was cut."""
        left = end - (event.offset or 0)
        return left if event.length is None else min(left, event.length)

    @staticmethod
    def _rewrite(event: Event, streams: dict[str, bytes]) -> Rewrite:
        """What was withheld is told by its place only, as it may hold secrets."""
        assert event.direction is not None
        assert event.offset is not None
        received = event.received
        if received is None:
            received = streams[event.direction.name][event.offset : event.offset + (event.length or 0)]
        assert len(received) == event.length
        return Rewrite(event.direction.name, event.offset, received, event.sent or b"")

    def assert_arrived(self, *, server: bytes | None = None, client: bytes | None = None) -> None:
        """What the record says was sent on is what the server, and the client, have heard."""
        for direction, heard in ((CLIENT, server), (SERVER, client)):
            if heard is None:
                continue
            data, marks = self.sent_on(direction)
            shown = bytes(b"x"[0] if mask else byte for byte, mask in zip(heard, marks, strict=False))
            assert (len(heard), shown) == (len(data), data), direction


class Rig:
    """`with Rig(kind, authority, "imap://localhost:5143") as rig:` listens on all three kinds of port."""

    def __init__(self, kind: TransportKind, authority: Authority, upstream: str, *listen: str, **settings: Any) -> None:
        """Not settings of imaptap, among `settings`: `reports`, how many faults of its own it will ask the person to
        report, and `sink`, if it is not to be a list."""
        self.reports = settings.pop("reports", 0)
        self.sink: ListSink = settings.pop("sink", None) or ListSink()
        self.kind, self.authority = kind, authority
        self.settings = Settings(
            upstream=parse_upstream(upstream), listen=tuple(map(parse_listen, listen or EVERY_LISTENER)), **settings
        )
        self.notices: list[tuple[str, str]] = []
        self.bound: tuple[Endpoint, ...] = ()
        self._thread = threading.Thread(target=self._run, name="rig")
        self._ready = threading.Event()
        self._failure: BaseException | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(PATIENCE), "the recorder does not come up"
        if self._failure:
            self._thread.join()
            raise self._failure
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.stop()
        self._thread.join(PATIENCE)
        if kind is None:
            assert not self._thread.is_alive(), "the recorder does not stop"
            assert self._failure is None, self._failure
            assert sum("report this" in hint for _, hint in self.notices) == self.reports, self.notices

    def stop(self) -> None:
        """Ask it to stop."""
        if self._thread.is_alive() and not self.loop.is_closed():
            self.loop.call_soon_threadsafe(self._stop.set)

    def join(self) -> None:
        """Wait until it has stopped."""
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive(), "the recorder does not stop"

    def _run(self) -> None:
        try:
            with asyncio.Runner(loop_factory=loop_factory(self.kind)) as runner:
                self.loop = runner.get_loop()
                runner.run(self._record())
        except BaseException as error:  # noqa: BLE001 - the test's own thread raises it
            self._failure = error
        finally:
            self._ready.set()

    async def _record(self) -> None:
        self._stop = asyncio.Event()
        self.recorder = Recorder(
            self.settings, self.authority, self.sink, lambda *words: self.notices.append(words), {}
        )
        self.bound = self.recorder.listen()
        self._ready.set()
        await self.recorder.run(self._stop)

    def port(self, scheme: str) -> int:
        """The port of the first listener of this scheme."""
        return next(endpoint.port for endpoint in self.bound if endpoint.security == scheme)

    @property
    def trusting(self) -> ssl.SSLContext:
        """A client's context that trusts our authority."""
        return ssl.create_default_context(cafile=self.authority.certificate_file)

    def dial(self, scheme: str) -> Player:
        """A client at the listener of this scheme; TLS is done where that comes first."""
        return dial(self.port(scheme), self.trusting, implicit=scheme == "imaps")

    def ask(self, question: Callable[[Relay], T]) -> T:
        """What the only session's relay says to this, in its own thread."""
        answer: Future[T] = Future()

        def look() -> None:
            [session] = self.recorder._sessions
            answer.set_result(question(session._relay))

        self.loop.call_soon_threadsafe(look)
        return answer.result(PATIENCE)

    def records(self, session: int) -> list[Record]:
        """What was told of this session so far."""
        return [record for record in list(self.sink.records) if record.session == session]

    def told(self, session: int = 1) -> Told:
        """All of a session, once it has ended."""

        def ended() -> bool:
            return any(isinstance(record, SessionClosed) for record in self.records(session))

        until(ended, f"session {session} to end", explain=lambda: str(self.records(session)))
        return Told(self.records(session))

    def ended(self, *sessions: int) -> None:
        """Wait until these have ended."""
        for session in sessions:
            self.told(session)

    def said(self, *parts: str) -> bool:
        """Whether one notice holds all of these."""
        return any(all(part in f"{message} {hint}" for part in parts) for message, hint in self.notices)


@dataclass(frozen=True)
class Scene:
    """A session that both sides have played to its end."""

    rig: Rig
    told: Told
    server_heard: bytes
    client_heard: bytes

    @property
    def bye(self) -> str:
        """The last line that the client heard: imaptap's reason."""
        last = self.client_heard.splitlines()[-1].decode()
        assert last.startswith("* BYE imaptap: "), last
        return last


class Careless(ScriptedServer):
    """A server that does not mind what goes wrong: an alert, or the end, in its handshake."""

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        super().__exit__(kind or Exception, *rest)
