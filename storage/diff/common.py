"""The longest common subsequence of two sequences of numbers, in linear space.

After E. W. Myers, "An O(ND) Difference Algorithm and Its Variations", Algorithmica 1 (1986), section 4b: the middle of
an optimal path is looked for from both ends, then that of either half. Where the two have little in common, the search
for a middle is given up after COST_MOST steps and goes on from the furthest point: then what is found is common, and
in order, but may not be the longest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

COST_MOST = 128


class Box(NamedTuple):
    """A part of both: left from `a` up to `b`, right from `c` up to `d`."""

    a: int
    b: int
    c: int
    d: int


def common(left: Sequence[int], right: Sequence[int], box: Box) -> Iterator[tuple[int, int]]:
    """Places of equal numbers in both, ascending on either side."""
    # What only one side has would be in the way of the search.
    both = set(left[box.a : box.b]).intersection(right[box.c : box.d])
    ours = [i for i in range(box.a, box.b) if left[i] in both]
    theirs = [j for j in range(box.c, box.d) if right[j] in both]
    numbers = [left[i] for i in ours], [right[j] for j in theirs]
    return ((ours[x], theirs[y]) for x, y in _common(*numbers))


def _common(left: list[int], right: list[int]) -> Iterator[tuple[int, int]]:
    todo = [Box(0, len(left), 0, len(right))]
    while todo:
        a, b, c, d = todo.pop()
        while a < b and c < d and left[a] == right[c]:
            yield a, c
            a, c = a + 1, c + 1
        end = b
        while a < b and c < d and left[b - 1] == right[d - 1]:
            b, d = b - 1, d - 1
        if end > b:
            todo.append(Box(b, end, d, d + end - b))
        if a < b and c < d:
            x, y = _middle(left, right, Box(a, b, c, d))
            todo += [Box(x, b, y, d), Box(a, x, c, y)]


class _Front:
    """How far one of the two searches has come on each diagonal: `reached[k]` is x, where x - y is k."""

    def __init__(self, box: Box) -> None:
        self.reached = {1: 0}
        self.width, self.height = box.b - box.a, box.d - box.c

    def diagonals(self, step: int) -> range:
        """Those that have anything in the box after `step` steps."""
        low = -step + 2 * max(0, step - self.height)
        high = step - 2 * max(0, step - self.width)
        return range(low, high + 1, 2)

    def begin(self, k: int, step: int) -> int:
        """Where it stands on diagonal `k` before it slides along what is equal."""
        right, down = self.reached.get(k - 1, -1), self.reached.get(k + 1, -1)
        return down if k == -step or (k != step and right < down) else right + 1

    def furthest(self) -> tuple[int, int]:
        """The point of most progress that lies in the box."""
        points = ((min(x, self.width), min(x, self.width) - k) for k, x in self.reached.items())
        inside = ((x, y) for x, y in points if 0 <= y <= self.height and x >= 0)
        return max(inside, key=sum)


def _middle(left: Sequence[int], right: Sequence[int], box: Box) -> tuple[int, int]:
    """A point on a path through the box, neither its first nor its last corner."""
    a, b, c, d = box
    forward, backward = _Front(box), _Front(box)
    width, height = b - a, d - c
    delta = width - height
    for step in range(width + height + 1):
        for k in forward.diagonals(step):
            x = forward.begin(k, step)
            y = x - k
            while x < width and y < height and left[a + x] == right[c + y]:
                x, y = x + 1, y + 1
            forward.reached[k] = x
            if delta % 2 and x + backward.reached.get(delta - k, -width) >= width and abs(delta - k) < step:
                return _inside(a + x, c + y, box)
        for k in backward.diagonals(step):
            x = backward.begin(k, step)
            y = x - k
            while x < width and y < height and left[b - 1 - x] == right[d - 1 - y]:
                x, y = x + 1, y + 1
            backward.reached[k] = x
            if not delta % 2 and x + forward.reached.get(delta - k, -width) >= width and abs(delta - k) <= step:
                return _inside(b - x, d - y, box)
        if step >= COST_MOST:
            break
    x, y = forward.furthest()
    return _inside(a + x, c + y, box)


def _inside(x: int, y: int, box: Box) -> tuple[int, int]:
    """Never a corner that would leave the whole box to do again."""
    if (x, y) == (box.a, box.c):
        return x + 1, y
    if (x, y) == (box.b, box.d):
        return x - 1, y
    return x, y
