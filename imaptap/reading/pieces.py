"""The pieces of one direction, read in the order of the stream by someone who asks for one span after another."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proxy.imap.transcript import Direction
    from storage import Session, Store, StoredPiece

_KEPT_BYTES = 4 * 1024 * 1024


class Pieces:
    """Keeps the last few: spans are many and small, pieces may be large, and pipelined commands go back a little."""

    def __init__(self, store: Store, session: Session, direction: Direction) -> None:
        self._store, self._session, self._direction = store, session, direction
        self._kept: deque[StoredPiece] = deque()
        self._more: Iterator[StoredPiece] = iter(())
        self._size = 0

    def between(self, start: int, end: int) -> Iterator[StoredPiece]:
        """The pieces that hold any byte from `start` up to `end`."""
        if not self._kept or not self._kept[0].offset <= start <= self._kept[-1].end:
            self._begin(start)
        index = 0
        while index < len(self._kept) or self._take():
            piece = self._kept[index]
            if piece.offset >= end:
                return
            if piece.end > start:
                yield piece
            index += 1
            index -= self._forget(index)

    def _begin(self, start: int) -> None:
        self._kept.clear()
        self._size = 0
        self._more = self._store.pieces(self._session, self._direction, start)

    def _take(self) -> bool:
        piece = next(self._more, None)
        if piece is None and self._kept:
            # The recorder may have written more since.
            self._more = self._store.pieces(self._session, self._direction, self._kept[-1].end)
            piece = next(self._more, None)
        if piece is None:
            return False
        self._kept.append(piece)
        self._size += len(piece.data or b"")
        return True

    def _forget(self, passed: int) -> int:
        """Drop the oldest of those that were passed, while all together are too large."""
        dropped = 0
        while dropped < passed and self._size > _KEPT_BYTES:
            self._size -= len(self._kept.popleft().data or b"")
            dropped += 1
        return dropped
