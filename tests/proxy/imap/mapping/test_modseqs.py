"""Modification sequences of two servers: their order is kept (RFC 7162)."""

from __future__ import annotations

import random

import pytest

from proxy.imap.mapping.bijection import Bijection
from proxy.imap.mapping.modseqs import ModSeqs


def learnt(*pairs: tuple[int, int]) -> ModSeqs:
    made = ModSeqs()
    for recorded, replayed in pairs:
        made.learn(recorded, replayed)
    return made


@pytest.mark.parametrize(
    ("recorded", "replayed"),
    [(10, 70), (20, 71), (30, 90), (15, 70), (29, 71), (31, 90), (9, None), (2, None), (1, 1), (0, 0)],
)
def test_between_two_the_lower_one_counts(recorded: int, replayed: int | None) -> None:
    assert learnt((20, 71), (10, 70), (30, 90)).replayed(recorded) == replayed


def test_there_and_back() -> None:
    made = learnt((10, 70), (20, 71))
    assert [made.recorded(each) for each in (69, 70, 71, 100)] == [None, 10, 20, 20]


def test_the_newest_is_believed() -> None:
    made = learnt((10, 70), (20, 80), (30, 90), (15, 85))
    assert [made.replayed(each) for each in (10, 15, 20, 30)] == [70, 85, 85, 90]
    made.learn(10, 71)
    assert made.replayed(10) == 71
    made.learn(12, 71)
    assert [made.replayed(each) for each in (10, 12)] == [None, 71], "one value there stands for one here"


@pytest.mark.parametrize(
    ("recorded", "replayed", "agrees"),
    [(10, 70, True), (10, 71, False), (11, 70, False), (15, 75, True), (15, 85, False), (5, 60, True), (25, 99, True)],
)
def test_what_may_be_the_same_moment(recorded: int, replayed: int, agrees: bool) -> None:
    assert learnt((10, 70), (20, 80)).agrees(recorded, replayed) is agrees


def test_the_order_is_kept_whatever_is_learnt() -> None:
    dice = random.Random(7)  # noqa: S311 - no secret hangs on it
    for _ in range(200):
        made = ModSeqs()
        for _ in range(12):
            recorded, replayed = dice.randint(2, 15), dice.randint(2, 15)
            made.learn(recorded, replayed)
            assert made.exact(recorded, replayed)
            values = [made.replayed(each) or 0 for each in range(2, 17)]
            assert values == sorted(values)
            for here in range(2, 17):
                there = made.replayed(here)
                assert there is None or (made.recorded(there) or 0) <= here


def test_ids_are_paired_once() -> None:
    made = Bijection[str]()
    assert made.learn("M1", "x9")
    assert made.learn("M1", "x9")
    assert not made.learn("M1", "x8")
    assert not made.learn("M2", "x9")
    assert (made.replayed("M1"), made.recorded("x9")) == ("x9", "M1")
    assert (made.replayed("M2"), made.recorded("x8")) == (None, None)
