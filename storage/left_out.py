"""Literals that are not kept: of their bytes, only where they stood, how many they were and mostly their SHA-256.

`imaptap record --max-literal` and `--bodies` ask for it (`--bodies none` and `headers` without the hash). The
announcement says how long a literal is, so nothing of it is stored
first and removed later: as it streams by, its bytes are hashed and let go. It is one row from its first byte on, which
grows with every batch, so that whoever is killed or torn off in the middle leaves the hash of what had come.

Secrets never get here: the language marks no masked literal as one (`LiteralPart`), so none of them is ever hashed
(M 7.9).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from proxy.imap.transcript import Direction, Kept

if TYPE_CHECKING:
    from _hashlib import HASH

    from proxy.imap.transcript import Layer, LiteralPart, Piece

_CHUNK_MAX: Final = 2**32 - 1  # what `storage.chunks` has room for


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A literal, or the part of one behind lost bytes or its header, as far as it has come: `length` bytes with this
    hash, which is empty where that was not to be kept either.

    `fresh` of them, the last ones, have not been told before. `chunks` are two: the first one, and all others as one
    that came with the last.
    """

    session: int
    direction: Direction
    start: int
    at: int
    layer: Layer
    literal: LiteralPart
    length: int
    chunks: tuple[tuple[int, int], ...]
    sha256: bytes
    fresh: int

    @property
    def end(self) -> int:
        """Offset of the first byte behind it."""
        return self.start + self.length


@dataclass(slots=True)
class _Run:
    """What is under way in one direction of one session."""

    session: int
    direction: Direction
    start: int
    at: int
    layer: Layer
    literal: LiteralPart
    begun: int
    next: int
    last_at: int
    fresh: int = 0
    digest: HASH | None = None

    def goes_on_with(self, piece: Piece) -> bool:
        return (self.next, self.literal, self.layer) == (piece.offset, piece.literal, piece.layer)

    def add(self, piece: Piece) -> None:
        if self.digest is not None:
            self.digest.update(piece.data)
        self.next += len(piece.data)
        self.fresh += len(piece.data)
        self.last_at = piece.chunks[-1][1] if piece.chunks else piece.at

    def tell(self) -> LeftOut:
        fresh, self.fresh = self.fresh, 0
        place = (self.session, self.direction, self.start, self.at, self.layer, self.literal)
        known = b"" if self.digest is None else self.digest.digest()
        return LeftOut(*place, self.next - self.start, self._chunks(), known, fresh)

    def _chunks(self) -> tuple[tuple[int, int], ...]:
        full, rest = divmod(self.next - self.start - self.begun, _CHUNK_MAX)
        others = [_CHUNK_MAX] * full + [rest] * bool(rest)
        return ((self.begun, self.at), *((length, self.last_at) for length in others))


def _begin(piece: Piece, literal: LiteralPart) -> _Run:
    # Not with the piece itself, which would keep its bytes.
    begun = piece.chunks[0][0] if piece.chunks else len(piece.data)
    place = (piece.session, piece.direction, piece.offset, piece.at, piece.layer)
    digest = None if literal.kept is Kept.NOTHING else hashlib.sha256()
    return _Run(*place, literal, begun, piece.offset, piece.at, digest=digest)


class Measurer:
    """Takes the pieces of literals that are not kept. Not for two threads at once."""

    def __init__(self) -> None:
        self._runs: dict[tuple[int, Direction], _Run] = {}
        self._ended: list[LeftOut] = []

    def take(self, piece: Piece, literal: LiteralPart) -> None:
        """Measure a piece of this literal, and let its bytes go."""
        key = (piece.session, piece.direction)
        run = self._runs.get(key)
        if run is None or not run.goes_on_with(piece):
            self._end(key)
            run = self._runs[key] = _begin(piece, literal)
        run.add(piece)
        if run.next >= literal.start + literal.length:
            self._end(key)

    def news(self) -> list[LeftOut]:
        """All that has grown since the last time, as it is now."""
        ended, self._ended = self._ended, []
        return ended + [run.tell() for run in self._runs.values() if run.fresh]

    def end(self, session: int) -> None:
        """Nothing more will come of this session."""
        for direction in Direction:
            self._end((session, direction))

    def give_up(self) -> None:
        """Forget all that is under way: what follows will not be joined to it."""
        self._runs.clear()
        self._ended.clear()

    def _end(self, key: tuple[int, Direction]) -> None:
        run = self._runs.pop(key, None)
        if run is not None and run.fresh:
            self._ended.append(run.tell())
