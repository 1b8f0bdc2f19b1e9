"""One leg of a session: the transport to the client, or to the server. It decides nothing."""

from __future__ import annotations

import asyncio
import socket
from typing import Protocol, cast

from proxy.imap.transcript import Direction, Layer


class Owner(Protocol):
    """Who is told what happens on a leg."""

    def data(self, leg: Leg, data: bytes) -> None:
        """Bytes have come."""
        ...

    def eof(self, leg: Leg) -> bool:
        """The peer will send no more; True keeps the leg open for writing."""
        ...

    def lost(self, leg: Leg, error: Exception | None) -> None:
        """The leg is closed."""
        ...

    def pressed(self, leg: Leg, *, full: bool) -> None:
        """The peer does not read fast enough, or does again."""
        ...


_FLOW = frozenset({"peer", "recorder"})
"""Reasons to hold a leg that only ask it to be slower: what still comes is passed on. All others keep it back."""


class Leg(asyncio.Protocol):
    """A connection with flow control: it is read only while nobody holds it."""

    def __init__(self, direction: Direction, owner: Owner) -> None:
        """`direction` is what is read from it: CLIENT for the leg to the client."""
        self.direction = direction
        self.layer = Layer.PLAIN
        self.closed = False
        self.transport: asyncio.Transport | None = None
        self._owner = owner
        self._held_by: set[str] = set()
        self._kept: list[bytes] = []

    @property
    def kept(self) -> bool:
        """Whether bytes have come that wait for the leg to be freed."""
        return bool(self._kept)

    def hold(self, reason: str) -> None:
        """Do not read, for this reason."""
        if not self._held_by and self.transport and not self.transport.is_closing():
            self.transport.pause_reading()
        self._held_by.add(reason)

    def free(self, reason: str) -> None:
        """This reason is gone; read when there is no other."""
        self._held_by.discard(reason)
        while self._kept and not self._held_by - _FLOW:
            self._owner.data(self, self._kept.pop(0))
        if not self._held_by and self.transport and not self.transport.is_closing():
            self.transport.resume_reading()

    def write(self, data: bytes) -> None:
        """Send; what the socket does not take is kept by the transport, and the other leg is held meanwhile."""
        if data and self.transport and not self.closed:
            self.transport.write(data)

    def close(self) -> None:
        """Close after what is written has gone out."""
        if self.transport and not self.closed:
            self.transport.close()

    def abort(self) -> None:
        """Close at once."""
        if self.transport and not self.closed:
            self.transport.abort()

    def secured(self, transport: asyncio.Transport) -> None:
        """TLS has begun: `transport` takes the place of the old one."""
        self.transport = transport
        self.layer |= Layer.TLS
        if self._held_by:
            transport.pause_reading()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio: the connection is there."""
        self.transport = cast("asyncio.Transport", transport)  # aiofastnet's has the methods, not the base class
        sock = transport.get_extra_info("socket")
        if sock is not None and sock.family != socket.AF_UNIX:
            # Nagle's algorithm against delayed ACK costs 40 ms a message; idle sessions must notice a dead peer.
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        if self._held_by:
            self.transport.pause_reading()

    def data_received(self, data: bytes) -> None:
        """asyncio: bytes have come."""
        if self._kept or self._held_by - _FLOW:
            # A transport may deliver what it had read before it was paused.
            self._kept.append(data)
            return
        self._owner.data(self, data)

    def eof_received(self) -> bool:
        """asyncio: the peer sends no more. A TLS transport closes by itself then."""
        return self._owner.eof(self) and not self.layer & Layer.TLS

    def connection_lost(self, exc: Exception | None) -> None:
        """asyncio: the connection is gone."""
        self.closed = True
        self._owner.lost(self, exc)

    def pause_writing(self) -> None:
        """asyncio: too much is waiting to be sent."""
        self._owner.pressed(self, full=True)

    def resume_writing(self) -> None:
        """asyncio: it has gone out."""
        self._owner.pressed(self, full=False)
