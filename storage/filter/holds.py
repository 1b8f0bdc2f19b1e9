"""Whether a filter holds for one exchange: for those that are not in the index, and to compare the index with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from storage.filter import amounts
from storage.filter.tree import And, Not, Number, Or, When, Word
from storage.filter.words import folded, like, phrase_in, split

if TYPE_CHECKING:
    from collections.abc import Callable

    from storage.filter.tree import Leaf, Node


@dataclass(frozen=True, slots=True)
class Facts:
    """All that a filter can ask of one exchange.

    `words` are (fact, folded word); `numbers` are (fact, from, to), whole numbers, both ends in it; `at`, and
    dates among the numbers, are microseconds since 1970 UTC; `said` is its words joined by blanks, with a blank at
    either end.
    """

    words: tuple[tuple[str, str], ...]
    numbers: tuple[tuple[str, int, int], ...]
    at: int
    said: str


_COMPARED: Final[dict[str, Callable[[int, int, int], bool]]] = {
    "=": lambda low, high, value: low <= value <= high,
    ">": lambda _, high, value: high > value,
    ">=": lambda _, high, value: high >= value,
    "<": lambda low, _, value: low < value,
    "<=": lambda low, _, value: low <= value,
}


def holds(node: Node, facts: Facts, now: int) -> bool:
    """Whether `node` holds; `now` is microseconds since 1970 UTC, for `at>-10m`."""
    if isinstance(node, And):
        return all(holds(part, facts, now) for part in node.parts)
    if isinstance(node, Or):
        return any(holds(part, facts, now) for part in node.parts)
    if isinstance(node, Not):
        return not holds(node.part, facts, now)
    return _leaf_holds(node, facts, now)


def _leaf_holds(leaf: Leaf, facts: Facts, now: int) -> bool:
    if isinstance(leaf, Number):
        compared = _COMPARED[leaf.operator]
        return any(compared(low, high, leaf.value) for name, low, high in facts.numbers if name == leaf.fact)
    if isinstance(leaf, When):
        moments = (facts.at,) if leaf.fact == "at" else (low for name, low, _ in facts.numbers if name == leaf.fact)
        return any(within(leaf, moment, now) for moment in moments)
    if leaf.fact == "text":
        return phrase_in(split(leaf.pattern[0]), facts.said, goes_on=len(leaf.pattern) > 1)
    return word_holds(leaf, facts.words)


def word_holds(leaf: Word, words: tuple[tuple[str, str], ...]) -> bool:
    """Whether any of these words is like that."""
    pattern = folded(leaf.pattern)
    return any(name == leaf.fact and like(pattern, word) for name, word in words)


def within(leaf: When, at: int, now: int) -> bool:
    """Whether a moment is in, before or after what `leaf` names."""
    start, end = amounts.period(leaf.moment, now)
    last = max(start, end - 1)
    return {
        "=": start <= at < end, ">": at > last, ">=": at >= start, "<": at < start, "<=": at <= last
    }[leaf.operator]  # fmt: skip
