"""Scripted peers, for what a good server or client never does: early answers, injected bytes, resets.

A script is lines, one step each:

    S: text       the server says text and CRLF
    C: text       the client says text and CRLF; `...` stands for any run of bytes where it is expected
    S= text       the same without the CRLF and with \\r \\n \\xNN read as bytes; so for C=
    TLS           both sides shake hands, the server's context on one side and the client's on the other
    EOF           the other side is expected to close; what it sent before is an error
    CLOSE         close
    RESET         close with a TCP reset

`serve` plays the S side of one connection in a thread, `converse` the C side in the caller's.
"""

from __future__ import annotations

import re
import socket
import ssl
import struct
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from tests.servers.wait import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Iterator


class OffScriptError(AssertionError):
    """The other side did not say what the script says."""


@dataclass
class Player:
    """Plays one side of a script on a connected socket."""

    connection: socket.socket
    side: str
    context: ssl.SSLContext
    heard: bytearray = field(default_factory=bytearray)
    """All that the other side said."""
    pending: bytearray = field(default_factory=bytearray)

    def play(self, script: str) -> None:
        """Every step in turn. Raises OffScriptError at the first that does not come out."""
        for word, text in steps(script):
            if word in ("S:", "C:", "S=", "C="):
                data = text.encode() + b"\r\n" if word[1] == ":" else unescape(text)
                if word[0] == self.side:
                    self.connection.sendall(data)
                else:
                    self.expect(data)
            else:
                {"TLS": self.secure, "EOF": self.ended, "CLOSE": self.close, "RESET": self.reset}[word]()

    def expect(self, data: bytes) -> None:
        """Read until `data` has come, and nothing else before it."""
        pattern = re.compile(b".*?".join(re.escape(part) for part in data.split(b"...")), re.DOTALL)
        while not (found := pattern.match(self.pending)):
            ended = not self.read()
            wrong = b"..." not in data and not data.startswith(bytes(self.pending[: len(data)]))
            if ended or wrong:
                raise OffScriptError(f"{self.side} waited for {data!r} and got {bytes(self.pending)!r}, ended: {ended}")
        del self.pending[: found.end()]

    def read(self) -> bytes:
        """One read, kept; nothing at the end of the stream."""
        try:
            data = self.connection.recv(65536)
        except (ConnectionResetError, ssl.SSLEOFError):
            data = b""
        self.heard += data
        self.pending += data
        return data

    def secure(self) -> None:
        """Shake hands. What lies unread in clear text by then would be lost, so it must not be there."""
        if self.pending:
            raise OffScriptError(f"clear text before the handshake: {bytes(self.pending)!r}")
        server = self.side == "S"
        self.connection = self.context.wrap_socket(
            self.connection, server_side=server, server_hostname=None if server else "localhost"
        )

    def ended(self) -> None:
        """The other side closes without another word."""
        while self.read():
            continue
        if self.pending:
            raise OffScriptError(f"{self.side} expected the end and got {bytes(self.pending)!r}")

    def rest(self) -> bytes:
        """All that is still said until the other side closes."""
        while self.read():
            continue
        said, self.pending = bytes(self.pending), bytearray()
        return said

    def close(self) -> None:
        """The ordinary end."""
        self.connection.close()

    def reset(self) -> None:
        """The rude one: linger of no seconds makes close send RST."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()


class ScriptedServer:
    """`with ScriptedServer(script, context) as server:` plays it to each connection that comes to server.port.

    With `implicit` the handshake comes first. On leaving, what went off script in any connection is raised.
    """

    def __init__(self, script: str, context: ssl.SSLContext, *, implicit: bool = False) -> None:
        self.script = f"TLS\n{script}" if implicit else script
        self.context = context
        self.players: list[Player] = []
        self.problems: list[Exception] = []
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._acceptor = threading.Thread(target=self._accept, name="scripted server")
        self._acceptor.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._acceptor.join()
        self._listener.close()
        for thread in self._threads:
            thread.join()
        if kind is None and self.problems:
            raise self.problems[0]

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.settimeout(PATIENCE)
            player = Player(connection, "S", self.context)
            self.players.append(player)
            thread = threading.Thread(target=self._serve, args=(player,), name="scripted connection")
            self._threads.append(thread)
            thread.start()

    def _serve(self, player: Player) -> None:
        try:
            player.play(self.script)
        except (AssertionError, OSError) as problem:
            self.problems.append(problem)
        finally:
            player.connection.close()


def dial(port: int, context: ssl.SSLContext, *, implicit: bool = False) -> Player:
    """A client's side of a connection to a port on loopback. Use it with contextlib.closing."""
    connection = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    player = Player(connection, "C", context)
    if implicit:
        player.secure()
    return player


def steps(script: str) -> Iterator[tuple[str, str]]:
    """Its lines as (word, text). Empty lines and those that begin with # say nothing."""
    for line in script.splitlines():
        word, _, text = line.strip().partition(" ")
        if word and not word.startswith("#"):
            assert word in ("S:", "C:", "S=", "C=", "TLS", "EOF", "CLOSE", "RESET"), f"no such step: {line}"
            yield word, text


def unescape(text: str) -> bytes:
    """Text with \\r, \\n and \\xNN as bytes."""
    return text.encode("latin-1").decode("unicode_escape").encode("latin-1")
