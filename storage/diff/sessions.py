"""Which session of one recording is the counterpart of which of another's."""

from __future__ import annotations

from collections import defaultdict, deque
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence

FIRST = 12
"""Commands by which a session is known."""
_FEW = 4


class Opening(NamedTuple):
    """How a session begins: its number, what its LOGIN said (its hash; None: it had none), what its commands mean."""

    number: int
    login: int | None
    first: tuple[int, ...]


_GRADES: tuple[Callable[[Opening], Hashable], ...] = (
    lambda each: (each.login, each.first),
    lambda each: (each.login, each.first[:_FEW]) if each.first else None,
    lambda each: each.login,
    lambda each: each.first or None,
    lambda each: each.first[:_FEW] or None,
    lambda _: True,
)


def pair_sessions(
    left: Sequence[Opening], right: Sequence[Opening]
) -> list[tuple[Opening | None, Opening | None]]:
    """Each session of either recording once, with its counterpart or None: by the left numbers, then the right ones.

    Of those who log in alike and begin alike the first goes with the first; then those who log in alike, those who
    begin alike, and at last those that are left over in their order. Sessions run side by side, so that their order
    alone says little.
    """
    ours, theirs = list(left), list(right)
    counterparts: dict[int, Opening] = {}
    for grade in _GRADES:
        for one, other in _alike(ours, theirs, grade):
            counterparts[one.number] = other
        taken = {other.number for other in counterparts.values()}
        ours = [each for each in ours if each.number not in counterparts]
        theirs = [each for each in theirs if each.number not in taken]
    return _in_order(left, counterparts, theirs)


def _alike(
    ours: Sequence[Opening], theirs: Sequence[Opening], grade: Callable[[Opening], Hashable]
) -> Iterator[tuple[Opening, Opening]]:
    waiting: dict[Hashable, deque[Opening]] = defaultdict(deque)
    for other in theirs:
        waiting[grade(other)].append(other)
    for one in ours:
        mark = grade(one)
        if mark is not None and waiting[mark]:
            yield one, waiting[mark].popleft()


def _in_order(
    left: Sequence[Opening], counterparts: dict[int, Opening], extra: Iterable[Opening]
) -> list[tuple[Opening | None, Opening | None]]:
    paired: list[tuple[Opening | None, Opening | None]] = [(one, counterparts.get(one.number)) for one in left]
    return paired + [(None, other) for other in extra]
