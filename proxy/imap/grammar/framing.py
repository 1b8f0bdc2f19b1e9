"""Bytes of one unit as a `Unit` with all of its text and literals, and back. The reader on the wire keeps only some."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.imap.units import Boundary, Literal, Unit, UnitReader

if TYPE_CHECKING:
    from proxy.imap.transcript import Direction

LITERALS_MOST = 250_000
"""Literals of one unit that are cut out; a unit of more is kept raw."""


def cut(data: bytes, direction: Direction, start: int = 0) -> Unit:
    """The unit that `data` is, framed as on the wire; `start` is its offset in the stream.

    What follows the first unit, or is missing at its end, makes `end` differ from what the texts and literals add up
    to: such a unit is kept raw. For units that end without a line end, see the quirk CUT.
    """
    reader = UnitReader(direction)
    texts: list[bytes] = []
    literals: list[Literal] = []
    pos = begin = 0
    boundary = Boundary.PARTIAL
    while pos < len(data) and boundary is not Boundary.UNIT:
        boundary, pos = reader.read(data, pos)
        if len(literals) > LITERALS_MOST:
            break
        if boundary in (Boundary.LINE, Boundary.UNIT):
            texts.append(data[begin:pos])
            begin = pos
        elif boundary in (Boundary.LITERAL, Boundary.LITERAL_END):
            known = reader.last_literal or Literal(0, 0, synchronising=True, binary=False)
            content = data[begin:pos] if boundary is Boundary.LITERAL_END else None
            literals.append(Literal(start + begin, known.size, known.synchronising, known.binary, content))
            begin = pos
    if len(texts) == len(literals):
        texts.append(data[begin:pos])
    missing = boundary is Boundary.LINE  # a literal is announced and does not come
    return Unit(start, start + len(data) + missing, tuple(texts), tuple(literals), ())


def joined(unit: Unit) -> bytes:
    """All bytes of the unit; ValueError where a literal's content lies elsewhere."""
    parts: list[bytes] = []
    for text, literal in zip(unit.texts, unit.literals, strict=False):
        if literal.content is None:
            raise ValueError(f"the content of a literal of {literal.size} bytes lies elsewhere")
        parts += (text, literal.content)
    return b"".join((*parts, unit.texts[-1]))
