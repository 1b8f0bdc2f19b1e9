"""The lines of one direction: spans cut at their line ends, literals left out or shown.

Literals that are stored as bodies are passed over without being read, so a session of any size takes little memory.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from imaptap.reading.cutter import Cutter
from imaptap.reading.pieces import Pieces
from imaptap.reading.values import ENDLESS, LeftOut

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from imaptap.reading.values import Line
    from proxy.imap.transcript import Direction, Span
    from storage import Session, Store


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
        for timed in self._pieces.between(span.start, span.end):
            piece = timed.piece
            if piece.offset > position:
                yield from cutter.hole(position, piece.offset)
            start, position = max(position, piece.offset), min(piece.end, span.end)
            if piece.literal is not None and piece.left_out is not None:
                known = LeftOut(piece.offset, piece.length, piece.left_out, piece.literal.length)
                cutter.leave_out(known, start, position - start, timed.time_of)
                continue
            if piece.literal is not None and not self._bodies:
                cutter.skip(start, position - start, timed.time_of)
                continue
            data = piece.data if piece.data is not None else self._store.body(piece.blake3 or "")
            yield from cutter.feed(start, data[start - piece.offset : position - piece.offset], timed.time_of)
        if position < span.end != ENDLESS:
            yield from cutter.hole(position, span.end)
        yield from cutter.flush()
