"""Percentiles in bounded memory: exact up to some number of values, within 1 % beyond it."""

from __future__ import annotations

from array import array
from collections import Counter
from typing import Final

from storage.statistics.values import Durations

EXACT: Final = 65_536
"""So many values are kept as they are, 8 bytes each; all that come later only in classes."""

_BITS: Final = 7
"""A class is told by its first seven bits: values in it differ by less than 1/64, so its middle is within 1 %."""


class Quantiles:
    """Takes whole numbers from 0 on, gives their `Durations`. Never has more than EXACT values or some 4000 classes."""

    def __init__(self, exact: int = EXACT) -> None:
        self._most = exact
        self._values = array("q")
        self._classes = Counter[int]()
        self._count = self._total = self._longest = 0

    def add(self, value: int) -> None:
        """One more."""
        self._count += 1
        self._total += value
        self._longest = max(self._longest, value)
        if self._classes:
            self._classes[_class_of(value)] += 1
            return
        self._values.append(value)
        if len(self._values) > self._most:
            self._classes.update(map(_class_of, self._values))
            self._values = array("q")

    def durations(self) -> Durations:
        """What has come so far. A percentile is the smallest value that so many percent are not above."""
        if not self._count:
            return Durations(0, 0, None, None, None, None, exact=True)
        p50, p90, p99 = self._at([-(-self._count * percent // 100) for percent in (50, 90, 99)])
        return Durations(self._count, self._total, p50, p90, p99, self._longest, exact=not self._classes)

    def _at(self, ranks: list[int]) -> list[int]:
        if not self._classes:
            rising = sorted(self._values)
            return [rising[rank - 1] for rank in ranks]
        found = list[int]()
        passed = 0
        for each in sorted(self._classes):
            passed += self._classes[each]
            while len(found) < len(ranks) and passed >= ranks[len(found)]:
                found.append(min(_middle(each), self._longest))
        return found


def _class_of(value: int) -> int:
    """The class of a value, rising with it: how far it is shifted, and its first bits."""
    shift = max(0, value.bit_length() - _BITS)
    return (shift << _BITS) | (value >> shift)


def _middle(each: int) -> int:
    shift, first = each >> _BITS, each & ((1 << _BITS) - 1)
    return (first << shift) + ((1 << shift) >> 1)
