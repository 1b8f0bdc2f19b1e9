"""Spans cut into units again, with what the wire's own reader lets go: text and small literals up to a bound, times."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from proxy.imap.quotes import open_quote
from proxy.imap.transcript import BODY_MIN
from proxy.imap.units import Boundary, Literal, Unit, UnitReader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from proxy.imap.transcript import Direction

    TimeOf = Callable[[int], int]

TEXT_WHOLE = 64 * 1024 * 1024
"""Bytes of a unit's texts and small literals that are kept; the grammar keeps a longer one raw (M 2.10)."""
PLAIN_MOST = 4096
"""Bytes of a line that is looked at as a whole."""
PARTS_WHOLE = 250_000
"""Literals of one unit that are kept; the grammar keeps a unit of more raw."""
_NOTHING = bytes(64 * 1024)
_LITERAL = (Boundary.LITERAL, Boundary.LITERAL_END)


class CutUnit(NamedTuple):
    """A unit, when its first and last byte came, and when the first byte of each literal did.

    `due` is the literal that it announces last, where that did not come whole: it is none of the unit's literals.
    """

    unit: Unit
    at: int
    ended: int
    literals_at: tuple[int | None, ...]
    due: Literal | None = None


def plain_line(data: bytes, pos: int) -> int:
    """The size of the unit at `pos` if it is one line of nothing odd, as most are; 0 where one has to look closely."""
    line = data[pos : data.find(b"\n", pos, pos + PLAIN_MOST) + 1]
    odd = (
        not line.endswith(b"\r\n")
        or line.count(b"\r") > 1
        or line.endswith(b"}\r\n")
        or (b'"' in line and open_quote(line))
    )
    return 0 if odd else len(line)


class UnitCutter:
    """Cuts one span of a stream. `feed` it the bytes in order, or `skip` those of a literal that lies elsewhere.

    A `torn` one begins somewhere within a unit, which is not given. Of each unit `most` bytes are kept.
    """

    def __init__(self, direction: Direction, start: int, *, torn: bool = False, most: int = TEXT_WHOLE) -> None:
        self._reader = UnitReader(direction)
        self._reader.skip(start)
        self._torn = torn
        self._most = self._room = most
        self._texts: list[bytes] = []
        self._line = bytearray()
        self._content = bytearray()
        self._literals: list[Literal] = []
        self._times: list[int | None] = []
        self._at: int | None = None
        self._ended = 0

    @property
    def between(self) -> bool:
        """Whether the next byte begins a unit."""
        return self._at is None

    def feed(self, offset: int, data: bytes, time_of: TimeOf) -> Iterator[CutUnit]:
        """The stream's bytes from `offset` on; `time_of` an offset tells when its byte came."""
        pos = 0
        while pos < len(data):
            if self._at is None and (end := self._plain_end(data, pos)):
                start = self._reader.skip(end - pos)
                unit = Unit(start, start + end - pos, (data[pos:end],), (), ())
                self._ended = time_of(offset + end - 1)
                yield CutUnit(unit, time_of(offset + pos), self._ended, ())
                pos = end
                continue
            boundary, end = self._reader.read(data, pos)
            if self._at is None:
                self._at = time_of(offset + pos)
            if boundary in _LITERAL:
                self._literal(boundary, data[pos:end], time_of(offset + pos))
            elif boundary is not Boundary.RAW:
                self._line += self._kept(data[pos:end])
            if boundary in (Boundary.LINE, Boundary.UNIT):
                self._end_line()
            pos = end
            if boundary is Boundary.UNIT:
                self._ended = time_of(offset + end - 1)
                yield from self._unit(self._reader.take_unit())
        if pos:
            self._ended = time_of(offset + len(data) - 1)

    def skip(self, offset: int, length: int, time_of: TimeOf) -> bool:
        """`length` bytes of a literal at `offset`, which nobody has at hand. False where no literal is due."""
        start, left = offset, length
        while left:
            if self._reader.literal is None:
                return False
            boundary, end = self._reader.read(_NOTHING[:left], 0)
            self._literal(boundary, b"", time_of(start))
            start, left = start + end, left - end
        self._ended = time_of(offset + length - 1)
        return True

    def flush(self) -> Iterator[CutUnit]:
        """What has come of a unit that does not end, or whose literal was refused."""
        if self._line:
            self._end_line()
        due = self._reader.literal
        unit = self._reader.cut()
        if unit is None or self._at is None:
            return
        if len(self._texts) == len(self._literals):  # it ends with a literal that has come whole
            self._texts.append(b"")
        yield from self._unit(unit, due)

    def _plain_end(self, data: bytes, pos: int) -> int:
        """The end of a unit that is a plain line; 0 where none begins here."""
        size = 0 if self._torn or not self._reader.between else plain_line(data, pos)
        return pos + size if 0 < size <= self._most else 0

    def _kept(self, data: bytes) -> bytes:
        kept = data[: self._room]
        self._room -= len(kept)
        return kept

    def _end_line(self) -> None:
        if len(self._texts) <= PARTS_WHOLE:
            self._texts.append(bytes(self._line))
        self._line.clear()

    def _literal(self, boundary: Boundary, data: bytes, at: int) -> None:
        known = self._reader.last_literal
        if known is None or len(self._literals) >= PARTS_WHOLE:
            return
        if len(self._times) < len(self._texts):
            self._times.append(at)
        if known.size < BODY_MIN:
            self._content += self._kept(data)
        if boundary is Boundary.LITERAL_END:
            content = bytes(self._content) if len(self._content) == known.size else None
            self._literals.append(Literal(known.start, known.size, known.synchronising, known.binary, content))
            self._content.clear()

    def _unit(self, cut: Unit, due: Literal | None = None) -> Iterator[CutUnit]:
        texts = tuple(self._texts) or (b"",)
        unit = Unit(cut.start, cut.end, texts, tuple(self._literals), cut.flaws)
        found = CutUnit(unit, self._at or 0, self._ended, tuple(self._times), due)
        torn, self._torn = self._torn, False
        self._texts, self._literals, self._times = [], [], []
        self._content.clear()
        self._room, self._at = self._most, None
        if not torn:
            yield found
