"""The listener: binds, accepts, starts a session for each client, and stops them all when asked to."""

from __future__ import annotations

import asyncio
import errno
import itertools
import socket
from typing import Any

from certs.authority import Authority
from certs.contexts import OwnLeaf, ServerContexts
from proxy.live.endpoint import Endpoint
from proxy.live.errors import LiveError
from proxy.live.notices import Notices, Tell
from proxy.live.session import Place, Session
from proxy.live.settings import Compress, Settings
from proxy.live.sink import Sink
from proxy.live.tap import Tap, Ticker
from proxy.live.transport import slow_down
from proxy.live.upstream import Upstream

_BACKLOG = 1024
_PAUSE = 0.1
_EXHAUSTED = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})


class Recorder:
    """Everything of one `imaptap record` that has sockets."""

    def __init__(
        self, settings: Settings, authority: Authority, sink: Sink, tell: Tell, own_leaves: dict[str, OwnLeaf]
    ) -> None:
        """Raises CertificateError for certificates and CA files that are not usable."""
        self._settings = settings
        self._sink = sink
        self._notices = Notices(tell)
        self._upstream = Upstream(settings)
        self._authority = authority
        self._own_leaves = own_leaves
        self._ticker = Ticker()
        self._numbers = itertools.count(1)
        self._sessions: set[Session] = set()
        self._places: list[tuple[Place, list[socket.socket]]] = []
        self._sockets: list[socket.socket] = []
        self._stopping = False

    def listen(self) -> tuple[Endpoint, ...]:
        """Bind all listening sockets. Returns them with the ports they got; raises LiveError when one cannot be had."""
        try:
            for endpoint in self._settings.listen:
                self._listen(endpoint)
            self._need_another_upstream()
        except Exception:
            self._close_sockets()
            raise
        return tuple(place.listen for place, _ in self._places)

    def _listen(self, endpoint: Endpoint) -> None:
        sockets = _bind(endpoint)
        bound = endpoint.at_port(sockets[0].getsockname()[1])
        self._sockets += sockets
        default = self._settings.upstream_for(bound.port, None)
        contexts = ServerContexts(
            self._authority, default.host, own_leaves=self._own_leaves, keylog=self._settings.keylog
        )
        self._places.append((Place(self._settings, bound, contexts, self._upstream, self._notices), sockets))

    def _need_another_upstream(self) -> None:
        """Raise LiveError where a client would come back to us, and again, until the files run out."""
        ours = {sock.getsockname()[:2] for sock in self._sockets}
        ports = {port for _, port in ours}
        for endpoint in (self._settings.upstream, *self._settings.routes.values()):
            if endpoint.port in ports and any((host, endpoint.port) in ours for host in _addresses(endpoint)):
                raise LiveError(
                    f"The server {endpoint.url} is this recorder itself.", "Listen on another port, or name the server."
                )

    def _close_sockets(self) -> None:
        for sock in self._sockets:
            sock.close()

    async def run(self, stop: asyncio.Event) -> None:
        """Accept clients until `stop` is set; then end their sessions and wait for them."""
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(self._complain)
        if self._settings.keylog:
            slow_down(loop)
        async with asyncio.TaskGroup() as tasks:
            for place, sockets in self._places:
                for sock in sockets:
                    self._watch(place, sock, tasks)
            try:
                await stop.wait()
            finally:
                self._stopping = True
                for sock in self._sockets:
                    loop.remove_reader(sock)
                self._close_sockets()
                for session in list(self._sessions):
                    session.cut()

    def _complain(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """What the event loop could tell nobody else. It would print it, traffic and all."""
        error = context.get("exception")
        # aiofastnet complains of every peer that hangs up during a handshake, with the class for an exception.
        if error is not ConnectionResetError and not isinstance(error, OSError):
            what = f"{context.get('message', 'something')} ({type(error).__name__})"
            self._notices.say(f"The event loop reports a fault: {what}.", "Please report this.")

    def _watch(self, place: Place, listener: socket.socket, tasks: asyncio.TaskGroup) -> None:
        if not self._stopping:
            asyncio.get_running_loop().add_reader(listener, self._accept, place, listener, tasks)

    def _accept(self, place: Place, listener: socket.socket, tasks: asyncio.TaskGroup) -> None:
        """Take one client. (`loop.sock_accept` would lose one that comes while its task is being cancelled.)"""
        try:
            sock, address = _take(listener)
        except OSError as error:
            if error.errno in _EXHAUSTED:
                self._rest(place, listener, tasks)
            return  # else that client is gone already
        tasks.create_task(self._serve(place, sock, _name(address)))

    def _rest(self, place: Place, listener: socket.socket, tasks: asyncio.TaskGroup) -> None:
        loop = asyncio.get_running_loop()
        loop.remove_reader(listener)
        loop.call_later(_PAUSE, self._watch, place, listener, tasks)
        self._notices.once(
            "A client cannot be accepted: this process has too many open files.", "Raise the limit (ulimit -n)."
        )

    async def _serve(self, place: Place, sock: socket.socket, peer: str) -> None:
        if self._stopping:
            sock.close()
            return
        decode = self._settings.compress is not Compress.OPAQUE
        tap = Tap(next(self._numbers), self._sink, self._ticker, decode=decode)
        session = Session(place, sock, peer, tap)
        self._sessions.add(session)
        try:
            await session.run()
        except Exception as error:  # noqa: BLE001 - one session's fault must not end the others
            sock.close()
            self._notices.say(
                f"Session {tap.session} could not be ended: {type(error).__name__}.", "Please report this."
            )
        finally:
            self._sessions.discard(session)


def _take(listener: socket.socket) -> tuple[socket.socket, tuple[object, ...]]:
    sock, address = listener.accept()
    sock.setblocking(False)
    return sock, address


def _name(address: tuple[object, ...]) -> str:
    host = str(address[0])
    return f"[{host}]:{address[1]}" if ":" in host else f"{host}:{address[1]}"


def _addresses(endpoint: Endpoint) -> set[str]:
    """The addresses of a server; for one on this machine also those that stand for all of its addresses."""
    try:
        found = socket.getaddrinfo(endpoint.host, endpoint.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return set()  # dialling it will say so
    addresses = {str(address[0]) for *_, address in found}
    here = any(address == "::1" or address.startswith("127.") for address in addresses)
    return addresses | ({"0.0.0.0", "::"} if here else set())  # noqa: S104 - compared, not bound


def _bind(endpoint: Endpoint) -> list[socket.socket]:
    """Listening sockets for every address of the host, all on one port."""
    try:
        found = socket.getaddrinfo(endpoint.host, endpoint.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as error:
        raise LiveError(
            f"Cannot listen on {endpoint.url}: the name {endpoint.host} was not found.", "Use localhost or an address."
        ) from error
    sockets: list[socket.socket] = []
    failure: OSError | None = None
    for family, kind, protocol, _, address in dict.fromkeys(found):
        port = sockets[0].getsockname()[1] if sockets else endpoint.port
        try:
            sockets.append(_bind_one(family, kind, protocol, (address[0], port, *address[2:])))
        except OSError as error:
            # A machine may know ::1 as localhost and yet have no IPv6; a port in use is another matter.
            if error.errno not in {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}:
                for sock in sockets:
                    sock.close()
                raise _not_bound(endpoint, error) from error
            failure = error
    if not sockets:
        raise _not_bound(endpoint, failure or OSError(errno.EADDRNOTAVAIL, "no address"))
    return sockets


def _bind_one(family: int, kind: int, protocol: int, address: tuple[object, ...]) -> socket.socket:
    sock = socket.socket(family, kind, protocol)
    try:
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind(address)
        sock.listen(_BACKLOG)
    except OSError:
        sock.close()
        raise
    return sock


def _not_bound(endpoint: Endpoint, error: OSError) -> LiveError:
    if error.errno == errno.EADDRINUSE:
        hint = f"Another program has port {endpoint.port}; choose another one with --listen, or 0 for any that is free."
    elif error.errno == errno.EACCES:
        hint = "Ports below 1024 are for root; choose a higher one with --listen."
    else:
        hint = "Choose an address of this machine with --listen."
    reason = (error.strerror or str(error)).lower()
    return LiveError(f"Cannot listen on {endpoint.url}: {reason}.", hint)
