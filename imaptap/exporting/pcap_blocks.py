"""Blocks of a pcapng file (draft-ietf-opsawg-pcapng), little-endian, one interface without a link layer."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from ipaddress import IPv4Address, IPv6Address

_SECTION, _INTERFACE, _NAMES, _PACKET = 0x0A0D0D0A, 1, 4, 6
_COMMENT, _APPLICATION, _NAME, _RESOLUTION = 1, 4, 2, 9
_RAW_IP = 101
_MICROSECONDS = b"\x06"
COMMENT_MOST = 2000
"""Characters of a comment."""


def section(application: str, comment: str) -> bytes:
    """The section header, and the interface that all packets are of."""
    options = [(_COMMENT, _text(comment)), (_APPLICATION, _text(application))]
    start = _block(_SECTION, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1) + _options(options))
    interface = [(_NAME, b"imaptap"), (_RESOLUTION, _MICROSECONDS)]
    return start + _block(_INTERFACE, struct.pack("<HHI", _RAW_IP, 0, 0) + _options(interface))


def name(address: IPv4Address | IPv6Address, host: str) -> bytes:
    """That this address has this name."""
    value = address.packed + host.encode("ascii", "replace") + b"\0"
    record = struct.pack("<HH", 1 if address.version == 4 else 2, len(value)) + _padded(value)
    return _block(_NAMES, record + bytes(4))


def packet(at: int, data: bytes, comments: Iterable[str] = ()) -> bytes:
    """A packet; `at` is microseconds since 1970."""
    place = struct.pack("<IIIII", 0, at >> 32 & 0xFFFFFFFF, at & 0xFFFFFFFF, len(data), len(data))
    return _block(_PACKET, place + _padded(data) + _options([(_COMMENT, _text(each)) for each in comments]))


def _block(kind: int, body: bytes) -> bytes:
    size = 12 + len(body)
    return struct.pack("<II", kind, size) + body + struct.pack("<I", size)


def _options(options: list[tuple[int, bytes]]) -> bytes:
    if not options:
        return b""
    found = (struct.pack("<HH", code, len(value)) + _padded(value) for code, value in options)
    return b"".join(found) + bytes(4)


def _text(text: str) -> bytes:
    return text[:COMMENT_MOST].encode("utf-8", "replace")


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)
