"""Whether what imaptap stored is what the server saw, secrets aside."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.servers.tee import Wire

MASK = ord("x")


@dataclass(frozen=True)
class Rewrite:
    """Bytes that were received and others that were sent on in their place."""

    direction: str
    offset: int
    received: bytes
    sent: bytes

    @classmethod
    def read(cls, entry: dict[str, Any]) -> Self:
        """From an entry of `imaptap show --json`."""
        received, sent = (base64.b64decode(entry[key] or "") for key in ("received_base64", "sent_base64"))
        return cls(entry["direction"], entry["offset"], received, sent)


@dataclass(frozen=True)
class Stored:
    """What imaptap has of one session: streams as received, masked spans as (direction, offset, length)."""

    streams: dict[str, bytes]
    secrets: Sequence[tuple[str, int, int]]
    rewrites: Sequence[Rewrite]
    ending: str = ""

    def sent_on(self, direction: str) -> tuple[bytes, bytes]:
        """The stream as it left imaptap, and of the same length which of its bytes are masked (1) or not (0)."""
        stream = self.streams[direction]
        hidden = bytearray(len(stream))
        for side, offset, length in self.secrets:
            if side == direction:
                assert stream[offset : offset + length] == bytes([MASK]) * length, "a masked span holds something else"
                hidden[offset : offset + length] = b"\1" * length
        data, marks, done = bytearray(), bytearray(), 0
        for rewrite in sorted(self.rewrites, key=lambda rewrite: rewrite.offset):
            if rewrite.direction != direction:
                continue
            end = rewrite.offset + len(rewrite.received)
            assert stream[rewrite.offset : end] == rewrite.received, "a rewrite does not fit the stream"
            data += stream[done : rewrite.offset] + rewrite.sent
            marks += hidden[done : rewrite.offset] + bytes(len(rewrite.sent))
            done = end
        return bytes(data + stream[done:]), bytes(marks + hidden[done:])


def difference(stored: Stored, wire: Wire) -> str | None:
    """Where the two part, or None. The server's bytes are compared as received, the client's as they were sent on."""
    client, server = wire.inflated()
    unchanged = Stored({"server": stored.streams["server"]}, stored.secrets, ())
    said, hidden = stored.sent_on("client")
    if stored.ending == "closed by server":
        # What a client says to a server that has already closed is on record, and reaches nobody.
        said, hidden = said[: len(client)], hidden[: len(client)]
    return _compare("client", said, hidden, client) or _compare("server", *unchanged.sent_on("server"), server)


def _compare(side: str, kept: bytes, hidden: bytes, seen: bytes) -> str | None:
    if _blank(kept, hidden) == _blank(seen, hidden):
        return None
    common = zip(kept, hidden, seen, strict=False)
    at = next((at for at, (a, mask, b) in enumerate(common) if not mask and a != b), min(len(kept), len(seen)))
    around = slice(max(0, at - 60), at + 60)
    return f"{side} at {at} of {len(kept)} stored, {len(seen)} seen: {kept[around]!r} is not {seen[around]!r}"


def _blank(data: bytes, hidden: bytes) -> bytes:
    """`data` with a zero where a byte is hidden. (As one big number: a loop in Python would take seconds.)"""
    if len(data) != len(hidden):
        return data
    mask = int.from_bytes(hidden.translate(bytes([0xFF]) + bytes(255)), "little")
    return (int.from_bytes(data, "little") & mask).to_bytes(len(data), "little")


def unmatched(stored: list[Stored], wires: list[Wire]) -> list[str]:
    """Pairs each connection of the tee with a session of its own; what could not be paired, in words."""
    left, found = list(stored), list[str]()
    for number, wire in enumerate(wires, 1):
        reasons = [difference(session, wire) for session in left]
        if None in reasons:
            del left[reasons.index(None)]
        else:
            found.append(f"connection {number} at the tee: " + "; or ".join(filter(None, reasons)))
    # A client that hangs up before its ClientHello (a port check) is recorded, but no server is dialled for it.
    spoke = [session for session in left if any(session.streams.values())]
    return found + [f"a session that no connection at the tee explains: {session.streams}"[:300] for session in spoke]
