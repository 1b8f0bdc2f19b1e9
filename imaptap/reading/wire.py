"""The lines of one direction: spans cut at their line ends, literals left out or shown.

Literals that are stored as bodies are passed over without being read, so a session of any size takes little memory.
"""

from __future__ import annotations

import itertools
from bisect import bisect_right
from typing import TYPE_CHECKING

from imaptap.reading.cutter import Cutter
from imaptap.reading.pieces import Pieces

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from imaptap.reading.values import Line
    from proxy.imap.transcript import Direction, Span
    from storage import Session, Store, StoredPiece


class Wire:
    """One direction of a session. With `bodies`, the contents of literals are shown too."""

    def __init__(self, store: Store, session: Session, direction: Direction, *, bodies: bool) -> None:
        self._store, self._bodies = store, bodies
        self._pieces = Pieces(store, session, direction)

    def lines(self, spans: Iterable[Span]) -> Iterator[Line]:
        """The lines of these spans, which stand in the order of the stream."""
        for span in spans:
            yield from self._cut(span)

    def _cut(self, span: Span) -> Iterator[Line]:
        cutter = Cutter(span, bodies=self._bodies)
        position = span.start
        for piece in self._pieces.between(span.start, span.end):
            if piece.offset > position:
                yield from cutter.hole(position, piece.offset)
            start, position = max(position, piece.offset), min(piece.end, span.end)
            time_of = _Times(piece).at
            if piece.literal is not None and not self._bodies:
                cutter.skip(start, position - start, time_of)
                continue
            data = piece.data if piece.data is not None else self._store.body(piece.sha256 or "")
            yield from cutter.feed(start, data[start - piece.offset : position - piece.offset], time_of)
        if position < span.end:
            yield from cutter.hole(position, span.end)
        yield from cutter.flush()


class _Times:
    """When each byte of a piece came."""

    def __init__(self, piece: StoredPiece) -> None:
        chunks = piece.chunks or ((piece.length, piece.at),)
        self._ends = list(itertools.accumulate((length for length, _ in chunks), initial=piece.offset))[1:]
        self._ats = [at for _, at in chunks]

    def at(self, offset: int) -> int:
        return self._ats[min(bisect_right(self._ends, offset), len(self._ats) - 1)]
