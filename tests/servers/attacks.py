"""Clients that mean harm, one function each, and the server that helps them (`tests.servers.villain`).

Each plays one session, or many, against the ports of a recorder in front of the villain; it returns when it has done
its worst. Sizes are for `make test`; `scale` makes them larger.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self

from tests.servers.wait import PATIENCE

MIB = 1 << 20
GARBAGE = bytes(range(256)) * 40


class VillainServer:
    """`with VillainServer() as server:` runs it in a process of its own; clients find it at `server.port`."""

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "tests.servers.villain"]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout
        self.port = int(self._process.stdout.readline())
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate(timeout=PATIENCE)


@dataclass
class Target:
    """The ports of a recorder, and what clients need to trust it."""

    plain: int
    tls: int
    context: ssl.SSLContext
    scale: int = 1
    held: list[socket.socket] = field(default_factory=list)
    """Connections that shall stay open until the attack is over."""

    def dial(self, *, tls: bool = False) -> socket.socket:
        """A connection to it."""
        sock = socket.create_connection(("127.0.0.1", self.tls if tls else self.plain), timeout=3 * PATIENCE)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self.context.wrap_socket(sock, server_hostname="localhost") if tls else sock

    def login(self) -> Session:
        """A session that is logged in."""
        session = Session(self.dial())
        session.until(b"\n")
        session.ask(b"l LOGIN bob secret\r\n", b"l OK")
        return session

    def release(self) -> None:
        """Close what was held."""
        for sock in self.held:
            sock.close()
        self.held.clear()


class Session:
    """A client's side that knows how to wait."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.tail = b""

    def until(self, end: bytes) -> None:
        """Read up to what contains `end`, and forget what came before it."""
        while end not in self.tail:
            data = self.sock.recv(MIB)
            if not data:
                raise ConnectionError(f"ended before {end!r}")
            self.tail = self.tail[-len(end) :] + data
        self.tail = self.tail.partition(end)[2]

    def ask(self, command: bytes, end: bytes) -> None:
        """Say it and wait for the answer."""
        self.sock.sendall(command)
        self.until(end)

    def finish(self) -> None:
        """Say that no more comes, hear the server out, and hang up: nothing of what was said is lost in a reset."""
        self.sock.shutdown(socket.SHUT_WR)
        self.drain()
        self.close()

    def close(self) -> None:
        """Hang up."""
        self.sock.close()

    def drain(self) -> None:
        """Read and forget up to the end."""
        with contextlib.suppress(OSError):
            while self.sock.recv(MIB):
                pass


Attack = Callable[[Target], None]


def sends_nothing(target: Target) -> None:
    """A hundred clients that connect and wait, half of them at the TLS port."""
    for number in range(100 * target.scale):
        port = target.tls if number % 2 else target.plain
        target.held.append(socket.create_connection(("127.0.0.1", port), timeout=PATIENCE))


def half_a_hello(target: Target) -> None:
    """A hundred clients that begin a TLS handshake and never go on."""
    for _ in range(100 * target.scale):
        sock = socket.create_connection(("127.0.0.1", target.tls), timeout=PATIENCE)
        sock.sendall(b"\x16\x03\x01\x02\x00\x01")
        target.held.append(sock)


def byte_by_byte(target: Target) -> None:
    """A line that comes one byte at a time."""
    session = target.login()
    session.sock.sendall(b"a SEARCH ")
    for _ in range(5000 * target.scale):
        session.sock.send(b"1")
    session.ask(b"\r\n", b"a OK")
    session.close()


def never_reads(target: Target) -> None:
    """A client that asks for a great deal and does not read it."""
    session = target.login()
    session.sock.sendall(b"a XZEROS %d\r\n" % (64 * MIB * target.scale))
    target.held.append(session.sock)


def endless_line(target: Target) -> None:
    session = target.login()
    session.sock.sendall(b"a SEARCH ")
    for _ in range(16 * target.scale):
        session.sock.sendall(b"1234567 " * (MIB // 8))
    session.close()


def endless_tag(target: Target) -> None:
    sock = target.dial()
    for _ in range(16 * target.scale):
        sock.sendall(b"t" * MIB)
    sock.close()


def tiny_commands(target: Target) -> None:
    """Pipelined, 4,000 at a time, and read as they are answered."""
    session = target.login()
    for number in range(target.scale):
        session.ask(b"a NOOP\r\n" * 4_000 + b"z%d NOOP\r\n" % number, b"z%d OK" % number)
    session.close()


def lines_of_two_bytes(target: Target) -> None:
    """As fast as they can be sent, by a client that is gone then."""
    session = target.login()
    for _ in range(target.scale):
        session.sock.sendall(b"a\n" * 8_000)
    session.close()


def largest_literal(target: Target) -> None:
    """With commands in it, which the villain takes for commands."""
    session = target.login()
    with contextlib.suppress(ConnectionError):
        session.sock.sendall(b"a APPEND x {9223372036854775807+}\r\n")
        for _ in range(8 * target.scale):
            session.sock.sendall(b"b LOGOUT\r\n" * (MIB // 10))
    session.close()


def nested_parentheses(target: Target) -> None:
    session = target.login()
    session.ask(b"a SEARCH " + b"(" * 10**6 + b")" * 10**6 + b"\r\n", b"a OK")
    session.close()


def nonsense(target: Target) -> None:
    """NULs, no UTF-8, line ends anywhere: before a login and after it."""
    for session in (Session(target.dial()), target.login()):
        for _ in range(8 * target.scale):
            session.sock.sendall(GARBAGE * 10)
        session.close()


def tls_garbage(target: Target) -> None:
    """Where TLS is due: no hello, a hello that means nothing, and garbage behind half a handshake."""
    for number in range(30 * target.scale):
        sock = socket.create_connection(("127.0.0.1", target.tls), timeout=PATIENCE)
        sock.sendall((GARBAGE, b"\x16\x03\x01\x02\x00" + GARBAGE, b"\x80\x2e\x01\x03\x01" + GARBAGE)[number % 3])
        with contextlib.suppress(OSError):
            sock.recv(100)
        sock.close()


def tls_on_the_plain_port(target: Target) -> None:
    with contextlib.suppress(OSError):
        target.context.wrap_socket(target.dial(), server_hostname="localhost")


def connection_flood(target: Target) -> None:
    """Connections that are closed or reset as soon as they are there."""
    for number in range(300 * target.scale):
        port = target.tls if number % 3 else target.plain
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as sock:
            if number % 2:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def many_at_once(target: Target) -> None:
    """Connections that stay; each has its server's."""
    for _ in range(300 * target.scale):
        sock = target.dial()
        target.held.append(sock)
    for sock in target.held:
        assert sock.recv(100).startswith(b"* OK")


def compressed(target: Target) -> Session:
    """A session whose bytes are deflated from here on."""
    session = target.login()
    session.ask(b"c COMPRESS DEFLATE\r\n", b"c OK done\r\n")
    return session


def deflate_bomb(target: Target) -> None:
    """64 MiB of zeros in a letter, out of 64 KiB."""
    session = compressed(target)
    stream = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    session.sock.sendall(stream.compress(b"a APPEND x {1073741824+}\r\n") + stream.flush(zlib.Z_SYNC_FLUSH))
    block = stream.compress(bytes(MIB)) + stream.flush(zlib.Z_FULL_FLUSH)
    for _ in range(64 * target.scale):
        session.sock.sendall(block)
    session.finish()


def bomb_of_lines(target: Target) -> None:
    """A million lines out of a few KiB."""
    session = compressed(target)
    stream = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    session.sock.sendall(stream.compress(b"\n" * 10**6 * target.scale) + stream.flush(zlib.Z_SYNC_FLUSH))
    session.close()


def server_bomb(target: Target) -> None:
    """64 MiB of zeros from the server, compressed."""
    session = compressed(target)
    stream = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    command = b"a XZEROS %d\r\n" % (64 * MIB * target.scale)
    session.sock.sendall(stream.compress(command + b"b LOGOUT\r\n") + stream.flush(zlib.Z_SYNC_FLUSH))
    session.drain()
    session.close()


def asking(command: bytes) -> Attack:
    """A client that has the villain do its work, and reads what comes."""

    def attack(target: Target) -> None:
        session = target.login()
        session.ask(b"a %s\r\n" % command.replace(b"*", b"%d" % target.scale), b"a OK")
        session.close()

    return attack


def server_is_mute(target: Target) -> None:
    """A server that never answers again; the client waits."""
    session = target.login()
    session.sock.sendall(b"a XMUTE\r\nb NOOP\r\n")
    target.held.append(session.sock)


def server_never_reads(target: Target) -> None:
    """A client that sends as much as it can to a server that takes none of it."""
    session = target.login()
    session.ask(b"a XDEAF\r\n", b"a OK")
    session.sock.settimeout(0.5)
    with contextlib.suppress(TimeoutError):
        session.sock.sendall(b"b APPEND x {1073741824+}\r\n")
        for _ in range(64 * target.scale):
            session.sock.sendall(bytes(MIB))
    target.held.append(session.sock)


def server_resets(target: Target) -> None:
    session = target.login()
    session.sock.sendall(b"a XRESET\r\n")
    session.drain()
    session.close()


ATTACKS: dict[str, Attack] = {
    "clients that send nothing": sends_nothing,
    "clients with half a ClientHello": half_a_hello,
    "a client that sends byte by byte": byte_by_byte,
    "a client that never reads": never_reads,
    "an endless line": endless_line,
    "an endless tag": endless_tag,
    "tiny pipelined commands": tiny_commands,
    "lines of two bytes": lines_of_two_bytes,
    "a literal of 2^63-1 bytes": largest_literal,
    "10^6 nested parentheses": nested_parentheses,
    "nonsense": nonsense,
    "TLS garbage": tls_garbage,
    "TLS on the plain port": tls_on_the_plain_port,
    "a connection flood": connection_flood,
    "many connections at once": many_at_once,
    "a deflate bomb": deflate_bomb,
    "a deflate bomb of lines": bomb_of_lines,
    "a deflate bomb of the server's": server_bomb,
    "a server that talks": asking(b"XTALK *00000"),
    "a server's endless line": asking(b"XLINE *6000000"),
    "a server's 10^6 nested parentheses": asking(b"XNEST 1000000"),
    "a server's nonsense": asking(b"XNONSENSE *000000"),
    "a server that sends byte by byte": asking(b"XDRIP *000"),
    "a server with terminal escapes": asking(b"XESCAPES"),
    "a server's literal that lies": asking(b"XLIE"),
    "a server that is mute": server_is_mute,
    "a server that never reads": server_never_reads,
    "a server that resets": server_resets,
}
