"""The units of one direction, whole: what the grammar reads. Literals that are stored as bodies are passed over."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, NamedTuple

from imaptap.reading.pieces import Pieces
from proxy.imap.transcript import BODY_MIN, Certainty, Direction, Layer
from proxy.imap.units import Boundary, Literal, Unit, UnitReader

if TYPE_CHECKING:
    from collections.abc import Iterator

    from storage import Session, Store, StoredPiece

TEXT_WHOLE = 64 * 1024 * 1024
"""Bytes of a unit's text that are kept; a longer one is kept raw by the grammar (M 2.10)."""
_NOTHING = bytes(64 * 1024)
_CERTAINTIES = list(Certainty)
_LITERAL = (Boundary.LITERAL, Boundary.LITERAL_END)


class Owned(NamedTuple):
    """A unit, when its last byte came and under which layers, whose it is, and what else was open."""

    unit: Unit
    at: int
    layer: Layer
    exchange: int | None
    certainty: Certainty
    others: tuple[int, ...]


class Spans:
    """The spans of one session by direction and offset. Some thirty bytes each: a long session has millions."""

    def __init__(self, store: Store, session: Session) -> None:
        self._columns = {side: tuple(array("Q") for _ in range(4)) for side in Direction}
        self._others: dict[tuple[Direction, int], array[int]] = {}
        for span in store.spans(session):
            values = (span.start, span.end, span.exchange or 0, _CERTAINTIES.index(span.certainty))
            for column, value in zip(self._columns[span.direction], values, strict=True):
                column.append(value)
            if span.open and span.certainty is Certainty.AMBIGUOUS:  # else it does not matter
                self._others[span.direction, span.start] = array("Q", span.open)

    def of(self, direction: Direction) -> Iterator[tuple[int, int, int | None, Certainty, tuple[int, ...]]]:
        """Start, end, exchange, certainty and what else was open, in the order of the stream."""
        starts, ends, exchanges, certainties = self._columns[direction]
        for index in sorted(range(len(starts)), key=starts.__getitem__):
            others = tuple(self._others.get((direction, starts[index]), ()))
            yield starts[index], ends[index], exchanges[index] or None, _CERTAINTIES[certainties[index]], others


def units(store: Store, session: Session, spans: Spans, direction: Direction) -> Iterator[Owned]:
    """All units of one direction that belong to a span, in the order of the stream."""
    pieces = Pieces(store, session, direction)
    at, layer = 0, Layer.PLAIN
    for start, end, exchange, certainty, others in spans.of(direction):
        cutter = _Cutter(direction, start)
        for timed in pieces.between(start, end):
            piece = timed.piece
            begin, stop = max(cutter.offset, piece.offset), min(piece.end, end)
            if begin > cutter.offset:  # a hole: no unit around it is whole
                cutter = _Cutter(direction, begin, torn=True)
            at, layer = timed.time_of(stop - 1), piece.layer
            for unit in _cut(store, cutter, piece, begin, stop):
                yield Owned(unit, timed.time_of(unit.end - 1), layer, exchange, certainty, others)
        if (rest := cutter.rest()) is not None:
            yield Owned(rest, at, layer, exchange, certainty, others)


def _cut(store: Store, cutter: _Cutter, piece: StoredPiece, begin: int, stop: int) -> Iterator[Unit]:
    if piece.literal is not None:
        cutter.skip(stop - begin)
        return
    data = piece.data if piece.data is not None else store.body(piece.sha256 or "")
    yield from cutter.feed(data[begin - piece.offset : stop - piece.offset])


class _Cutter:
    """Cuts a run of units from `start` on; `torn` where the first one has lost its beginning, and is not given."""

    def __init__(self, direction: Direction, start: int, *, torn: bool = False) -> None:
        self.offset = start
        self._torn = torn
        self._reader = UnitReader(direction)
        self._begin(start)

    def feed(self, data: bytes) -> Iterator[Unit]:
        """The next bytes."""
        pos = 0
        while pos < len(data):
            boundary, end = self._reader.read(data, pos)
            self.offset += end - pos
            self._take(boundary, data[pos:end])
            pos = end
            if boundary is Boundary.UNIT:
                self._reader.take_unit()
                unit, torn, self._torn = self._unit(), self._torn, False
                if not torn:
                    yield unit

    def skip(self, length: int) -> None:
        """So many bytes of a large literal. Behind a hole nothing announces it: then they are no unit's."""
        self.offset += length
        if self._reader.literal is None:
            self._begin(self.offset)
        while length and self._reader.literal is not None:
            boundary, end = self._reader.read(_NOTHING[:length], 0)
            length -= end
            self._take(boundary, b"")

    def rest(self) -> Unit | None:
        """What does not end."""
        return self._unit() if self.offset > self._start and not self._torn else None

    def _begin(self, start: int) -> None:
        self._start = start
        self._text = bytearray()
        self._texts: list[bytes] = []
        self._literals: list[Literal] = []
        self._content = bytearray()
        self._room = TEXT_WHOLE

    def _take(self, boundary: Boundary, data: bytes) -> None:
        if boundary in _LITERAL:
            if len(self._content) < BODY_MIN:
                self._content += data
            if boundary is Boundary.LITERAL_END:
                self._end_literal()
            return
        self._text += data[: self._room]
        self._room = max(0, self._room - len(data))
        if boundary is Boundary.LINE:
            self._texts.append(bytes(self._text))
            self._text.clear()

    def _end_literal(self) -> None:
        known = self._reader.last_literal
        if known is not None:
            content = bytes(self._content) if len(self._content) == known.size < BODY_MIN else None
            start = self.offset - known.size
            self._literals.append(Literal(start, known.size, known.synchronising, known.binary, content))
        self._content.clear()

    def _unit(self) -> Unit:
        unit = Unit(self._start, self.offset, (*self._texts, bytes(self._text)), tuple(self._literals), ())
        self._begin(self.offset)
        return unit
