"""IP packets of a TCP connection that never was: right sequence numbers, acknowledgements and checksums (RFC 9293)."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple

from proxy.imap.transcript import Direction

if TYPE_CHECKING:
    from collections.abc import Iterator
    from ipaddress import IPv4Address, IPv6Address

_MTU = 1500
_TCP = 6
_FIN, _SYN, _RST, _PSH, _ACK = 1, 2, 4, 8, 16
_UNACKED_MOST = 32 * 1024
_WINDOW, _SCALE = 0xFFFF, 7
_FIRST = {Direction.CLIENT: 1_000_000, Direction.SERVER: 2_000_000}
"""Sequence numbers to begin with. Those of the SYN: the first byte has the one behind."""
_STEP = 0x9E3779B1
"""So far apart are those of connections: of the same ports and numbers, the next one is the first one sent again."""


class End(NamedTuple):
    """Address and port of one side; both sides have addresses of the same version."""

    address: IPv4Address | IPv6Address
    port: int


class Connection:
    """Makes the packets of one connection, each from its IP header on."""

    def __init__(self, client: End, server: End, number: int = 0) -> None:
        """`number` tells it from others between the same ends."""
        self._ends = {Direction.CLIENT: client, Direction.SERVER: server}
        self._next = {direction: first + number * _STEP % 2**32 for direction, first in _FIRST.items()}
        self._acked = {direction: first + 1 for direction, first in self._next.items()}
        self._four = client.address.version == 4
        self._identification = 0
        self.mss = _MTU - (40 if self._four else 60)

    def open(self) -> Iterator[bytes]:
        """SYN, SYN and ACK, ACK."""
        client, server = Direction
        options = struct.pack("!BBHBBBB", 2, 4, self.mss, 1, 3, 3, _SCALE)
        yield self._packet(client, _SYN, options=options)
        self._next[client] += 1
        yield self._packet(server, _SYN | _ACK, options=options)
        self._next[server] += 1
        yield self._packet(client, _ACK)

    def say(self, direction: Direction, data: bytes) -> Iterator[tuple[int, bytes]]:
        """Segments of at most `mss` bytes, each with where in `data` it begins; and what the other side acknowledges
        of many, with where in `data` it stands.
        """
        for start in range(0, len(data), self.mss):
            part = data[start : start + self.mss]
            pushed = _PSH if start + len(part) == len(data) else 0
            yield start, self._packet(direction, pushed | _ACK, part)
            self._next[direction] += len(part)
            if self._next[direction] - self._acked[direction] >= _UNACKED_MOST:
                yield start + len(part), self._packet(_other(direction), _ACK)

    def lose(self, direction: Direction, length: int) -> None:
        """So many bytes were sent, and nobody has seen them."""
        self._next[direction] += length

    def close(self, first: Direction) -> Iterator[bytes]:
        """FIN of both sides, with the ACK of each."""
        second = _other(first)
        yield self._packet(first, _FIN | _ACK)
        self._next[first] += 1
        yield self._packet(second, _FIN | _ACK)
        self._next[second] += 1
        yield self._packet(first, _ACK)

    def reset(self) -> Iterator[bytes]:
        """The server side gives up at once."""
        yield self._packet(Direction.SERVER, _RST | _ACK)

    def _packet(self, direction: Direction, flags: int, data: bytes = b"", *, options: bytes = b"") -> bytes:
        other = _other(direction)
        source, target = self._ends[direction], self._ends[other]
        acknowledged = self._next[other] if flags & _ACK else 0
        if flags & _ACK:
            self._acked[other] = acknowledged
        size = 20 + len(options) + len(data)
        addresses = source.address.packed + target.address.packed
        header = struct.pack(
            "!HHIIBBHHH",
            source.port, target.port, self._next[direction] % 2**32, acknowledged % 2**32,
            (20 + len(options)) // 4 << 4, flags, _WINDOW, 0, 0,
        )  # fmt: skip
        summed = checksum(addresses + struct.pack("!II", size, _TCP) + header + options + data)
        segment = header[:16] + summed.to_bytes(2, "big") + header[18:] + options + data
        return self._ip(size, addresses) + segment

    def _ip(self, size: int, addresses: bytes) -> bytes:
        if not self._four:
            return struct.pack("!IHBB", 6 << 28, size, _TCP, 64) + addresses
        self._identification = (self._identification + 1) % 2**16
        start = struct.pack("!BBHHHBB", 0x45, 0, 20 + size, self._identification, 0x4000, 64, _TCP)
        return start + checksum(start + b"\0\0" + addresses).to_bytes(2, "big") + addresses


def checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071). 2**16 is 1 modulo 2**16 - 1, so all words add up in one division."""
    rest = int.from_bytes(data + b"\0" if len(data) % 2 else data, "big") % 0xFFFF
    return 0xFFFF - rest if rest else 0


def _other(direction: Direction) -> Direction:
    return Direction.SERVER if direction is Direction.CLIENT else Direction.CLIENT
