"""Who belongs to whom, where each may belong to several: one partner each, so that all together fit best."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

A = TypeVar("A", bound="Hashable")
B = TypeVar("B", bound="Hashable")
LESS = 1e-9
"""A way round counts as cheaper by this much: sums of the same floats in another order are not."""


def pairs(costs: Mapping[A, Mapping[B, float]]) -> dict[A, B]:
    """Each key with one of its candidates, and no candidate twice.

    As many have one as can; where there are too few, those that come first. Of all such choices it is one whose costs
    are the least in sum. (Shortest augmenting paths: each newcomer takes a place, whoever sits there moves on.)
    """
    owners: dict[B, A] = {}
    chosen: dict[A, B] = {}
    for newcomer in costs:
        place, asked_by = _cheapest_way(newcomer, costs, owners)
        while place is not None:
            mover = asked_by[place]
            left = chosen.get(mover)
            owners[place], chosen[mover] = mover, place
            place = left
    return chosen


def _cheapest_way(
    newcomer: A, costs: Mapping[A, Mapping[B, float]], owners: Mapping[B, A]
) -> tuple[B | None, dict[B, A]]:
    """The free place where it ends when the newcomer sits down and others move on; who takes each place on the way."""
    price: dict[B, float] = {}
    asked_by: dict[B, A] = {}
    spent = {newcomer: 0.0}
    asking = deque([newcomer])
    while asking:
        mover = asking.popleft()
        for place, cost in costs[mover].items():
            total = spent[mover] + cost
            if (place in price and total > price[place] - LESS) or owners.get(place) is mover:
                continue
            price[place], asked_by[place] = total, mover
            if (owner := owners.get(place)) is not None:
                spent[owner] = total - costs[owner][place]
                asking.append(owner)
    free = [place for place in price if place not in owners]
    return (min(free, key=lambda place: price[place]) if free else None), asked_by
