"""The pieces of one direction, read in the order of the stream by someone who asks for one span after another."""

from __future__ import annotations

import itertools
from bisect import bisect_right
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proxy.imap.transcript import Direction
    from storage import Session, Store, StoredPiece

_KEPT_BYTES = 4 * 1024 * 1024
_CHUNK_BYTES = 200


class TimedPiece:
    """A piece, and when each of its bytes came."""

    def __init__(self, piece: StoredPiece) -> None:
        self.piece = piece
        chunks = piece.chunks or ((piece.length, piece.at),)
        self._ends = list(itertools.accumulate((length for length, _ in chunks), initial=piece.offset))[1:]
        self._ats = [at for _, at in chunks]

    def time_of(self, offset: int) -> int:
        """When the byte at `offset` came."""
        return self._ats[min(bisect_right(self._ends, offset), len(self._ats) - 1)]

    def times_of(self, start: int, end: int) -> tuple[int, int]:
        """When the first and the last one came of the bytes from `start` up to `end`."""
        ends, ats = self._ends, self._ats
        index = min(bisect_right(ends, start), len(ats) - 1)
        return ats[index], ats[index] if end <= ends[index] else self.time_of(end - 1)


class Pieces:
    """Keeps the last few: spans are many and small, pieces may be large, and pipelined commands go back a little."""

    def __init__(self, store: Store, session: Session, direction: Direction) -> None:
        self._store, self._session, self._direction = store, session, direction
        self._kept: list[TimedPiece] = []
        self._ends: list[int] = []
        self._size = 0
        self._more: Iterator[StoredPiece] = iter(())

    def between(self, start: int, end: int) -> Iterator[TimedPiece]:
        """The pieces that hold any byte from `start` up to `end`."""
        if not self._kept or not self._kept[0].piece.offset <= start <= self._ends[-1]:
            self._begin(start)
        index = bisect_right(self._ends, start)
        while index < len(self._kept) or self._take():
            timed = self._kept[index]
            if timed.piece.offset >= end:
                return
            yield timed
            index += 1
            index -= self._forget(index)
            if timed.piece.end >= end:  # no need to ask the database for what comes next
                return

    def holding(self, start: int, end: int) -> TimedPiece | None:
        """The one piece that holds all bytes from `start` up to `end` itself, if there is such a one."""
        index = bisect_right(self._ends, start)
        if index < len(self._kept):  # as nearly always
            timed, piece = self._kept[index], self._kept[index].piece
            if piece.offset <= start and end <= self._ends[index] and piece.data is not None:
                return timed
        found = list(itertools.islice(self.between(start, end), 2))
        if len(found) != 1 or found[0].piece.data is None:
            return None
        piece = found[0].piece
        return found[0] if piece.offset <= start and end <= piece.end else None

    def _begin(self, start: int) -> None:
        self._kept.clear()
        self._ends.clear()
        self._size = 0
        self._more = self._store.pieces(self._session, self._direction, start)

    def _take(self) -> bool:
        piece = next(self._more, None)
        if piece is None and self._kept:
            # The recorder may have written more since.
            self._more = self._store.pieces(self._session, self._direction, self._ends[-1])
            piece = next(self._more, None)
        if piece is None:
            return False
        self._kept.append(TimedPiece(piece))
        self._ends.append(piece.end)
        self._size += _size(piece)
        return True

    def _forget(self, passed: int) -> int:
        """Drop half of those that were passed, when all together are too large."""
        if self._size <= _KEPT_BYTES:
            return 0
        dropped = passed - passed // 2
        self._size -= sum(_size(timed.piece) for timed in self._kept[:dropped])
        del self._kept[:dropped], self._ends[:dropped]
        return dropped


def _size(piece: StoredPiece) -> int:
    """What it takes in memory: a small command's chunk takes several times its bytes, and bodies are not here."""
    return len(piece.data or b"") + _CHUNK_BYTES * (len(piece.chunks) + 2)
