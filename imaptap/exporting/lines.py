"""What was said, line by line, both sides in the order of time: exact, and in little memory whatever was said."""

from __future__ import annotations

import enum
import heapq
from typing import TYPE_CHECKING, NamedTuple

from imaptap.exporting.line_cutter import LineCutter
from imaptap.exporting.selection import Stretch
from imaptap.reading.pieces import Pieces
from imaptap.reading.spans import Groups
from imaptap.reading.values import ENDLESS
from proxy.imap.transcript import Direction

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from imaptap.exporting.line_cutter import Cut, TimeOf
    from imaptap.exporting.selection import Selection
    from storage import Session, Store, StoredPiece


class Why(enum.Enum):
    """Why bytes are not there."""

    COLLAPSED = "collapsed"
    """They are the content of a literal, which nobody wanted to see."""
    HOLE = "hole"
    """They were never recorded."""
    LEFT_OUT = "left out"
    """They are of a literal that was not kept (`--max-literal`, `--bodies`)."""


class Said(NamedTuple):
    """A line with its line end, or a part of one that is very long; with `literal`, of the content of a literal.

    `at` is when its first byte came, `ended` when its last one did, `offset` the place of its first byte in the stream.
    """

    direction: Direction
    at: int
    ended: int
    offset: int
    data: bytes
    literal: bool
    exchange: int | None


class Absent(NamedTuple):
    """Bytes of a stream that are not there. `sha256` (hex) of those that were left out; `literal`: how long all is."""

    direction: Direction
    at: int
    ended: int
    offset: int
    length: int
    why: Why
    exchange: int | None
    sha256: str = ""
    literal: int = 0


Entry = Said | Absent


def lines(selection: Selection, session: Session, *, bodies: bool) -> Iterator[Entry]:
    """All that is wanted of a session in the order in which it was said. Without `bodies`, no content of long literals.

    Raises StorageError.
    """
    sides = (selection.stretches(session, direction) for direction in Direction)
    return merged(selection.store, session, *sides, bodies=bodies)


class ExchangeLines:
    """The lines of the exchanges of a session, for someone who asks for them in their order."""

    def __init__(self, selection: Selection, session: Session, *, bodies: bool) -> None:
        self._store, self._session, self._bodies = selection.store, session, bodies
        one = None if selection.exchange is None else selection.exchange.exchange.number
        self._groups = Groups(self._store.spans(session, one))
        self._pieces = [Pieces(self._store, session, direction) for direction in Direction]

    def of(self, exchange: int) -> Iterator[Entry]:
        """The lines of this one, to be read before another one's. Raises StorageError."""
        sides: tuple[list[Stretch], list[Stretch]] = ([], [])
        for span in self._groups.of(exchange):
            sides[span.direction].append(Stretch(span.start, span.end, exchange))
        told = (
            _side(self._store, self._session, pieces, direction, stretches, bodies=self._bodies)
            for pieces, direction, stretches in zip(self._pieces, Direction, sides, strict=True)
        )
        return heapq.merge(*told, key=_moment)


def loose_lines(selection: Selection, session: Session) -> Iterator[Entry]:
    """What was said in no exchange: the greeting, news, and what is no IMAP; literals as their lengths."""
    sides = (
        (stretch for stretch in selection.stretches(session, side) if stretch.exchange is None) for side in Direction
    )
    return merged(selection.store, session, *sides, bodies=False)


def merged(
    store: Store, session: Session, client: Iterable[Stretch], server: Iterable[Stretch], *, bodies: bool
) -> Iterator[Entry]:
    """The lines of these stretches, of each side in the order of its stream. Raises StorageError."""
    sides = zip(Direction, (client, server), strict=True)
    told = (
        _side(store, session, Pieces(store, session, direction), direction, stretches, bodies=bodies)
        for direction, stretches in sides
    )
    return heapq.merge(*told, key=_moment)


def _moment(entry: Entry) -> int:
    return entry.ended


def _side(
    store: Store, session: Session, pieces: Pieces, direction: Direction, stretches: Iterable[Stretch], *, bodies: bool
) -> Iterator[Entry]:
    for stretch in stretches:
        yield from _Stretched(store, session, direction, stretch, bodies=bodies).entries(pieces)


class _Stretched:
    """One stretch of a stream, cut into lines."""

    def __init__(self, store: Store, session: Session, direction: Direction, stretch: Stretch, *, bodies: bool) -> None:
        self._store, self._session, self._direction, self._bodies = store, session, direction, bodies
        self._stretch = stretch
        self._cutter = LineCutter(direction, bodies=bodies)
        self._at = 0
        """When the last byte came that was seen."""

    def entries(self, pieces: Pieces) -> Iterator[Entry]:
        start, end, _ = self._stretch
        for timed in pieces.between(start, ENDLESS if end is None else end):
            piece = timed.piece
            if piece.offset > start:
                yield from self._lost(start, piece.offset)
            begin, start = max(start, piece.offset), piece.end if end is None else min(piece.end, end)
            yield from self._piece(piece, timed.time_of, begin, start)
            self._at = timed.time_of(start - 1)
        yield from self._told(self._cutter.flush())
        if start < (stop := self._stop()):
            yield from self._lost(start, stop)

    def _stop(self) -> int:
        """Where the stretch ends, as far as anybody knows."""
        if self._stretch.end is not None:
            return self._stretch.end
        sizes = self._session.client_bytes, self._session.server_bytes
        return sizes[self._direction] or 0

    def _piece(self, piece: StoredPiece, time_of: TimeOf, begin: int, stop: int) -> Iterator[Entry]:
        if piece.left_out is not None:
            yield from self._told(self._cutter.flush())
            self._cutter.pass_over(stop - begin)
            literal = piece.literal.length if piece.literal else 0
            place = self._direction, time_of(begin), time_of(stop - 1), begin, stop - begin
            yield Absent(*place, Why.LEFT_OUT, self._stretch.exchange, piece.left_out, literal)
        elif piece.literal is not None and not self._bodies:
            yield from self._told(self._cutter.count(begin, stop - begin, time_of))
        else:
            data = piece.data if piece.data is not None else self._store.body(piece.blake3 or "")
            data = data[begin - piece.offset : stop - piece.offset]
            yield from self._told(self._cutter.feed(begin, data, time_of))

    def _told(self, cuts: Iterator[Cut]) -> Iterator[Entry]:
        for offset, length, at, ended, data, literal in cuts:
            if data is None:
                place = self._direction, at, ended, offset, length
                yield Absent(*place, Why.COLLAPSED, self._stretch.exchange, literal=length)
            else:
                yield Said(self._direction, at, ended, offset, data, literal, self._stretch.exchange)

    def _lost(self, start: int, stop: int) -> Iterator[Entry]:
        """Bytes that are not there. No unit is whole from here on, so reading begins anew behind them."""
        yield from self._told(self._cutter.flush())
        self._cutter = LineCutter(self._direction, bodies=self._bodies)
        yield Absent(self._direction, self._at, self._at, start, stop - start, Why.HOLE, self._stretch.exchange)
