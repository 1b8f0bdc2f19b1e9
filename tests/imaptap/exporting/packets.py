"""A pcapng file read again: packets, comments, names, and the streams that their segments carry."""

from __future__ import annotations

import ipaddress
import struct
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Segment:
    """A TCP segment; `source` and `target` are address and port."""

    at: int
    source: tuple[str, int]
    target: tuple[str, int]
    number: int
    acknowledged: int
    flags: str
    data: bytes
    comments: tuple[str, ...]
    sums: tuple[bool, ...]
    """Whether its checksums are right."""
    options: bytes


@dataclass
class Capture:
    """All that is in a file."""

    segments: list[Segment] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)
    about: list[str] = field(default_factory=list)

    def stream(self, source: tuple[str, int], target: tuple[str, int]) -> bytes:
        """What was said in one direction: every byte in the place that its sequence number says, holes as `?`."""
        mine = [each for each in self.segments if (each.source, each.target) == (source, target)]
        first = next(each.number for each in mine if "S" in each.flags) + 1
        said = bytearray()
        for each in mine:
            place = each.number - first
            if each.data:
                said += b"?" * (place - len(said))
                assert place == len(said), "a byte comes twice"
                said += each.data
        return bytes(said)


def read(data: bytes) -> Capture:
    """Read the blocks. Whatever is not as the format says fails."""
    found, pos, linktype = Capture(), 0, None
    while pos < len(data):
        kind, size = struct.unpack_from("<II", data, pos)
        assert size % 4 == 0
        assert struct.unpack_from("<I", data, pos + size - 4) == (size,)
        body = data[pos + 8 : pos + size - 4]
        pos += size
        if kind == 0x0A0D0D0A:
            assert struct.unpack_from("<IHHq", body) == (0x1A2B3C4D, 1, 0, -1)
            found.about = [value.decode() for code, value in _options(body[16:]) if code == 1]
        elif kind == 1:
            linktype = struct.unpack_from("<H", body)[0]
            assert (9, b"\x06") in _options(body[8:])
        elif kind == 4:
            code, length = struct.unpack_from("<HH", body)
            width = 4 if code == 1 else 16
            name = body[4 + width : 4 + length]
            assert name.endswith(b"\0")
            found.names[str(ipaddress.ip_address(body[4 : 4 + width]))] = name[:-1].decode()
        else:
            assert kind == 6
            assert linktype == 101
            _, high, low, size, original = struct.unpack_from("<IIIII", body)
            assert size == original
            comments = tuple(value.decode() for code, value in _options(body[20 + size + -size % 4 :]) if code == 1)
            found.segments.append(_segment(high << 32 | low, body[20 : 20 + size], comments))
    return found


def _options(data: bytes) -> list[tuple[int, bytes]]:
    found, pos = [], 0
    while pos < len(data):
        code, size = struct.unpack_from("<HH", data, pos)
        if code == 0:
            assert pos + 4 == len(data)
            break
        found.append((code, data[pos + 4 : pos + 4 + size]))
        pos += 4 + size + -size % 4
    return found


def _segment(at: int, packet: bytes, comments: tuple[str, ...]) -> Segment:
    if packet[0] >> 4 == 4:
        length, protocol = struct.unpack_from("!H", packet, 2)[0], packet[9]
        addresses, start, good = (packet[12:16], packet[16:20]), 20, (_sum(packet[:20]) == 0xFFFF,)
    else:
        length, protocol = struct.unpack_from("!H", packet, 4)[0] + 40, packet[6]
        addresses, start, good = (packet[8:24], packet[24:40]), 40, ()
    assert length == len(packet)
    assert protocol == 6
    tcp = packet[start:]
    pseudo = b"".join(addresses) + struct.pack("!II", len(tcp), 6)
    source, target, number, acknowledged, offset, flags = struct.unpack_from("!HHIIBB", tcp)
    names = "".join(name for bit, name in ((1, "F"), (2, "S"), (4, "R"), (8, "P"), (16, "A")) if flags & bit)
    begin = (offset >> 4) * 4
    ends = [str(ipaddress.ip_address(each)) for each in addresses]
    sums = (*good, _sum(pseudo + tcp) == 0xFFFF)
    return Segment(
        at,
        (ends[0], source),
        (ends[1], target),
        number,
        acknowledged,
        names,
        tcp[begin:],
        comments,
        sums,
        tcp[20:begin],
    )


def _sum(data: bytes) -> int:
    """Word by word, as RFC 1071 has it."""
    data += bytes(len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total
