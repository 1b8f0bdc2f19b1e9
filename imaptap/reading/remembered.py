"""Units that come again and again, read once: NOOP and its OK, FLAGS, the same lines at two servers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from proxy.imap.grammar import Parsed
    from proxy.imap.units import Unit

V = TypeVar("V")

TEXT_MOST = 200
"""Bytes of a unit that is remembered: long ones do not come again."""
UNITS_MOST = 4096


class Remembered(Generic[V]):
    """Reads units by `parse`. What it remembers holds nothing of where a unit stood."""

    def __init__(self, parse: Callable[[Unit], Parsed[V]]) -> None:
        self._parse = parse
        self._known: dict[bytes, Parsed[V]] = {}

    def __call__(self, unit: Unit) -> Parsed[V]:
        """What the unit says."""
        text = unit.texts[0]
        if unit.literals or unit.flaws or len(text) > TEXT_MOST or len(text) != unit.end - unit.start:
            return self._parse(unit)
        found = self._known.get(text)
        if found is None:
            found = self._parse(unit)
            if found.understood is not None and not found.quirks:  # those tell offsets
                if len(self._known) >= UNITS_MOST:
                    self._known.clear()
                self._known[text] = found
        return found
