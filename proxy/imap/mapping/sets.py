"""Sets of numbers, spread out and put together again (RFC 9051 section 9: sequence-set)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.imap.grammar.sets import SequenceSet

if TYPE_CHECKING:
    from collections.abc import Iterable

NUMBERS_MOST = 1_000_000
"""Numbers of one set that are looked at one by one."""


def spread(numbers: SequenceSet) -> list[int] | None:
    """Each number in the order given; None where there is a `*` or a `$`, or where there are too many to look at."""
    found: list[int] = []
    if numbers.saved:
        return None
    for first, last in numbers.ranges:
        if first is None or last is None or abs(last - first) + len(found) >= NUMBERS_MOST:
            return None
        found += range(first, last + 1) if first <= last else range(first, last - 1, -1)
    return found


def compressed(numbers: Iterable[int], *more: bytes) -> SequenceSet:
    """The set of these numbers in its shortest spelling, ascending, and behind them more parts as they stand."""
    parts: list[bytes] = []
    start = last = 0
    for number in sorted(set(numbers)):
        if start and number == last + 1:
            last = number
            continue
        if start:
            parts.append(_part(start, last))
        start = last = number
    if start:
        parts.append(_part(start, last))
    return SequenceSet(b",".join((*parts, *more)))


def _part(first: int, last: int) -> bytes:
    return b"%d" % first if first == last else b"%d:%d" % (first, last)
