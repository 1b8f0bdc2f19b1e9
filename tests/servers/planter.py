"""A layer in front of a server that changes one thing in what it answers: plain on both sides, or TLS on both."""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import threading
from typing import TYPE_CHECKING, Self

from tests.servers.planting import Bed, Row

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.servers.certificates import Identity
    from tests.servers.line import Server
    from tests.servers.planting import Plant


class Planter:
    """`with Planter(server, plant) as planter:` listens on planter.port; with an `identity` it speaks TLS, and so up.

    `plant` may be another one later: what was grown is counted anew then.
    """

    def __init__(self, server: Server, plant: Plant, identity: Identity | None = None) -> None:
        self._server, self._identity = server, identity
        self._upward = ssl.create_default_context(cafile=server.ca) if identity else None
        self._downward = identity.server_context() if identity else None
        self._threads: list[threading.Thread] = []
        self._open: set[socket.socket] = set()
        self.plant(plant)

    def plant(self, plant: Plant) -> None:
        """From here on, in connections that come, it is this one."""
        self.bed = Bed(plant)

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        for each in list(self._open):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        self._listener.close()

    def _start(self, target: Callable[..., None], *words: object) -> None:
        thread = threading.Thread(target=target, args=words, name="planter")
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                caller, _ = self._listener.accept()
            except OSError:
                return
            self._start(self._serve, caller, self.bed)

    def _serve(self, caller: socket.socket, bed: Bed) -> None:
        with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
            stack.callback(caller.close)
            port = self._server.tls_port if self._identity else self._server.plain_port
            server = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
            if self._downward and self._upward:
                server = stack.enter_context(self._upward.wrap_socket(server, server_hostname="localhost"))
                caller = stack.enter_context(self._downward.wrap_socket(caller, server_side=True))
            self._open |= {caller, server}
            try:
                _pump(caller, server, Row(bed))
            finally:
                self._open -= {caller, server}


def _pump(caller: socket.socket, server: socket.socket, row: Row) -> None:
    """Until one side has ended: both have then."""
    while True:
        held = [each for each in (caller, server) if isinstance(each, ssl.SSLSocket) and each.pending()]
        for source in held or select.select([caller, server], [], [])[0]:
            data = source.recv(65536)
            if source is caller:
                row.client(data)
                server.sendall(data)
            else:
                caller.sendall(row.server(data) if data else row.rest())
            if not data:
                return
