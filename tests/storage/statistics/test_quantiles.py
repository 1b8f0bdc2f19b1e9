"""Percentiles: exact where they are said to be, within 1 % beyond, and never more memory than promised."""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from storage.statistics.quantiles import EXACT, Quantiles
from storage.statistics.values import Durations

if TYPE_CHECKING:
    from collections.abc import Iterable


def counted(values: Iterable[int], exact: int = EXACT) -> Durations:
    quantiles = Quantiles(exact)
    for value in values:
        quantiles.add(value)
    return quantiles.durations()


def percentiles(durations: Durations) -> tuple[int | None, ...]:
    return durations.p50, durations.p90, durations.p99, durations.longest


def test_of_nothing() -> None:
    assert counted([]) == Durations(0, 0, None, None, None, None, exact=True)


def test_of_one() -> None:
    assert counted([7]) == Durations(1, 7, 7, 7, 7, 7, exact=True)


def test_of_a_hundred() -> None:
    assert counted(range(100, 0, -1)) == Durations(100, 5050, 50, 90, 99, 100, exact=True)


def test_the_nearest_rank_is_rounded_up() -> None:
    assert percentiles(counted([1, 2, 3, 4])) == (2, 4, 4, 4)
    assert percentiles(counted([1, 2, 3])) == (2, 3, 3, 3)


def test_beyond_the_limit_it_says_so() -> None:
    assert counted([5] * 10, exact=10).exact
    assert not counted([5] * 11, exact=10).exact
    assert percentiles(counted([5] * 11, exact=10)) == (5, 5, 5, 5)


@given(st.lists(st.integers(0, 2**62), min_size=1, max_size=200), st.integers(0, 50))
def test_within_one_percent(values: list[int], exact: int) -> None:
    found, rising = counted(values, exact), sorted(values)
    assert (found.count, found.total, found.longest) == (len(values), sum(values), rising[-1])
    assert found.exact == (len(values) <= exact)
    for percent, value in ((50, found.p50), (90, found.p90), (99, found.p99)):
        right = rising[math.ceil(len(rising) * percent / 100) - 1]
        assert value is not None
        assert abs(value - right) * 100 <= (0 if found.exact else right)


def test_memory_is_bounded() -> None:
    """Every class there can be, three times: each kept once."""
    quantiles = Quantiles(10)
    for shift in range(57):
        for first in range(128):
            for _ in range(3):
                quantiles.add(first << shift)
    classes = quantiles._classes
    assert len(classes) == 128 + 56 * 64
    assert len(quantiles._values) == 0
    assert sys.getsizeof(classes) < 500_000
