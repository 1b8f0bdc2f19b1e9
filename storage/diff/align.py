"""Which exchange of one session is the counterpart of which of another's: by what commands mean, and in what order.

Commands that are unique in both are fixed points (the idea of patience diff, by Bram Cohen); between them the longest
common subsequence of meanings is taken. What is left over is looked for elsewhere (moved blocks), then paired with
something near it that is about the same: commands that are nearly equal say more side by side than apart.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, NamedTuple

from storage.diff.common import Box, common
from storage.diff.keys import proves_nothing

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from storage.diff.keys import Keys

DEPTH_MOST = 12
"""Fixed points within fixed points."""
CANDIDATES_MOST = 32
"""Places at which the beginning of a moved block is tried."""

Place = tuple[int, int]


class Match(NamedTuple):
    """Places in both, counted from 0; None where there is no counterpart. `near`: about the same, not the same."""

    left: int | None
    right: int | None
    moved: bool = False
    near: bool = False


def align(left: Keys, right: Keys) -> Iterator[Match]:
    """Every command of both, once: in the order of the left one, what only the right one has where it stands there."""
    alignment = _Alignment(left, right)
    alignment.pair(_same(left, right))
    alignment.pair(_moved(left, right, *alignment.alone()), moved=True)
    alignment.pair(_near(left, right, list(alignment.gaps())), near=True)
    return alignment.matches()


class _Alignment:
    """Pairs that have been found."""

    def __init__(self, left: Keys, right: Keys) -> None:
        self._right_of: list[int | None] = [None] * len(left)
        self._left_of: list[int | None] = [None] * len(right)
        self._moved = set[int]()
        self._near_ones = set[int]()

    def pair(self, places: Iterable[Place], *, moved: bool = False, near: bool = False) -> None:
        for i, j in places:
            self._right_of[i], self._left_of[j] = j, i
            if moved:
                self._moved.add(i)
            if near:
                self._near_ones.add(i)

    def alone(self) -> tuple[list[int], list[int]]:
        """Places without a counterpart, of either side."""
        ours = [i for i, other in enumerate(self._right_of) if other is None]
        return ours, [j for j, other in enumerate(self._left_of) if other is None]

    def gaps(self) -> Iterator[tuple[list[int], list[int]]]:
        """Between two pairs that are in order: what has no counterpart there, on either side."""
        a = c = 0
        in_order = [(i, j) for i, j in enumerate(self._right_of) if j is not None and i not in self._moved]
        for i, j in [*in_order, (len(self._right_of), len(self._left_of))]:
            ours = [place for place in range(a, i) if self._right_of[place] is None]
            theirs = [place for place in range(c, j) if self._left_of[place] is None]
            if ours and theirs:
                yield ours, theirs
            a, c = i + 1, j + 1

    def matches(self) -> Iterator[Match]:
        after = 0
        for i, j in enumerate(self._right_of):
            moved = i in self._moved
            if j is not None and not moved:
                yield from self._extras(after, j)
                after = j + 1
            yield Match(i, j, moved, i in self._near_ones)
        yield from self._extras(after, len(self._left_of))

    def _extras(self, start: int, end: int) -> Iterator[Match]:
        return (Match(None, j) for j in range(start, end) if self._left_of[j] is None)


# --- the same, in the same order ------------------------------------------------------------------------------------


def _same(left: Keys, right: Keys) -> Iterator[Place]:
    todo = [(Box(0, len(left), 0, len(right)), 0)]
    while todo:
        box, depth = todo.pop()
        a, c = box.a, box.c
        while a < box.b and c < box.d and left.exact[a] == right.exact[c]:
            yield a, c
            a, c = a + 1, c + 1
        box = box._replace(a=a, c=c)
        if a == box.b or c == box.d:
            continue
        fixed = _fixed_points(left.meaning, right.meaning, box) if depth < DEPTH_MOST else []
        if not fixed:
            yield from _between(left, right, box)
            continue
        yield from fixed
        for i, j in [*fixed, (box.b, box.d)]:
            if i > a and j > c:
                todo.append((Box(a, i, c, j), depth + 1))
            a, c = i + 1, j + 1


def _fixed_points(left: Sequence[int], right: Sequence[int], box: Box) -> list[Place]:
    """What is there once on either side, as much of it as is in order."""
    once = _once(left, box.a, box.b)
    there = _once(right, box.c, box.d)
    found = sorted((i, there[number]) for number, i in once.items() if number in there)
    return _ascending(found)


def _once(numbers: Sequence[int], start: int, end: int) -> dict[int, int]:
    counts = Counter(numbers[start:end])
    return {numbers[i]: i for i in range(start, end) if counts[numbers[i]] == 1}


def _ascending(places: list[Place]) -> list[Place]:
    """The longest part of `places`, which ascend on the left, that ascends on the right too."""
    ends: list[int] = []
    last: list[int] = []
    before: list[int] = []
    for index, (_, j) in enumerate(places):
        length = bisect_left(ends, j)
        before.append(last[length - 1] if length else -1)
        if length == len(ends):
            ends.append(j)
            last.append(index)
        else:
            ends[length], last[length] = j, index
    chain: list[Place] = []
    index = last[-1] if last else -1
    while index >= 0:
        chain.append(places[index])
        index = before[index]
    return chain[::-1]


def _between(left: Keys, right: Keys, box: Box) -> list[Place]:
    """Commands that are there again and again. Of two ways the one with more pairs, then with more that are exact.

    By their letters first finds which of many fetches is missing; by meaning alone pairs those of two servers that
    give other UIDs.
    """
    by_meaning = list(common(left.meaning, right.meaning, box))
    ours, theirs = Counter(left.exact[box.a : box.b]), Counter(right.exact[box.c : box.d])
    if (ours & theirs).total() <= sum(left.exact[i] == right.exact[j] for i, j in by_meaning):
        return by_meaning  # no way has more that are exact
    by_letters: list[Place] = []
    a, c = box.a, box.c
    for i, j in [*common(left.exact, right.exact, box), (box.b, box.d)]:
        by_letters += common(left.meaning, right.meaning, Box(a, i, c, j))
        if i < box.b:
            by_letters.append((i, j))
        a, c = i + 1, j + 1

    def worth(places: list[Place]) -> tuple[int, int]:
        return len(places), sum(left.exact[i] == right.exact[j] for i, j in places)

    return max(by_letters, by_meaning, key=worth)


# --- what is left over ----------------------------------------------------------------------------------------------


def _moved(left: Keys, right: Keys, ours: list[int], theirs: list[int]) -> Iterator[Place]:
    """Blocks of two or more that stand elsewhere, and single commands that are left over once on either side."""
    free = set(theirs)
    places: dict[int, list[int]] = defaultdict(list)
    for j in theirs:
        places[right.meaning[j]].append(j)
    counts = Counter(left.meaning[i] for i in ours)
    waiting = set(ours)
    for start in ours:
        if start not in waiting:
            continue
        candidates = [j for j in places.get(left.meaning[start], ())[:CANDIDATES_MOST] if j in free]
        blocks = [list(_block(left, right, (start, j), waiting, free)) for j in candidates]
        longest = max(blocks, key=len) if blocks else []
        telling = any(not proves_nothing(left.verb[i]) for i, _ in longest)
        single = len(longest) == 1 and counts[left.meaning[start]] == len(places[left.meaning[start]]) == 1
        if telling and (len(longest) > 1 or single):
            yield from longest
            waiting.difference_update(i for i, _ in longest)
            free.difference_update(j for _, j in longest)


def _block(left: Keys, right: Keys, start: Place, waiting: set[int], free: set[int]) -> Iterator[Place]:
    i, j = start
    while i in waiting and j in free and left.meaning[i] == right.meaning[j]:
        yield i, j
        i, j = i + 1, j + 1


def _near(left: Keys, right: Keys, gaps: list[tuple[list[int], list[int]]]) -> Iterator[Place]:
    """In a gap: those of the same command and mailbox, then of the same command."""
    for ours, theirs in gaps:
        topics = [left.topic[i] for i in ours], [right.topic[j] for j in theirs]
        verbs = [left.verb[i] for i in ours], [right.verb[j] for j in theirs]
        a = c = 0
        for i, j in [*common(*topics, Box(0, len(ours), 0, len(theirs))), (len(ours), len(theirs))]:
            yield from ((ours[x], theirs[y]) for x, y in common(*verbs, Box(a, i, c, j)))
            if i < len(ours):
                yield ours[i], theirs[j]
            a, c = i + 1, j + 1
