"""Which session of one recording is the counterpart of which of another's."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

FIRST = 24
"""Commands by which a session is known."""
CANDIDATES_MOST = 64
"""Sessions that one is compared with, to find the most similar."""


class Opening(NamedTuple):
    """How a session begins: its number, whom its LOGIN named (None: nobody), what its commands mean."""

    number: int
    user: str | None
    first: tuple[int, ...]


def pair_sessions(left: Sequence[Opening], right: Sequence[Opening]) -> list[tuple[Opening | None, Opening | None]]:
    """Each session of either recording once, with its counterpart or None: by the left numbers, then the right ones.

    Of those who log in alike and begin alike the first goes with the first; then of those who log in alike the most
    similar; then of the others those who begin alike, and at last the most similar. Sessions run side by side, so that
    their order alone says little.
    """
    pairs = _Pairs(left, right)
    pairs.equal(lambda each: (each.user, each.first))
    pairs.similar(lambda each: each.user)
    pairs.equal(lambda each: each.first)
    pairs.similar(lambda _: None)
    found: list[tuple[Opening | None, Opening | None]] = [(one, pairs.counterparts.get(one.number)) for one in left]
    return found + [(None, other) for other in pairs.theirs]


class _Pairs:
    """What has been paired, and what is left over of either side."""

    def __init__(self, left: Sequence[Opening], right: Sequence[Opening]) -> None:
        self.ours, self.theirs = list(left), list(right)
        self.counterparts: dict[int, Opening] = {}

    def equal(self, mark: Callable[[Opening], Hashable]) -> None:
        """Those with the same mark, in their order."""
        waiting = self._marked(mark)
        found = [(one, waiting[mark(one)].pop(0)) for one in self.ours if waiting[mark(one)]]
        self._pair(found)

    def similar(self, mark: Callable[[Opening], Hashable]) -> None:
        """Of those with the same mark the ones with most first commands in common; of equals the nearest."""
        waiting = self._marked(mark)
        found: list[tuple[Opening, Opening]] = []
        for one in self.ours:
            candidates = waiting[mark(one)]
            near = sorted(candidates, key=lambda other: abs(other.number - one.number))[:CANDIDATES_MOST]
            best = max(near, key=lambda other: _common(one, other), default=None)
            if best is not None:
                candidates.remove(best)
                found.append((one, best))
        self._pair(found)

    def _marked(self, mark: Callable[[Opening], Hashable]) -> dict[Hashable, list[Opening]]:
        waiting: dict[Hashable, list[Opening]] = defaultdict(list)
        for other in self.theirs:
            waiting[mark(other)].append(other)
        return waiting

    def _pair(self, found: list[tuple[Opening, Opening]]) -> None:
        self.counterparts |= {one.number: other for one, other in found}
        taken = {other.number for _, other in found}
        self.ours = [one for one in self.ours if one.number not in self.counterparts]
        self.theirs = [other for other in self.theirs if other.number not in taken]


def _common(one: Opening, other: Opening) -> int:
    """How many commands both begin with."""
    return (Counter(one.first) & Counter(other.first)).total()
