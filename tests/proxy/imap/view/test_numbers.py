"""Numbers and UIDs: against a mailbox of which all is known, in rows, and how much a million of them cost."""

from __future__ import annotations

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.imap.view.numbers import NUMBERS_MOST, UID_MOST, Numbers, Run

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("arrive"), st.integers(1, 5), st.integers(1, 3)),
        st.tuples(st.just("tell"), st.integers(0, 40), st.just(0)),
        st.tuples(st.just("expunge"), st.integers(0, 40), st.just(0)),
        st.tuples(st.just("vanish"), st.integers(0, 40), st.integers(1, 4)),
    ),
    max_size=60,
)


def known(numbers: Numbers) -> dict[int, int]:
    return {run.number + step: run.uid + step for run in numbers.runs() for step in range(run.length)}


@given(STEPS)
def test_what_is_known_is_so(steps: list[tuple[str, int, int]]) -> None:
    """A server that tells of some UIDs, and of all that comes and goes: nothing is known that is not true."""
    mailbox: list[int] = []
    numbers, newest, told = Numbers(), 0, set[int]()
    for what, where, many in steps:
        place = where % max(1, len(mailbox))
        if what == "arrive":
            for _ in range(where):
                newest += many
                mailbox.append(newest)
            numbers.exists(len(mailbox))
        elif mailbox and what == "tell":
            numbers.tie(place + 1, mailbox[place])
            told.add(mailbox[place])
        elif mailbox and what == "expunge":
            uid = mailbox.pop(place)
            assert numbers.expunge(place + 1) == (uid if uid in told else None)
        elif mailbox:
            gone = [mailbox.pop(place) for _ in range(min(many, len(mailbox) - place))]
            first = last = gone[0]
            for uid in gone[1:]:
                if uid > last + 1:
                    assert numbers.vanish(first, last) == last - first + 1
                    first = uid
                last = uid
            assert numbers.vanish(first, last) == last - first + 1
        assert numbers.count == len(mailbox)
        assert known(numbers) == {index: uid for index, uid in enumerate(mailbox, 1) if uid in told}
        assert numbers.known == len(known(numbers))


def mailbox(*uids: int) -> Numbers:
    """0 is a UID that nobody knows."""
    numbers = Numbers()
    numbers.exists(len(uids))
    for number, uid in enumerate(uids, 1):
        numbers.tie(number, uid)
    return numbers


@pytest.mark.parametrize(
    ("uids", "first", "last", "gone", "left", "count"),
    [
        # a range that also names UIDs that never were
        ((3, 6, 9), 4, 8, 1, {1: 3, 2: 9}, 2),
        ((3, 6, 9), 1, 100, 3, {}, 0),
        ((3, 0, 6, 0, 9), 3, 9, 5, {}, 0),
        # unknown ones between UIDs of the range are in it
        ((2, 5, 0, 7, 20), 4, 8, 3, {1: 2, 2: 20}, 2),
        # one that may be 8, or above: what has a number above it is not known any more
        ((2, 5, 0, 20), 4, 8, 1, {1: 2}, 3),
        # ... or below
        ((2, 0, 5, 20), 4, 19, 1, {1: 2}, 3),
        ((0, 0, 20), 5, 9, 0, {}, 3),
        ((0, 0, 20), 1, 9, 0, {}, 3),
        ((0, 0, 20), 1, 19, 2, {1: 20}, 1),
        # all that lie between 10 and 13 are in it
        ((10, 0, 13), 5, 12, 2, {1: 13}, 1),
        # nothing there
        ((3, 6), 4, 5, 0, {1: 3, 2: 6}, 2),
        ((3, 6), 6, 5, 0, {1: 3, 2: 6}, 2),
        ((), 1, UID_MOST, 0, {}, 0),
    ],
)
def test_vanished(uids: tuple[int, ...], first: int, last: int, gone: int, left: dict[int, int], count: int) -> None:
    numbers = mailbox(*uids)
    assert numbers.vanish(first, last) == gone
    assert (known(numbers), numbers.count) == (left, count)


def test_what_cannot_be_is_passed_over() -> None:
    numbers = mailbox(3, 6)
    for number, uid in ((0, 1), (3, 9), (1, 0), (2, UID_MOST + 1), (-1, 5)):
        numbers.tie(number, uid)
    assert numbers.expunge(0) is None
    assert numbers.expunge(3) is None
    assert (known(numbers), numbers.count) == ({1: 3, 2: 6}, 2)
    assert numbers.uid(3) is None


def test_a_mailbox_of_any_size_costs_nothing_until_something_is_known() -> None:
    numbers = Numbers()
    numbers.exists(2**63)
    numbers.tie(NUMBERS_MOST + 1, 5)
    numbers.expunge(2**62)
    assert (numbers.count, numbers.known, list(numbers.runs())) == (2**63 - 1, 0, [])


def test_a_million_messages_cost_four_bytes_each() -> None:
    count = 1_000_000
    tracemalloc.start()
    try:
        numbers = Numbers()
        numbers.exists(count)
        numbers.tie(count, 2 * count)
        assert tracemalloc.get_traced_memory()[0] < 5 * count
    finally:
        tracemalloc.stop()
    assert list(numbers.runs()) == [Run(count, 2 * count, 1)]
    assert numbers.expunge(1) is None
    assert numbers.uid(count - 1) == 2 * count
