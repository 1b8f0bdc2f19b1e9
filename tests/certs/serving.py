"""A server of one connection, in a thread: enough to be checked by a blocking client."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator


@contextlib.contextmanager
def serving(context: ssl.SSLContext | None, script: tuple[bytes, ...] = ()) -> Iterator[int]:
    """The port of a server that says ``script`` (a line read between each), then speaks TLS with ``context``."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_serve, args=(listener, context, script), daemon=True)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            # Whoever was never dialled still waits in accept.
            with contextlib.suppress(OSError), socket.create_connection(listener.getsockname(), 1):
                pass
            thread.join(10)
            assert not thread.is_alive()


def _serve(listener: socket.socket, context: ssl.SSLContext | None, script: tuple[bytes, ...]) -> None:
    connection, _ = listener.accept()
    with connection, contextlib.suppress(OSError):
        connection.settimeout(10)
        for number, line in enumerate(script):
            if number:
                connection.recv(4096)
            connection.sendall(line)
        if context is not None:
            with context.wrap_socket(connection, server_side=True) as tls:
                tls.recv(1)
