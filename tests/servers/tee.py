"""A transparent tee in front of a server's port: keeps every byte of both directions in clear text.

What the server saw is the measure for what imaptap stored, so the tee stands between the two. In front of a TLS port it
ends the TLS of its caller with a certificate of its own and speaks TLS to the server again (`implicit`); in front of a
STARTTLS port it passes clear text until the server's OK to STARTTLS, then does the same (`starttls`).
"""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
import struct
import threading
import time
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Self

from tests.servers.wait import until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.servers.certificates import Identity

Mode = Literal["plain", "starttls", "implicit"]

GOODBYE = 1.0
"""Seconds that a side has to answer the end of TLS. Some servers never do, and tests wait for connections to end."""

STARTTLS = re.compile(rb"(?:^|\r\n)(\S+) STARTTLS\r?\n\Z", re.IGNORECASE)
COMPRESS = re.compile(rb"^(\S+) COMPRESS DEFLATE\r?\n", re.IGNORECASE | re.MULTILINE)


@dataclass(eq=False)
class Wire:
    """One connection as it went by: what the caller sent and what the server answered."""

    client: bytearray = field(default_factory=bytearray)
    server: bytearray = field(default_factory=bytearray)
    open: bool = True
    came: float = field(default_factory=time.time)
    went: float | None = None
    torn: bool = False
    """Whether the tee itself was asked to reset it."""

    def over(self) -> None:
        """The server's side has ended, and nothing more goes by."""
        self.went, self.open = time.time(), False

    def inflated(self) -> tuple[bytes, bytes]:
        """Both directions with what follows a successful COMPRESS decoded, which is how imaptap keeps them."""
        for asked in COMPRESS.finditer(self.client):
            answer = re.search(rb"^" + re.escape(asked[1]) + rb" OK [^\n]*\n", self.server, re.MULTILINE)
            if answer:
                return _inflate(self.client, asked.end()), _inflate(self.server, answer.end())
        return bytes(self.client), bytes(self.server)


def _inflate(stream: bytearray, start: int) -> bytes:
    return bytes(stream[:start]) + zlib.decompressobj(-zlib.MAX_WBITS).decompress(stream[start:])


class Tee:
    """`with Tee(mode, port, ca, identity) as tee:` listens on tee.port until the block ends."""

    def __init__(self, mode: Mode, server_port: int, server_ca: Path, identity: Identity) -> None:
        self.mode: Mode = mode
        self.server_port = server_port
        self.upward = ssl.create_default_context(cafile=server_ca)
        self.downward = identity.server_context()
        self.ca = identity.ca
        self.wires: list[Wire] = []
        self.callers: list[_Caller] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="tee")

    def __enter__(self) -> Self:
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def finished(self, number: int) -> list[Wire]:
        """Waits until `number` connections have come and all that came have ended."""
        until(
            lambda: len(self.wires) >= number and not any(wire.open for wire in self.wires),
            f"{number} connections to come and end at the tee",
            explain=lambda: repr([(wire.open, len(wire.client), len(wire.server)) for wire in self.wires]),
        )
        return list(self.wires)

    def reset(self, wire: Wire) -> None:
        """Tear a connection off, as a router does that has forgotten it: both sides get a reset."""

        def tear() -> None:
            caller = next((caller for caller in self.callers if caller.wire is wire), None)
            if caller is None or not wire.open:
                return
            wire.torn = True
            for leg in (caller, getattr(caller, "peer", None)):
                if leg is not None:
                    sock = leg.transport.get_extra_info("socket")
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    leg.transport.abort()

        self._loop.call_soon_threadsafe(tear)

    def forget(self, wire: Wire) -> None:
        """Give back the memory of a connection that has ended."""

        def drop() -> None:
            self.wires.remove(wire)
            self.callers[:] = [caller for caller in self.callers if caller.wire is not wire]

        self._loop.call_soon_threadsafe(drop)

    async def _listen(self) -> asyncio.Server:
        secured = self.downward if self.mode == "implicit" else None
        return await self._loop.create_server(
            lambda: _Caller(self), "127.0.0.1", 0, ssl=secured, ssl_shutdown_timeout=secured and GOODBYE
        )

    async def _close(self) -> None:
        self._server.close()
        for caller in self.callers:
            caller.transport.abort()
            if hasattr(caller, "peer"):
                caller.peer.transport.abort()
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class _Leg(asyncio.Protocol):
    """One side of a connection; hands all it reads to the other side."""

    peer: _Leg
    transport: asyncio.Transport
    ended = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def pause_writing(self) -> None:
        self.peer.transport.pause_reading()

    def resume_writing(self) -> None:
        self.peer.transport.resume_reading()

    def eof_received(self) -> bool:
        self.ended = True
        if not self.peer.ended and self.peer.transport.can_write_eof():
            self.peer.transport.write_eof()
            return True
        self.peer.transport.close()
        return False

    def connection_lost(self, _: Exception | None) -> None:
        self.peer.transport.close()


class _Caller(_Leg):
    """Toward imaptap. Nothing is read from it until the server is reached."""

    def __init__(self, tee: Tee) -> None:
        self.tee = tee
        self.wire = Wire()
        self.upgrade: bytes | None = None
        self.lost = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.tee.wires.append(self.wire)
        self.tee.callers.append(self)
        self.transport.pause_reading()
        self.task = self.tee._loop.create_task(self._dial())

    async def _dial(self) -> None:
        tee = self.tee
        secured = tee.upward if tee.mode == "implicit" else None
        try:
            _, peer = await tee._loop.create_connection(
                lambda: _Server(self),
                "127.0.0.1",
                tee.server_port,
                ssl=secured,
                server_hostname=secured and "localhost",
                ssl_shutdown_timeout=secured and GOODBYE,
            )
        except OSError:
            self.wire.over()
            self.transport.abort()
            return
        self.peer = peer
        if self.lost:
            peer.transport.close()
        else:
            self.transport.resume_reading()

    def data_received(self, data: bytes) -> None:
        self.wire.client += data
        if self.tee.mode == "starttls" and self.upgrade is None and (asked := STARTTLS.search(self.wire.client)):
            self.upgrade = asked[1]
        self.peer.transport.write(data)

    def connection_lost(self, _: Exception | None) -> None:
        self.lost = True
        if hasattr(self, "peer"):
            self.peer.transport.close()

    async def secure(self, answer: bytes) -> None:
        """The server has said OK: its side first, then the answer goes down and the caller may say hello."""
        loop, server = self.tee._loop, self.peer
        try:
            server.transport = await _start_tls(loop, server, self.tee.upward, "localhost")
            self.transport.write(answer)
            self.transport = await _start_tls(loop, self, self.tee.downward)
        except (OSError, ssl.SSLError):
            self.transport.abort()
            server.transport.abort()


async def _start_tls(
    loop: asyncio.AbstractEventLoop, leg: _Leg, context: ssl.SSLContext, name: str | None = None
) -> asyncio.Transport:
    secured = await loop.start_tls(
        leg.transport, leg, context, server_side=name is None, server_hostname=name, ssl_shutdown_timeout=GOODBYE
    )
    assert secured is not None
    return secured


class _Server(_Leg):
    """Toward the server."""

    def __init__(self, caller: _Caller) -> None:
        self.peer: _Leg = caller
        self.caller = caller

    def data_received(self, data: bytes) -> None:
        caller = self.caller
        caller.wire.server += data
        if caller.upgrade and data.startswith(caller.upgrade + b" OK"):
            caller.upgrade = b""  # once: whatever comes next is inside TLS
            self.transport.pause_reading()
            caller.task = caller.tee._loop.create_task(caller.secure(data))
        else:
            if caller.upgrade and b"\n" in data:
                caller.upgrade = None
            self.peer.transport.write(data)

    def connection_lost(self, _: Exception | None) -> None:
        super().connection_lost(_)
        self.caller.wire.over()
