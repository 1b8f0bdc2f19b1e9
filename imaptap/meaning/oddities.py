"""What was odd in the units of an exchange: quirks by name, and where the grammar had to stop (M 2.8, 11)."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from imaptap.meaning.words import safe, short
from proxy.imap.grammar import Raw
from proxy.imap.grammar.quirks import Noted, Quirk
from proxy.imap.transcript import Direction

if TYPE_CHECKING:
    from proxy.imap.units import Unit
    from proxy.imap.view.values import Said

STOPS_MOST = 5
KINDS_MOST = 100
_NEAR = 24


class Oddities:
    """Gathers them."""

    def __init__(self) -> None:
        self._quirks = Counter[tuple[Direction, Quirk, str]]()
        self._stops: list[str] = []
        self._more = 0

    def add(self, said: Said) -> None:
        """Those of one unit."""
        for noted in said.parsed.quirks:
            if noted.quirk is Quirk.UNEXPECTED or noted.quirk is Quirk.UNREAD_ITEM:
                self._stop(f"{said.direction.name.lower()}: {noted.quirk}, {noted.detail} expected")
            else:
                self._count(said.direction, noted)
        raw = said.parsed.value
        if isinstance(raw, Raw) and not _whole(raw.unit):
            self._stop(f"{said.direction.name.lower()}: a unit is not all there")
        elif isinstance(raw, Raw):
            where = f"at byte {raw.at}{_near(raw.unit, raw.at)}"
            self._stop(f"{said.direction.name.lower()}: not understood {where}: {safe(raw.expected)} expected")

    def said(self) -> tuple[str, ...]:
        """A line each."""
        named = (
            f"{side.name.lower()}: {quirk}{detail}{f' ({count:,} times)' if count > 1 else ''}"
            for (side, quirk, detail), count in self._quirks.items()
        )
        more = (f"and {self._more:,} units more are not understood",) if self._more else ()
        return (*named, *self._stops, *more)

    def _count(self, side: Direction, noted: Noted) -> None:
        detail = f", {safe(noted.detail)} expected" if noted.detail else ""
        if len(self._quirks) < KINDS_MOST or (side, noted.quirk, detail) in self._quirks:
            self._quirks[side, noted.quirk, detail] += 1

    def _stop(self, text: str) -> None:
        if len(self._stops) < STOPS_MOST:
            self._stops.append(safe(text))
        else:
            self._more += 1


def _whole(unit: Unit) -> bool:
    known = sum(map(len, unit.texts)) + sum(literal.size for literal in unit.literals)
    return known == unit.end - unit.start and len(unit.texts) == len(unit.literals) + 1


def _near(unit: Unit, at: int) -> str:
    """What stands there, if that is in the unit's first line."""
    found = unit.texts[0][at : at + _NEAR].strip()
    return f", “{short(found.decode('utf-8', 'backslashreplace'), _NEAR)}”" if found else ""
