"""Segments in whatever order they were captured."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from imaptap.importing.tcp import Order

START = (1 << 32) - 10
"""The numbers go round in the midst of it."""


def _taken(segments: list[tuple[int, bytes]]) -> tuple[bytes, Order]:
    order = Order()
    order.begin(START - 1)
    return b"".join(part for seq, data in segments for part in order.take((START + seq) % (1 << 32), data)), order


@given(st.binary(max_size=60), st.data())
def test_in_any_order_and_more_than_once(stream: bytes, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.sets(st.integers(0, len(stream)), max_size=6)) | {0, len(stream)})
    segments = [(a, stream[a:b]) for a, b in itertools.pairwise(cuts)]
    again = data.draw(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=4))
    segments += [(min(a, b), stream[min(a, b) : max(a, b)]) for a, b in again]
    taken, order = _taken(data.draw(st.permutations(segments)))
    assert (taken, order.torn) == (stream, False)


def test_what_comes_behind_a_hole_waits() -> None:
    taken, order = _taken([(0, b"abc"), (5, b"fgh")])
    assert (taken, order.torn, order.hopeless) == (b"abc", True, False)


def test_not_for_ever() -> None:
    _, order = _taken([(1 + at * 60_000, bytes(60_000)) for at in range(80)])
    assert order.hopeless


def test_many_small_ones_do_not_wait_for_ever_either() -> None:
    _, order = _taken([(1 + 2 * at, b"x") for at in range(70_000)])
    assert order.hopeless


def test_what_waits_costs_nothing_while_others_come() -> None:
    """It would take minutes, were all that waits looked at each time."""
    count = 60_000
    waiting = [(count + at, b"y") for at in reversed(range(1, count))]
    taken, order = _taken([*waiting, *((at, b"x") for at in range(count + 1))])
    assert (taken, order.torn) == (b"x" * (count + 1) + b"y" * (count - 1), False)


def test_without_its_beginning_it_begins_with_what_comes_first() -> None:
    order = Order()
    assert b"".join(order.take(77, b"x")) + b"".join(order.take(78, b"y")) == b"xy"
