"""The listener: binds, accepts, starts a session for each client, and stops them all when asked to."""

from __future__ import annotations

import asyncio
import errno
import functools
import gc
import itertools
import socket
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from certs.authority import Authority
from certs.contexts import OwnLeaf, ServerContexts
from proxy.live.admission import Admission
from proxy.live.clock import Clock
from proxy.live.doors import Doors
from proxy.live.endpoint import Endpoint
from proxy.live.errors import loop_fault
from proxy.live.limits import MAX_SESSIONS, Rate, most_sessions
from proxy.live.notices import Notices, Tell
from proxy.live.ports import Port, open_ports
from proxy.live.refusals import Refusals
from proxy.live.session import Place, Session
from proxy.live.settings import Compress, Settings
from proxy.live.sink import Sink
from proxy.live.tap import Tap
from proxy.live.transport import slow_down
from proxy.live.turns import Turns
from proxy.live.upstream import Upstream

_SWITCH_SECONDS = 0.001
_OBJECTS_BETWEEN = 20_000
_FAREWELL = "what is said here cannot be recorded any more, and shall not be said without that."
"""Not why: a client may be a stranger, whom paths and servers' names do not concern."""
_EXHAUSTED = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})


class Recorder:
    """Everything of one `imaptap record` that has sockets."""

    def __init__(
        self,
        settings: Settings,
        authority: Authority,
        sink: Sink,
        tell: Tell,
        own_leaves: dict[str, OwnLeaf],
        *,
        numbers: Iterator[int] | None = None,
        began: int | None = None,
        upstream: Upstream | None = None,
    ) -> None:
        """`numbers` are those that sessions get (default: 1, 2, …).

        `began` is when the recording did (default: now), microseconds since 1970 UTC. `upstream` dials in the place
        of the settings' own.

        Raises CertificateError for certificates and CA files that are not usable.
        """
        self._settings = settings
        self._sink = sink
        self._notices = Notices(tell)
        self._admission = Admission(settings.allow)
        self._refusals = Refusals(sink, self._notices, Clock(began))
        self._upstream = Upstream(settings) if upstream is None else upstream
        self._authority = authority
        self._own_leaves = own_leaves
        self._turns = Turns()
        self._numbers = itertools.count(1) if numbers is None else numbers
        self._sessions: set[Session] = set()
        self._places: list[tuple[Place, tuple[socket.socket, ...]]] = []
        self._sockets: list[socket.socket] = []
        self._stopping = False
        self._standing = False
        self._unrecordable: str | None = None
        self._rate = Rate(settings.max_rate)
        self._most = most_sessions(settings.max_sessions, 1 + self._upstream.sockets)
        self._doors = Doors(self._most, self._crowded)

    def listen(self, ports: Sequence[Port] | None = None) -> tuple[Endpoint, ...]:
        """Bind all listening sockets, or take over `ports` that were bound elsewhere.

        Returns them with the ports they got; raises LiveError when one cannot be had, and CertificateError.
        """
        ports = open_ports(self._settings) if ports is None else ports
        self._sockets = [sock for port in ports for sock in port.sockets]
        try:
            self._places = [(self._place(port.endpoint), port.sockets) for port in ports]
        except Exception:
            self._close_sockets()
            raise
        return tuple(port.endpoint for port in ports)

    def _place(self, bound: Endpoint) -> Place:
        default = self._settings.upstream_for(bound.port, None)
        contexts = ServerContexts(
            self._authority, default.host, own_leaves=self._own_leaves, keylog=self._settings.keylog
        )
        return Place(self._settings, bound, contexts, self._upstream, self._notices)

    def _close_sockets(self) -> None:
        for sock in self._sockets:
            sock.close()

    async def run(self, stop: asyncio.Event) -> None:
        """Accept clients until `stop` is set; then end their sessions and wait for them."""
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(self._complain)
        _make_way()
        if self._settings.keylog:
            slow_down(loop)
        async with asyncio.TaskGroup() as tasks:
            for place, sockets in self._places:
                for sock in sockets:
                    self._doors.add(sock, functools.partial(self._accept, place, sock, tasks))
            self._doors.open()
            try:
                await stop.wait()
            finally:
                self._stopping = True
                self._doors.close()
                self._close_sockets()
                for session in list(self._sessions):
                    self._cut(session)
                self._refusals.close()
        self._notices.close()

    def stand_still(self) -> None:
        """Pass nothing on and let nobody in until `go_on`: what is said now could not be recorded."""
        self._standing = True
        self._doors.bar()
        for session in self._sessions:
            session.stand_still()

    def go_on(self) -> None:
        """Pass on again, from where all of it stopped."""
        self._standing = False
        self._doors.unbar()
        for session in list(self._sessions):
            session.go_on()

    def unrecordable(self, reason: str) -> None:
        """When `run` is told to stop, sessions end for this reason, a sentence, and clients are told that they do."""
        self._unrecordable = reason

    def _cut(self, session: Session) -> None:
        if self._unrecordable is None:
            session.cut()
        else:
            session.cut(f"it could not be recorded: {self._unrecordable}", _FAREWELL)

    def _complain(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """What the event loop could tell nobody else."""
        if fault := loop_fault(context):
            self._notices.say(*fault)

    def _accept(self, place: Place, listener: socket.socket, tasks: asyncio.TaskGroup) -> None:
        """Take one client. (`loop.sock_accept` would lose one that comes while its task is being cancelled.)"""
        try:
            sock, address = _take(listener)
        except OSError as error:
            if error.errno in _EXHAUSTED:
                self._doors.rest(listener)
                self._notices.once(
                    "A client cannot be accepted: this process has too many open files.", "Raise the limit (ulimit -n)."
                )
            return  # else that client is gone already
        if self._admits(str(address[0])):
            self._doors.entered()
            tasks.create_task(self._serve(place, sock, _name(address)))
        else:
            sock.close()

    def _admits(self, host: str) -> bool:
        if not self._admission.admits(host):
            self._refusals.refused(host, "--allow does not name it", f"If it shall connect: --allow {host}")
            return False
        if not self._rate.admits(host, asyncio.get_running_loop().time()):
            self._refusals.refused(host, f"--max-rate allows {self._rate.a_minute} connections a minute")
            return False
        return True

    def _crowded(self) -> None:
        """As many sessions as there may be: the next client waits until one of them ends."""
        wanted = self._settings.max_sessions
        scarce = self._most < (MAX_SESSIONS if wanted is None else wanted)
        hint = "Raise the limit on open files (ulimit -Hn)." if scarce else "--max-sessions N allows more."
        self._refusals.delayed(f"There are {self._most} sessions, as many as there may be: further clients wait.", hint)

    async def _serve(self, place: Place, sock: socket.socket, peer: str) -> None:
        if self._stopping:
            sock.close()
            self._doors.left()
            return
        decode = self._settings.compress is not Compress.OPAQUE
        tap = Tap(next(self._numbers), self._sink, self._turns, decode=decode, bodies=self._settings.bodies)
        session = Session(place, sock, peer, tap)
        self._sessions.add(session)
        if self._standing:
            session.stand_still()
        try:
            await session.run()
        except Exception as error:  # noqa: BLE001 - one session's fault must not end the others
            sock.close()
            self._notices.say(
                f"Session {tap.session} could not be ended: {type(error).__name__}.", "Please report this."
            )
        finally:
            self._sessions.discard(session)
            self._doors.left()


def _take(listener: socket.socket) -> tuple[socket.socket, tuple[object, ...]]:
    sock, address = listener.accept()
    sock.setblocking(False)
    return sock, address


def _name(address: tuple[object, ...]) -> str:
    host = str(address[0])
    return f"[{host}]:{address[1]}" if ":" in host else f"{host}:{address[1]}"


def _make_way() -> None:
    """Nothing of this process may keep the bytes waiting: not the sink's thread, not the search for garbage."""
    sys.setswitchinterval(_SWITCH_SECONDS)
    gc.collect()
    gc.freeze()  # modules are no garbage
    gc.set_threshold(_OBJECTS_BETWEEN, 20, 50)
