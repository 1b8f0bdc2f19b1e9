"""A stretch of a stream cut into lines, exactly. Pushed bytes, or the count of unwanted ones, it gives lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from proxy.imap.units import Boundary, UnitReader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from proxy.imap.transcript import Direction

    TimeOf = Callable[[int], int]

LONGEST: Final = 8192
"""Longer lines come in parts, so that a side without line ends needs little memory."""
INLINE_MOST: Final = 80
"""Literals up to this many bytes are names and words to search for: always there."""


class Cut(NamedTuple):
    """A line or a part of one, `length` bytes from `offset` on; `data` is None where nobody wants to see them."""

    offset: int
    length: int
    at: int
    ended: int
    data: bytes | None
    literal: bool


class LineCutter:
    """Cuts one stretch, which begins with a unit. Without `bodies`, contents of long literals are counted only."""

    def __init__(self, direction: Direction, *, bodies: bool) -> None:
        self._reader, self._bodies = UnitReader(direction), bodies
        self._data = bytearray()
        self._hidden = 0
        self._literal = False
        self._offset = self._at = self._ended = 0

    def feed(self, offset: int, data: bytes, time_of: TimeOf) -> Iterator[Cut]:
        """The bytes from `offset` on; `time_of` an offset tells when its byte came."""
        pos = 0
        while pos < len(data):
            literal = self._reader.literal
            boundary, end = self._reader.read(data, pos)
            if boundary is Boundary.UNIT:
                self._reader.take_unit()
            if literal is not None and not self._bodies and literal.size > INLINE_MOST:
                yield from self._hide(offset + pos, end - pos, time_of)
            else:
                yield from self._add(offset + pos, data[pos:end], time_of, literal=literal is not None)
            if boundary is Boundary.LITERAL_END:
                yield from self.flush()
            pos = end

    def count(self, offset: int, length: int, time_of: TimeOf) -> Iterator[Cut]:
        """`length` bytes of a literal at `offset` that nobody wants to see."""
        yield from self._hide(offset, length, time_of)
        self.pass_over(length)
        if self._reader.literal is None:
            yield from self.flush()

    def pass_over(self, length: int) -> None:
        """`length` bytes of a literal are not there."""
        self._reader.pass_over(length)

    def flush(self) -> Iterator[Cut]:
        """What has come of a line that goes no further."""
        if self._hidden:
            length, self._hidden = self._hidden, 0
            yield Cut(self._offset, length, self._at, self._ended, None, literal=True)
        if self._data:
            data = bytes(self._data)
            self._data.clear()
            yield Cut(self._offset, len(data), self._at, self._ended, data, self._literal)

    def _add(self, offset: int, data: bytes, time_of: TimeOf, *, literal: bool) -> Iterator[Cut]:
        start = 0
        while start < len(data):
            stop = start + LONGEST - len(self._data)
            end = data.find(b"\n", start, stop) + 1
            if end and not self._data and not self._hidden:  # all of a line, as nearly always
                first, last = time_of(offset + start), time_of(offset + end - 1)
                yield Cut(offset + start, end - start, first, last, data[start:end], literal)
            else:
                end = end or min(stop, len(data))
                yield from self._gather(offset + start, data[start:end], time_of, literal=literal)
            start = end

    def _gather(self, offset: int, data: bytes, time_of: TimeOf, *, literal: bool) -> Iterator[Cut]:
        """A part of a line, no longer than it may become."""
        if not self._data:
            yield from self._begin(offset, time_of, literal=literal)
        self._data += data
        self._ended = time_of(offset + len(data) - 1)
        if data[-1] == _LF or len(self._data) >= LONGEST:
            yield from self.flush()

    def _hide(self, offset: int, length: int, time_of: TimeOf) -> Iterator[Cut]:
        if not self._hidden:
            yield from self._begin(offset, time_of, literal=True)
        if length:
            self._hidden += length
            self._ended = time_of(offset + length - 1)

    def _begin(self, offset: int, time_of: TimeOf, *, literal: bool) -> Iterator[Cut]:
        yield from self.flush()
        self._offset, self._at, self._literal = offset, time_of(offset), literal


_LF: Final = 0x0A
