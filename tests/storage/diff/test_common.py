"""The longest common subsequence, beside a table that tries everything."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.diff.common import COST_MOST, Box, common

Numbers = list[int]
few = st.lists(st.integers(0, 3), max_size=14)


def longest(left: Numbers, right: Numbers) -> int:
    """How long it is, by the table of all beginnings."""
    row = [0] * (len(right) + 1)
    for one in left:
        above, row = row, [0] * (len(right) + 1)
        for place, other in enumerate(right):
            row[place + 1] = above[place] + 1 if one == other else max(above[place + 1], row[place])
    return row[-1]


def whole(left: Numbers, right: Numbers) -> list[tuple[int, int]]:
    """All of both."""
    return list(common(left, right, Box(0, len(left), 0, len(right))))


def rising(places: list[tuple[int, int]]) -> bool:
    """Whether both sides ascend."""
    return all(a < c and b < d for (a, b), (c, d) in pairwise(places))


@given(few, few)
def test_it_is_common_ascending_and_as_long_as_can_be(left: Numbers, right: Numbers) -> None:
    """Of small sequences the longest, always."""
    found = whole(left, right)
    assert all(left[i] == right[j] for i, j in found)
    assert rising(found)
    assert len(found) == longest(left, right)


@given(few, few, few)
def test_only_the_box_is_looked_at(before: Numbers, left: Numbers, right: Numbers) -> None:
    """What stands around it does not matter."""
    shift = len(before)
    box = Box(shift, shift + len(left), shift, shift + len(right))
    found = list(common([*before, *left, *before], [*before, *right, *before], box))
    assert [(i - shift, j - shift) for i, j in found] == whole(left, right)


@pytest.mark.parametrize("kinds", [2, 40, 10**9])
def test_sequences_with_little_in_common_end_soon(kinds: int) -> None:
    """The search for a middle is given up; what is found is common and in order all the same."""
    chance = random.Random(kinds)  # noqa: S311
    left, right = ([chance.randrange(kinds) for _ in range(20 * COST_MOST)] for _ in range(2))
    found = whole(left, right)
    assert all(left[i] == right[j] for i, j in found)
    assert rising(found)
    assert len(found) > (0 if kinds < 100 else -1)


def test_a_few_changes_in_a_long_sequence_are_all_that_is_lost() -> None:
    """Every hundredth left out."""
    chance = random.Random(5)  # noqa: S311
    left = [chance.randrange(9) for _ in range(5000)]
    right = [number for place, number in enumerate(left) if place % 100]
    assert len(whole(left, right)) == len(right)
