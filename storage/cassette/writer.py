"""A cassette, written: statements in, lines out. The same statements make the same lines, however bytes are cut."""

from __future__ import annotations

import base64
import itertools
from collections import deque
from typing import TYPE_CHECKING, Final

from proxy.imap.transcript import Direction, Event, EventKind, Layer
from storage.cassette import lines, words
from storage.cassette.escapes import Line, Mark, awkward, named, signed, write_line
from storage.cassette.literals import Literals
from storage.cassette.values import FIRST_LINE, TURN, Begun, Body, Hole, Over, Placeholder, Said, Told, Unkept

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from storage.cassette.values import Statement

_LONGEST: Final = 8192
"""Longer lines are broken, so that a side without line ends needs little memory."""
_BINARY_LINE: Final = 57
_AWKWARD_SHARE: Final = 8
"""A line is text where no more than one in so many of its bytes has to be escaped."""
_AWKWARD_ALWAYS: Final = 3
_LETTERS = {Direction.CLIENT: "C", Direction.SERVER: "S"}


class CassetteWriter:
    """Takes the statements of a recording in their order."""

    def __init__(self, write: Callable[[str], object], *, more: bool = False) -> None:
        """`write` is given lines with their ends; `more`: they go behind those of a cassette that is there."""
        self._write = write
        if not more:
            self._line(FIRST_LINE)
        self._varies: dict[Direction, deque[Event]] = {}
        self._told = Told.BYTES
        self._reset()

    def _reset(self) -> None:
        self._clock = 0
        self._timed = False
        """Whether a time was written that the next line begins with."""
        self._last: Direction | None = None
        self._layers = dict.fromkeys(Direction, Layer.TLS)
        self._literals = Literals()
        self._offsets = dict.fromkeys(Direction, 0)
        """Where the next byte lies that is not in a line yet."""
        self._data = bytearray()
        self._marks: list[Mark] = []
        self._literal = False

    def begin(self, begun: Begun, varies: Iterable[Event]) -> None:
        """A session, and the places in it that vary."""
        self._line("")
        self._line(lines.written(begun, 0))
        self._told = begun.told
        self._reset()
        self._varies = {direction: deque() for direction in Direction}
        for event in sorted(varies, key=lambda each: each.offset or 0):
            if _inline(event) and event.direction is not None:
                self._varies[event.direction].append(event)

    def tell(self, statement: Statement) -> None:
        """Go on with a statement."""
        if isinstance(statement, Said):
            self._say(statement)
            return
        if isinstance(statement, Body) and self._told is not Told.EVERYTHING:
            return
        if isinstance(statement, Event) and statement.kind is EventKind.VARIES and _inline(statement):
            return
        self._flush()
        self._tell(statement)

    def _tell(self, statement: Statement) -> None:
        match statement:
            case Hole():
                self._literals.lost(statement.direction)
                self._offsets[statement.direction] += statement.length
            case Unkept():
                self._need_layer(statement.direction, statement.layer)
                self._literals.content(statement.direction, statement.length)
                self._offsets[statement.direction] += statement.length
            case Over():
                self._tell_odd_places()
            case _:
                pass
        self._line(lines.written(statement, self._clock))
        if isinstance(statement, Unkept):
            self._clock, self._last, self._timed = statement.chunks[-1][1], statement.direction, False

    def _tell_odd_places(self) -> None:
        """Placeholders beyond the end of a stream."""
        for events in self._varies.values():
            while events:
                self._line(lines.written(events.popleft(), self._clock))

    # --- what was said ----------------------------------------------------------------------------------------------

    def _say(self, said: Said) -> None:
        if said.direction is not self._last or said.layer is not self._layers[said.direction]:
            self._flush()
            self._need_layer(said.direction, said.layer)
        self._move_to(said.at, said.direction)
        data, start = said.data, 0
        while start < len(data):
            end = self._end_of_line(said.direction, data, start)
            self._data += data[start:end]
            start = end
            if self._complete(said.direction):
                self._flush()

    def _need_layer(self, direction: Direction, layer: Layer) -> None:
        if layer is self._layers[direction]:
            return
        self._layers[direction] = layer
        self._line(f"layer side={words.side(direction)} is={words.layer_name(layer)}")

    def _move_to(self, at: int, direction: Direction) -> None:
        """Say when the next bytes come, where the reader would think otherwise."""
        later, self._clock = at - self._clock, at
        turned, self._last = direction is not self._last, direction
        if later == (TURN if turned else 0):
            return
        if self._data:
            self._marks.append(Mark(len(self._data), later))
        else:
            self._line(signed(later))

    def _end_of_line(self, direction: Direction, data: bytes, start: int) -> int:
        """How much of `data` belongs to the line that is being gathered."""
        if not self._data:
            self._literal = self._literals.follow(direction)
        room = _LONGEST - len(self._data)
        if self._literal:
            room = min(room, self._literals.of(direction).owed - len(self._data))
        if self._data.endswith(b"\r") and data[start : start + 1] == b"\n":
            return start + 1
        found = data.find(b"\r\n", start, start + room)
        return min(start + room, len(data)) if found < 0 else found + 2

    def _complete(self, direction: Direction) -> bool:
        owed = self._literals.of(direction).owed if self._literal else -1
        return self._data.endswith(b"\r\n") or len(self._data) in {_LONGEST, owed}

    # --- lines ------------------------------------------------------------------------------------------------------

    def _flush(self) -> None:
        """Write the line that is being gathered, whole or not."""
        if not self._data or self._last is None:
            return
        data, marks, direction = bytes(self._data), tuple(self._marks), self._last
        self._data, self._marks = bytearray(), []
        start = self._offsets[direction]
        self._offsets[direction] += len(data)
        binary = _is_binary(data)
        if binary:
            self._binary(direction, data, marks)
        else:
            form = "|" if self._literal else ":"
            text = write_line(Line(data, self._inside(direction, start, data, marks), marks))
            self._line(f"{_LETTERS[direction]}{form} {text}".removesuffix(" "))
        if self._literal:
            self._literals.content(direction, len(data))
        else:
            self._literals.line(direction, data, text=not binary)
        self._outside(direction)

    def _binary(self, direction: Direction, data: bytes, marks: tuple[Mark, ...]) -> None:
        """Lines of base64; a chunk begins a line."""
        starts = [0, *(mark.start for mark in marks), len(data)]
        for index, (start, end) in enumerate(itertools.pairwise(starts)):
            if index:
                self._line(signed(marks[index - 1].later))
            for begin in range(start, end, _BINARY_LINE):
                part = data[begin : min(begin + _BINARY_LINE, end)]
                self._line(f"{_LETTERS[direction]}# {base64.b64encode(part).decode()}")

    def _inside(
        self, direction: Direction, start: int, data: bytes, marks: tuple[Mark, ...]
    ) -> tuple[Placeholder, ...]:
        """The placeholders that lie in this line."""
        events, found, free = self._varies.get(direction), list[Placeholder](), 0
        if not events:
            return ()
        end = len(data) - 2 if data.endswith(b"\r\n") else len(data)
        for event in list(itertools.takewhile(lambda each: (each.offset or 0) < start + len(data), events)):
            first = (event.offset or 0) - start
            last = first + (event.length or 0)
            if free <= first and last <= end and not any(first < mark.start < last for mark in marks):
                found.append(Placeholder(event.name, first, last - first))
                free = last
                events.remove(event)
        return tuple(found)

    def _outside(self, direction: Direction) -> None:
        """Those behind which the stream is by now, and which were in no line."""
        events = self._varies.get(direction)
        while events and (events[0].offset or 0) < self._offsets[direction]:
            self._line(lines.written(events.popleft(), self._clock))

    def _line(self, text: str) -> None:
        self._write(f"{text}\n")


def _inline(event: Event) -> bool:
    """Whether it can be written as a placeholder."""
    return event.direction is not None and event.offset is not None and bool(event.length) and named(event.name)


def _is_binary(data: bytes) -> bool:
    found = awkward(data.removesuffix(b"\r\n"))
    return found > _AWKWARD_ALWAYS and found * _AWKWARD_SHARE > len(data)
