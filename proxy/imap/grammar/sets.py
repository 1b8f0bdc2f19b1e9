"""Sets and ranges of message numbers, as they stand and as numbers (RFC 9051 section 9: sequence-set)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proxy.imap.grammar.writer import Writer


@dataclass(frozen=True, slots=True)
class SequenceSet:
    """sequence-set, uid-set, known-uids: `raw` is `1:3,7,9:*`, or `$` for the result of a search (RFC 5182)."""

    raw: bytes

    @property
    def saved(self) -> bool:
        """Whether it is `$`, the saved search result."""
        return self.raw == b"$"

    @property
    def ranges(self) -> Iterator[tuple[int | None, int | None]]:
        """First and last of each part as they stand, in their order; None is `*`. `$` has none."""
        if self.saved:
            return
        for part in self.raw.split(b","):
            first, _, last = part.partition(b":")
            yield _number(first), _number(last or first)

    def normal(self, largest: int | None = None) -> tuple[tuple[int, int], ...]:
        """The same numbers as ascending ranges that do not touch. `*` is `largest`; without it, ValueError."""
        merged: list[tuple[int, int]] = []
        for first, last in sorted(_ordered(pair, largest) for pair in self.ranges):
            if merged and first <= merged[-1][1] + 1:
                merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
            else:
                merged.append((first, last))
        return tuple(merged)

    def numbers(self) -> Iterator[int]:
        """Each number in the order given; ValueError where there is a `*`."""
        for pair in self.ranges:
            first, last = (_known(end, None) for end in pair)
            yield from range(first, last + 1) if first <= last else range(first, last - 1, -1)

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.raw(self.raw)


@dataclass(frozen=True, slots=True)
class PartialRange:
    """partial-range: positions from the start, `1:100`, or from the end, `-1:-100` (RFC 9394 section 3.1)."""

    first: int
    last: int

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.raw(b"%d:%d" % (self.first, self.last))


def _number(text: bytes) -> int | None:
    return None if text == b"*" else int(text)


def _known(end: int | None, largest: int | None) -> int:
    number = largest if end is None else end
    if number is None:
        raise ValueError("`*` stands for the largest number, which nobody has told")
    return number


def _ordered(pair: tuple[int | None, int | None], largest: int | None) -> tuple[int, int]:
    first, last = (_known(end, largest) for end in pair)
    return (first, last) if first <= last else (last, first)
