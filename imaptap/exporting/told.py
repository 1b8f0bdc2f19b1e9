"""A selection as the statements of a cassette: all that a store needs to have it as a recording of its own.

Of sessions of which only some exchanges are wanted the rest is missing, and told to be missing.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING, Final

from imaptap.exporting.notes import notes
from proxy.imap.transcript import Direction, Event, EventKind, Exchange, Span
from storage.cassette.telling import ended, told_recording, told_session
from storage.cassette.values import Body, Hole, Over, Said, Told, Unkept

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imaptap.exporting.selection import Range, Selection
    from storage import Session
    from storage.cassette.values import Statement

NOT_EXPORTED: Final = "not exported"
"""Name of the gap events that say so."""

_END: Final = 2**63 - 1
_PLACED = {EventKind.SECRET, EventKind.REWRITE, EventKind.VARIES}


def told(selection: Selection) -> Iterator[Statement]:
    """All that is wanted. Raises StorageError."""
    yield told_recording(selection.recording)
    if selection.session is None and selection.everything:
        yield from selection.store.recording_events(selection.recording)
    for session in selection.sessions():
        yield from told_of(selection, session)
    yield from notes(selection)


def told_of(selection: Selection, session: Session) -> Iterator[Statement]:
    """What is wanted of one session; all of it is told, nothing has to be understood. Raises StorageError."""
    statements = told_session(selection.store, ended(selection.store, session), Told.EVERYTHING)
    if not selection.everything:
        statements = _Some(selection, session).of(statements)
    for statement in statements:
        yield statement
        if isinstance(statement, Said):
            selection.progress(len(statement.data))


class _Some:
    """Lets those statements pass that are about exchanges that are wanted."""

    def __init__(self, selection: Selection, session: Session) -> None:
        self._session = session.number
        self._numbers = array("Q", (each.exchange.number for each in selection.exchanges(session)))
        self._ranges = {side: _Ranges(selection.ranges(session, side)) for side in Direction}
        self._position = dict.fromkeys(Direction, 0)
        self._told = dict.fromkeys(Direction, 0)
        """Up to where something was told of the stream; what lies between there and the position was passed over."""
        self._bodies: dict[Direction, Body] = {}
        self._now = 0

    def of(self, statements: Iterator[Statement]) -> Iterator[Statement]:
        """Of these, what is wanted."""
        for statement in statements:
            match statement:
                case Said():
                    self._now = statement.at
                    yield from self._said(statement)
                case Unkept():
                    yield from self._whole(statement, statement.direction, statement.length)
                case Hole():
                    yield from self._whole(statement, statement.direction, statement.length)
                case Body():
                    self._bodies[statement.direction] = statement
                case Over():
                    for direction in Direction:
                        yield from self._missing(direction, self._position[direction])
                    yield statement
                case _:
                    if self._wanted(statement):
                        yield statement

    def _wanted(self, statement: Statement) -> bool:
        match statement:
            case Exchange():
                return _has(self._numbers, statement.number)
            case Span():
                return statement.exchange is not None and _has(self._numbers, statement.exchange)
            case Event() if statement.kind in _PLACED and statement.direction is not None:
                return self._ranges[statement.direction].has(statement.offset or 0)
            case _:
                return True

    def _said(self, said: Said) -> Iterator[Statement]:
        direction, begin = said.direction, self._position[said.direction]
        self._position[direction] += len(said.data)
        for start, end in self._ranges[direction].within(begin, self._position[direction]):
            yield from self._missing(direction, start, hole=True)
            self._told[direction] = end
            if direction in self._bodies:
                yield self._bodies.pop(direction)
            yield said._replace(data=said.data[start - begin : end - begin])
        self._bodies.pop(direction, None)

    def _whole(self, statement: Unkept | Hole, direction: Direction, length: int) -> Iterator[Statement]:
        begin = self._position[direction]
        self._position[direction] += length
        if self._ranges[direction].has(begin):
            yield from self._missing(direction, begin, hole=True)
            self._told[direction] = self._position[direction]
            if isinstance(statement, Unkept) and direction in self._bodies:
                yield self._bodies[direction]
            yield statement
        self._bodies.pop(direction, None)

    def _missing(self, direction: Direction, end: int, *, hole: bool = False) -> Iterator[Statement]:
        """What was passed over up to here is not there."""
        start, self._told[direction] = self._told[direction], end
        if start < end:
            yield Event(self._session, self._now, EventKind.GAP, NOT_EXPORTED, "", direction, start, end - start)
            if hole:
                yield Hole(direction, end - start)


class _Ranges:
    """Stretches of a stream, in order, sixteen bytes each."""

    def __init__(self, ranges: Iterator[Range]) -> None:
        self._starts, self._ends = array("Q"), array("Q")
        for start, end in ranges:
            self._starts.append(start)
            self._ends.append(_END if end is None else end)

    def has(self, offset: int) -> bool:
        """Whether the byte there is in one of them."""
        index = bisect_right(self._starts, offset) - 1
        return index >= 0 and offset < self._ends[index]

    def within(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """What of the bytes `start` up to `end` is in them."""
        index = bisect_right(self._ends, start)
        while index < len(self._starts) and self._starts[index] < end:
            yield max(start, self._starts[index]), min(end, self._ends[index])
            index += 1


def _has(numbers: array[int], number: int) -> bool:
    index = bisect_left(numbers, number)
    return index < len(numbers) and numbers[index] == number
