"""A span cut into lines. Pushed bytes, or the count of bytes that nobody wants to see, it gives lines back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imaptap.reading.values import TEXT_MOST, Hidden, LeftOut, Line, Part, Run
from proxy.imap.units import Boundary, UnitReader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from proxy.imap.transcript import Span

    TimeOf = Callable[[int], int]

INLINE_MOST = 80
"""Literals of one printable line up to this many bytes are names and words to search for: shown as they are."""

_NOTHING = bytes(64 * 1024)
_LITERAL = {Boundary.LITERAL, Boundary.LITERAL_END}


class Cutter:
    """Cuts one span. Literals stand in the line that follows them; with `bodies`, their content is lines of its own."""

    def __init__(self, span: Span, *, bodies: bool) -> None:
        self._span, self._bodies = span, bodies
        self._reader = UnitReader(span.direction)
        self._line = _Draft(span)
        self._small = bytearray()
        self._literal_start = self._literal_size = 0

    def feed(self, offset: int, data: bytes, time_of: TimeOf) -> Iterator[Line]:
        """The stream's bytes from `offset` on; `time_of` an offset tells when its byte came."""
        pos = 0
        while pos < len(data):
            boundary, end = self._reader.read(data, pos)
            yield from self._take(boundary, offset + pos, data[pos:end], time_of)
            pos = end

    def skip(self, offset: int, length: int, time_of: TimeOf) -> None:
        """`length` bytes of a literal at `offset` that are not to be shown."""
        self._line.begin(offset, time_of)
        if self._reader.literal is None:  # behind a hole nothing announces it
            self._line.parts.append(Hidden("literal", length))
            return
        while length:
            boundary, end = self._reader.read(_NOTHING[:length], 0)
            length -= end
            self._literal_size += end
            if boundary is Boundary.LITERAL_END:
                self._end_literal()

    def leave_out(self, known: LeftOut, offset: int, length: int, time_of: TimeOf) -> None:
        """`length` bytes of a literal at `offset` that were not kept; `known` of them, and of those before them."""
        self._line.begin(offset, time_of)
        last = self._line.parts[-1] if self._line.parts else None
        if isinstance(last, LeftOut) and last.start == known.start:  # it has grown since
            self._line.parts.pop()
        self._line.parts.append(known)
        self._reader.pass_over(length)

    def hole(self, start: int, end: int) -> Iterator[Line]:
        """Bytes that were never recorded. No unit is whole from here on, so reading begins anew behind them."""
        yield from self.flush()
        self._reader = UnitReader(self._span.direction)
        self._line.begin(start, lambda _: self._span.first_at)
        self._line.parts.append(Hidden("hole", end - start))
        yield self._line.end()

    def flush(self) -> Iterator[Line]:
        """What has come of a line that does not end."""
        if self._literal_size:
            self._end_literal()
        if self._line.parts:
            yield self._line.end()

    def _take(self, boundary: Boundary, offset: int, data: bytes, time_of: TimeOf) -> Iterator[Line]:
        if boundary in _LITERAL:
            yield from self._take_literal(boundary, offset, data, time_of)
            return
        self._line.begin(offset, time_of)
        self._line.add(offset, data)
        if boundary is Boundary.UNIT:
            self._reader.take_unit()
        if boundary in {Boundary.LINE, Boundary.UNIT}:
            yield self._line.end()

    def _take_literal(self, boundary: Boundary, offset: int, data: bytes, time_of: TimeOf) -> Iterator[Line]:
        if self._bodies and self._reader.literals[-1].size > INLINE_MOST:
            yield from self._content(offset, data, time_of)
            if boundary is Boundary.LITERAL_END and self._line.parts:
                yield self._line.end(body=True)
            return
        self._line.begin(offset, time_of)
        if not self._literal_size:
            self._literal_start = offset
        self._literal_size += len(data)
        if len(self._small) <= INLINE_MOST:
            self._small += data
        if boundary is Boundary.LITERAL_END:
            self._end_literal()

    def _content(self, offset: int, data: bytes, time_of: TimeOf) -> Iterator[Line]:
        for part in data.splitlines(keepends=True):
            self._line.begin(offset, time_of)
            self._line.add(offset, part)
            offset += len(part)
            if part.endswith(b"\n"):
                yield self._line.end(body=True)

    def _end_literal(self) -> None:
        """What is told of a literal in its line: all of it, or how long it is."""
        size, self._literal_size = self._literal_size, 0
        content = bytes(self._small)
        self._small.clear()
        if len(content) == size <= INLINE_MOST and (self._bodies or content.decode("latin-1").isprintable()):
            self._line.add(self._literal_start, content)
        else:
            self._line.parts.append(Hidden("literal", size))


class _Draft:
    """A line that is being put together, of which TEXT_MOST bytes are kept."""

    def __init__(self, span: Span) -> None:
        self._span = span
        self.parts: list[Part] = []
        self._start = self._at = 0
        self._room = TEXT_MOST

    def begin(self, offset: int, time_of: TimeOf) -> None:
        """The line's next byte is the one at `offset`: take note if it is the first one."""
        if not self.parts:
            self._start, self._at = offset, time_of(offset)
            self._room = TEXT_MOST

    def add(self, offset: int, data: bytes) -> None:
        """Text of the line."""
        last = self.parts[-1] if self.parts else None
        if isinstance(last, Run) and last.start + len(last.data) == offset and self._room:
            self.parts[-1] = Run(last.start, last.data + data[: self._room])
        elif self._room and data:
            self.parts.append(Run(offset, data[: self._room]))
        over = len(data) - self._room
        self._room = max(0, -over)
        if over > 0:
            before = last.length if isinstance(last, Hidden) and last.what == "rest" else 0
            if before:
                self.parts.pop()
            self.parts.append(Hidden("rest", before + over))

    def end(self, *, body: bool = False) -> Line:
        """The line, without its line end."""
        last = self.parts[-1]
        if isinstance(last, Run) and last.data.endswith(b"\n"):
            self.parts[-1] = Run(last.start, last.data[: -2 if last.data.endswith(b"\r\n") else -1])
        parts, self.parts = tuple(self.parts), []
        return Line(self._span.direction, self._at, self._start, parts, self._span.certainty, body)
