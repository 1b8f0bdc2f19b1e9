"""Spans cut into units again, with what the wire's own reader lets go: all text up to a bound, and times."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from proxy.imap.units import PARTS_KEPT, Boundary, Literal, Unit, UnitReader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from proxy.imap.transcript import Direction

    TimeOf = Callable[[int], int]

TEXT_MOST = 1024 * 1024
"""Bytes of a unit's text that are kept. Longer ones are judged by their beginning, and not by the grammar."""
_NOTHING = bytes(64 * 1024)
_LITERAL = {Boundary.LITERAL, Boundary.LITERAL_END}


class CutUnit(NamedTuple):
    """A unit, when its first and last byte came, and when the first byte of each literal did."""

    unit: Unit
    at: int
    ended: int
    literals_at: tuple[int | None, ...]


class Cutter:
    """Cuts one span of a stream. `feed` it the bytes in order, or `skip` those of a literal that lies elsewhere."""

    def __init__(self, direction: Direction, start: int) -> None:
        self._reader = UnitReader(direction)
        self._reader.skip(start)
        self._texts: list[bytes] = []
        self._line = bytearray()
        self._room = TEXT_MOST
        self._literals: list[Literal] = []
        self._times: list[int | None] = []
        self._at: int | None = None
        self._ended = 0

    def feed(self, offset: int, data: bytes, time_of: TimeOf) -> Iterator[CutUnit]:
        """The stream's bytes from `offset` on; `time_of` an offset tells when its byte came."""
        pos = 0
        while pos < len(data):
            boundary, end = self._reader.read(data, pos)
            if self._at is None:
                self._at = time_of(offset + pos)
            if boundary in _LITERAL:
                self._literal(boundary, time_of(offset + pos))
            elif boundary is not Boundary.RAW:
                self._text(data[pos:end])
            if boundary in (Boundary.LINE, Boundary.UNIT):
                self._end_line()
            pos = end
            if boundary is Boundary.UNIT:
                self._ended = time_of(offset + end - 1)
                yield self._unit(self._reader.take_unit())
        if pos:
            self._ended = time_of(offset + len(data) - 1)

    def skip(self, offset: int, length: int, time_of: TimeOf) -> bool:
        """`length` bytes of a literal at `offset`, which nobody has at hand. False where no literal is due."""
        while length:
            if self._reader.literal is None:
                return False
            boundary, end = self._reader.read(_NOTHING[:length], 0)
            self._literal(boundary, time_of(offset))
            length -= end
        return True

    def flush(self) -> Iterator[CutUnit]:
        """What has come of a unit that does not end, or whose literal was refused."""
        if self._line:
            self._end_line()
        unit = self._reader.cut()
        if unit is not None and self._at is not None:
            if len(self._texts) > len(self._literals):
                # It ends behind an announcement: the literal did not come.
                self._literals = self._literals[: len(self._texts) - 1]
            yield self._unit(unit)

    def _text(self, data: bytes) -> None:
        kept = data[: self._room]
        self._room -= len(kept)
        self._line += kept

    def _end_line(self) -> None:
        if len(self._texts) <= PARTS_KEPT:
            self._texts.append(bytes(self._line))
        self._line.clear()

    def _literal(self, boundary: Boundary, at: int) -> None:
        known = self._reader.last_literal
        if known is None or len(self._literals) >= PARTS_KEPT:
            return
        if len(self._times) < len(self._texts):
            self._times.append(at)
        if boundary is Boundary.LITERAL_END:
            self._literals.append(known)

    def _unit(self, cut: Unit) -> CutUnit:
        texts = tuple(self._texts) or (b"",)
        unit = Unit(cut.start, cut.end, texts, tuple(self._literals), cut.flaws)
        found = CutUnit(unit, self._at or 0, self._ended, tuple(self._times))
        self._texts, self._literals, self._times = [], [], []
        self._room, self._at = TEXT_MOST, None
        return found
