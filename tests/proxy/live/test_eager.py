"""A TLS client that says all it has in one breath with the end of its handshake, while the server is not yet dialled.

A transport has read, and perhaps decrypted, much of it by then, and is held: it must not forget it when it is freed.
"""

from __future__ import annotations

import socket
import ssl
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from proxy.imap.transcript import Direction
from tests.proxy.live.conftest import MakeRig
from tests.proxy.live.ends import dice, literal
from tests.servers.wait import PATIENCE

GREETING = b"* OK hi\r\n"


class EagerClient:
    """A TLS client whose bytes go out when the test says so."""

    def __init__(self, port: int, context: ssl.SSLContext) -> None:
        self.connection = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self._in, self._out, server_hostname="localhost")

    def ask_for_tls(self) -> None:
        """STARTTLS."""
        assert self._line() == GREETING
        self.connection.sendall(b"s STARTTLS\r\n")
        assert self._line().startswith(b"s OK")

    def _line(self) -> bytes:
        line = bytearray()
        while not line.endswith(b"\n"):
            line += self.connection.recv(1)
        return bytes(line)

    def shake_hands(self) -> None:
        """All but the last flight: that stays here."""
        while True:
            try:
                self.tls.do_handshake()
            except ssl.SSLWantReadError:
                self.flush()
                self._in.write(self.connection.recv(65536))
            else:
                return

    def flush(self) -> None:
        """Send what has gathered."""
        self.connection.sendall(self._out.read())

    def goodbye(self) -> None:
        """The end of TLS, to go out with the rest."""
        with pytest.raises(ssl.SSLWantReadError):
            self.tls.unwrap()


@pytest.mark.parametrize("listen", ["imaps", "imap"])
@pytest.mark.parametrize("politely", [True, False])
@pytest.mark.parametrize("size", [10, 16_000, 250_000, 300_000, 2_000_000])
def test_said_in_one_breath_with_the_handshake(make_rig: MakeRig, listen: str, size: int, politely: bool) -> None:
    """It all arrives, whether the client says goodbye before its end of stream or not."""
    body = dice(size).randbytes(size)
    said = literal(body, down=False) + body + b"\r\n"
    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor() as pool:
        server = pool.submit(heard, listener, len(said))
        rig = make_rig(f"imap+insecure://127.0.0.1:{listener.getsockname()[1]}")
        with rig:
            client = EagerClient(rig.port(listen), rig.trusting)
            with closing(client.connection):
                if listen == "imap":
                    client.ask_for_tls()
                client.shake_hands()
                client.tls.write(said)
                if politely:
                    client.goodbye()
                client.flush()
                client.connection.shutdown(socket.SHUT_WR)
                assert server.result() == said
                told = rig.told()
    assert told.stream(Direction.CLIENT).endswith(said)


def heard(listener: socket.socket, count: int) -> bytes:
    """What a server reads after its greeting, up to `count` bytes or the end."""
    listener.settimeout(PATIENCE)
    connection, _ = listener.accept()
    got = bytearray()
    with connection:
        connection.settimeout(PATIENCE)
        connection.sendall(GREETING)
        while len(got) < count and (part := connection.recv(65536)):
            got += part
    return bytes(got)
