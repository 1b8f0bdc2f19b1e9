"""Pairs by rows, and against all pairs that there can be."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.end_to_end.pairing import pairs

ROWS: list[tuple[str, dict[str, dict[str, float]], dict[str, str]]] = [
    ("nobody", {}, {}),
    ("nobody fits", {"a": {}}, {}),
    ("the nearest", {"a": {"x": 2, "y": 1}}, {"a": "y"}),
    (
        "who can have no other takes the nearest of another",
        {"a": {"x": 1, "y": 2}, "b": {"x": 3}},
        {"a": "y", "b": "x"},
    ),
    ("over two", {"a": {"x": 1, "y": 2}, "b": {"y": 1, "z": 9}, "c": {"x": 1}}, {"a": "y", "b": "z", "c": "x"}),
    ("the sum counts", {"a": {"x": 1, "y": 3}, "b": {"x": 2, "y": 9}}, {"a": "y", "b": "x"}),
    ("too few: who comes first", {"a": {"x": 5}, "b": {"x": 1}}, {"a": "x"}),
    ("one that nobody is near to is left", {"a": {"x": 1, "y": 8}, "b": {"z": 1}}, {"a": "x", "b": "z"}),
]


@pytest.mark.parametrize(("costs", "expected"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_rows(costs: dict[str, dict[str, float]], expected: dict[str, str]) -> None:
    assert pairs(costs) == expected


@given(st.lists(st.dictionaries(st.integers(0, 3), st.integers(0, 9)), max_size=4))
def test_no_other_choice_is_better(table: list[dict[int, int]]) -> None:
    """None has more pairs, and none that pairs the same ones costs less."""
    found = pairs(dict(enumerate(table)))
    choices = [_way(chosen) for chosen in product(*([None, *places] for places in table))]
    ways = [way for way in choices if len(set(way.values())) == len(way)]
    assert found in ways
    assert len(found) == max(map(len, ways))
    assert _sum(table, found) == min(_sum(table, way) for way in ways if way.keys() == found.keys())


def _way(chosen: tuple[int | None, ...]) -> dict[int, int]:
    return {number: place for number, place in enumerate(chosen) if place is not None}


def _sum(table: list[dict[int, int]], way: dict[int, int]) -> int:
    return sum(table[number][place] for number, place in way.items())
