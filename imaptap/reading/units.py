"""The units of one direction, whole: what grammar and linter read. Literals stored as bodies are passed over."""

from __future__ import annotations

import functools
from array import array
from typing import TYPE_CHECKING, NamedTuple

from imaptap.reading.pieces import Pieces
from imaptap.reading.values import ENDLESS
from proxy.imap.cutter import TEXT_WHOLE, CutUnit, UnitCutter
from proxy.imap.transcript import Certainty, Direction, Layer, Span

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from storage import Session, Store

_CERTAINTIES = list(Certainty)


class Whole(NamedTuple):
    """A unit, the span that it stands in, and under which layers its last byte came."""

    cut: CutUnit
    span: Span
    layer: Layer


class Lost(NamedTuple):
    """From here on bytes are missing or are no units; what follows in `span` may be the rest of a literal."""

    at: int
    span: Span | None = None


def units(
    store: Store, session: Session, direction: Direction, spans: Iterable[Span], *, most: int = TEXT_WHOLE
) -> Iterator[Whole | Lost]:
    """All units of these spans of one direction, which come in the order of the stream; `most` bytes of each."""
    pieces = Pieces(store, session, direction)
    for span in spans:
        yield from _units(span, pieces, most)


def _units(span: Span, pieces: Pieces, most: int) -> Iterator[Whole | Lost]:
    anew = functools.partial(UnitCutter, span.direction, most=most)
    cutter, position, layer = anew(span.start), span.start, Layer.PLAIN
    for timed in pieces.between(span.start, span.end):
        piece = timed.piece
        start, stop = max(position, piece.offset), min(piece.end, span.end)
        if start > position:
            yield Lost(span.last_at, span)
            cutter = anew(start, torn=True)
        position, layer = stop, piece.layer
        if piece.data is not None:
            data = piece.data[start - piece.offset : stop - piece.offset]
            for cut in cutter.feed(start, data, timed.time_of):
                yield Whole(cut, span, layer)
        elif not cutter.skip(start, stop - start, timed.time_of):  # behind a hole nothing announces it
            yield Lost(span.last_at, span)
            cutter = anew(stop, torn=True)
    if position < span.end != ENDLESS:
        yield Lost(span.last_at, span)
    for cut in cutter.flush():
        yield Whole(cut, span, layer)


class Spans:
    """The spans of one session by direction and offset, for someone who takes his time: no connection stays open, which
    would keep a recorder's file growing while a person reads in a pager. Some thirty bytes each, of millions perhaps.
    """

    def __init__(self, store: Store, session: Session) -> None:
        self._session = session.number
        self._columns = {side: tuple(array("Q") for _ in range(4)) for side in Direction}
        self._others: dict[tuple[Direction, int], array[int]] = {}
        for span in store.spans(session):
            values = (span.start, span.end, span.exchange or 0, _CERTAINTIES.index(span.certainty))
            for column, value in zip(self._columns[span.direction], values, strict=True):
                column.append(value)
            if span.open and span.certainty is Certainty.AMBIGUOUS:  # else it does not matter
                self._others[span.direction, span.start] = array("Q", span.open)

    def of(self, direction: Direction) -> Iterator[Span]:
        """Without times and numbers of units, in the order of the stream."""
        starts, ends, exchanges, certainties = self._columns[direction]
        for index in sorted(range(len(starts)), key=starts.__getitem__):
            start = starts[index]
            place = (self._session, exchanges[index] or None, direction, start, ends[index])
            others = tuple(self._others.get((direction, start), ()))
            yield Span(*place, 0, 0, 0, _CERTAINTIES[certainties[index]], others)
