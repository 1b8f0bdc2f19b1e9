"""One side of a session, rewritten as it is read: each byte comes back at its offset."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from imaptap.privacy.letters import Letter, Start
from imaptap.privacy.policy import Thing
from imaptap.privacy.units import Unit
from proxy.imap.transcript import EventKind
from proxy.imap.units import Boundary, UnitReader

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imaptap.privacy.rules import Rules
    from imaptap.reading.spans import Spans
    from proxy.imap.transcript import Direction, Span
    from storage import Session, Store, StoredPiece

_LINE_MOST: Final = 1024 * 1024
"""Of a line, so much is rewritten at once; the rest of a longer one by itself."""
_ENDLESS: Final = 2**63 - 1


class Side:
    """Rewrites the units of one direction, however they are cut into chunks."""

    def __init__(self, rules: Rules, direction: Direction) -> None:
        self._rules, self._direction = rules, direction
        self._reader = UnitReader(direction)
        self._unit: Unit | None = None
        self._line = bytearray()
        self._small = bytearray()
        self._letter: Letter | None = None
        self._torn = False

    def feed(self, data: bytes) -> bytes:
        """The next bytes. What comes out may lag behind."""
        made, position = list[bytes](), 0
        while position < len(data):
            boundary, end = self._reader.read(data, position)
            made.append(self._take(boundary, data[position:end]))
            position = end
        return b"".join(made)

    def skip(self, length: int) -> None:
        """So many bytes of a literal that are not there."""
        while length and (gone := self._reader.pass_over(length)):
            length -= gone
        if self._letter and self._reader.literal is None:
            self._letter = None

    def flush(self, *, torn: bool = False) -> bytes:
        """A span ends here, or bytes are missing (`torn`): the rest of what has come. A unit begins anew."""
        made = self._end_literal() + self._text()
        self._reader.cut()
        if self._reader.raw:
            self._reader = UnitReader(self._direction)
        self._unit, self._torn = None, torn
        self._letter = Letter(self._rules, Start.BODY) if torn else None
        return made

    def _take(self, boundary: Boundary, data: bytes) -> bytes:
        if boundary is Boundary.RAW:
            return self._rules.opaque(data, Thing.TEXT)
        if boundary in (Boundary.LITERAL, Boundary.LITERAL_END):
            made = self._of_literal(data)
            return made + self._end_literal() if boundary is Boundary.LITERAL_END else made
        if self._torn and self._letter:
            return self._of_torn(boundary, data)
        self._line += data
        if boundary is Boundary.PARTIAL and len(self._line) < _LINE_MOST:
            return b""
        made = self._text()
        if boundary is Boundary.UNIT:
            self._reader.take_unit()
            self._unit = None
        elif boundary is Boundary.LINE:
            made += self._begin_literal()
        return made

    def _of_torn(self, boundary: Boundary, data: bytes) -> bytes:
        """The rest of a line whose beginning is missing, or of a literal: nobody knows what it is."""
        letter = self._letter
        if letter is None:
            return b""
        made = letter.feed(data)
        if boundary is Boundary.PARTIAL:
            return made
        made += letter.end()
        self._reader.take_unit()
        self._torn, self._letter, self._unit = False, None, None
        return made

    def _text(self) -> bytes:
        line = bytes(self._line)
        self._line.clear()
        if not line:
            return b""
        self._unit = self._unit or Unit(self._rules, self._direction)
        return self._unit.text(line)

    def _begin_literal(self) -> bytes:
        literal = self._reader.literal
        if literal is None or self._unit is None:  # an empty one is over already
            return b""
        self._letter = self._unit.letter(literal.size)
        return b"" if literal.size else self._end_literal()

    def _of_literal(self, data: bytes) -> bytes:
        if self._letter:
            return self._letter.feed(data)
        self._small += data
        return b""

    def _end_literal(self) -> bytes:
        made = self._letter.end() if self._letter else b""
        self._letter = None
        if self._small and self._unit:
            made += self._unit.string(bytes(self._small))
        self._small.clear()
        return made


class Rewritten:
    """The stream of one direction of a session. `take` its bytes in their order."""

    def __init__(self, store: Store, session: Session, spans: Spans, direction: Direction, rules: Rules) -> None:
        self._store, self._session, self._direction, self._rules = store, session, direction, rules
        self._spans = spans
        self._made = self._parts()
        self._start = 0
        self._data = bytearray()

    def take(self, offset: int, length: int) -> bytes:
        """`length` bytes from `offset` on, which was not asked for before."""
        while self._start + len(self._data) < offset + length:
            start, data = next(self._made)
            if start != self._start + len(self._data):
                self._start = start
                self._data.clear()
            self._data += data
        begin = offset - self._start
        taken = bytes(self._data[begin : begin + length])
        del self._data[: begin + length]
        self._start = offset + length
        return taken

    def _parts(self) -> Iterator[tuple[int, bytes]]:
        """What comes out, with its offset."""
        side = Side(self._rules, self._direction)
        edges = _Edges(self._spans.of(self._direction))
        opaque = next(self._store.events(self._session, EventKind.RAW), None) is not None
        out = position = 0
        for piece in self._store.pieces(self._session, self._direction):
            if piece.offset > position:
                yield out, side.flush(torn=True)
                out = piece.offset
            position = piece.end
            if piece.left_out is not None:
                side.skip(piece.length)
                out = piece.end
                continue
            for part, over, within in edges.cut(piece.offset, self._bytes(piece)):
                if opaque and not within:
                    made = side.flush() + self._rules.opaque(part, Thing.TEXT)
                else:
                    made = side.feed(part)
                    made += side.flush() if over else b""
                yield out, made
                out += len(made)
        yield out, side.flush()

    def _bytes(self, piece: StoredPiece) -> bytes:
        return piece.data if piece.data is not None else self._store.body(piece.blake3 or "")


class _Edges:
    """Where spans begin and end."""

    def __init__(self, spans: Iterator[Span]) -> None:
        self._spans = spans
        self._span = next(spans, None)

    def cut(self, offset: int, data: bytes) -> Iterator[tuple[bytes, bool, bool]]:
        """The parts of these bytes: whether a span ends behind each, and whether it lies within one."""
        position = 0
        while position < len(data):
            here = offset + position
            while self._span is not None and self._span.end <= here:
                self._span = next(self._spans, None)
            start, end = (self._span.start, self._span.end) if self._span else (_ENDLESS, _ENDLESS)
            within = start <= here
            stop = min(len(data), (end if within else start) - offset)
            yield data[position:stop], within and stop + offset == end, within
            position = stop
