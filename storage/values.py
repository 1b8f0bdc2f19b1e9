"""What a store gives back, besides the values of `proxy.imap.transcript` themselves.

`wall`, `started`, `ended`, `seen` and `written` here are microseconds since 1970 UTC; `at_end` counts from the
opening of the session. `id` is the row's key in its table.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from proxy.imap.transcript import Ending, Exchange, Layer, LiteralPart


class Digest(Protocol):
    """A hash that is being computed."""

    @property
    def name(self) -> str: ...
    def update(self, data: bytes, /) -> object: ...
    def digest(self) -> bytes: ...
    def hexdigest(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Recording:
    """A named set of sessions. `ended` is None while it is recorded (`live`) and after a crash (`interrupted`)."""

    id: int
    name: str
    started: int
    ended: int | None
    seen: int
    host: str
    pid: int
    version: str
    settings: str
    interrupted: bool = False

    @property
    def live(self) -> bool:
        """Whether a recorder is still writing it."""
        return self.ended is None and not self.interrupted


@dataclass(frozen=True, slots=True)
class RecordingTotals:
    """How much a recording holds: counts, bytes of both directions as said on the wire, and time of the last word."""

    sessions: int
    exchanges: int
    client_bytes: int
    server_bytes: int


@dataclass(frozen=True, slots=True)
class Session:
    """One connection. `ending` and the byte counts are None while it is live.

    In an interrupted recording they are given as `Store` computes them: `Ending.CUT` and what the pieces add up to.
    """

    id: int
    recording: Recording
    number: int
    wall: int
    at_end: int | None
    client: str
    listen: str
    upstream: str
    ending: Ending | None
    reason: str | None
    client_bytes: int | None
    server_bytes: int | None


@dataclass(frozen=True, slots=True)
class StoredExchange:
    """An exchange with its key (it grows in the order in which a recorder wrote them) and its session's."""

    id: int
    session_id: int
    exchange: Exchange


@dataclass(frozen=True, slots=True)
class StoredPiece:
    """A row of `piece`: contiguous bytes of one direction, inline (`data`), in a body (`blake3`, hex), or not kept.

    Then `left_out` is their SHA-256 in hex, or empty where that was not kept either: they are a literal that
    `--max-literal` or `--bodies` leaves out, or as much of it as came.
    """

    offset: int
    length: int
    at: int
    layer: Layer
    chunks: tuple[tuple[int, int], ...]
    literal: LiteralPart | None
    blake3: str | None
    data: bytes | None
    left_out: str | None = None

    @property
    def end(self) -> int:
        """Offset of the first byte behind it."""
        return self.offset + self.length


@dataclass(frozen=True, slots=True)
class Note:
    """A remark of a person on a recording, on one of its sessions, or on one exchange."""

    id: int
    recording_id: int
    session_id: int | None
    exchange_id: int | None
    written: int
    text: str


@dataclass(frozen=True, slots=True)
class Removed:
    """What a removal took away: names of recordings, number of bodies nobody needed any more, bytes given back."""

    recordings: tuple[str, ...] = ()
    bodies: int = 0
    bytes_freed: int = 0
