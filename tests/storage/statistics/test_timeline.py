"""Who waited for whom: exchanges as (started, sent, ended), and what must come of them, worked out by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.statistics.timeline import Timeline
from storage.statistics.values import Division, Fact, Pipelining
from tests.storage.statistics.facts import fact


def divided(facts: list[Fact], end: int | None) -> tuple[Division, Pipelining]:
    timeline = Timeline()
    for each in facts:
        timeline.add(each)
    return timeline.close(end)


ROWS = {
    "nothing was said": ([], 50, Division(opening=50), (0, 0, 0)),
    "one after the other": (
        [fact(10, 12, 20), fact(30, 30, 35)], 40,
        Division(opening=10, server=8 + 5, sending=2, client=10 + 5), (1, 15, 15),
    ),
    "pipelined: what two wait for together counts once": (
        [fact(10, 10, 20), fact(12, 12, 25)], 25, Division(opening=10, server=15), (2, 10 + 13, 15),
    ),
    "one within the other": (
        [fact(10, 10, 40), fact(15, 15, 20)], 40, Division(opening=10, server=30), (2, 35, 30),
    ),
    "answered while the next is being sent": (
        [fact(0, 0, 10), fact(5, 20, 30)], 30, Division(server=10 + 10, sending=10), (2, 10 + 25, 30),
    ),
    "answered before it was sent whole": ([fact(10, 30, 20)], 40, Division(10, 0, 10, 0, 20), (1, 10, 10)),
    "the next begins when the last has ended": (
        [fact(10, 10, 20), fact(20, 20, 30)], 30, Division(opening=10, server=20), (1, 20, 20),
    ),
    "IDLE is nobody's waiting, and not in flight": (
        [fact(10, 40, 50, "IDLE", units=2)], 60, Division(opening=10, idle=40, client=10), (0, 0, 0),
    ),
    "a command right behind DONE": (
        [fact(10, 40, 50, "IDLE", units=2), fact(40, 40, 55)], 55, Division(10, 15, 0, 30, 0), (1, 15, 15),
    ),
    "never answered": ([fact(10, 10, None)], 30, Division(opening=10, server=20), (1, 20, 20)),
    "the session is open: counted to the last word": (
        [fact(10, 10, 20), fact(25, 28, None)], None, Division(10, 10, 3, 0, 5), (1, 13, 13),
    ),
    "answered at once": ([fact(10, 10, 10)], 20, Division(opening=10, client=10), (1, 0, 0)),
}  # fmt: skip


@pytest.mark.parametrize("row", ROWS)
def test_division(row: str) -> None:
    facts, end, division, pipelining = ROWS[row]
    assert divided(facts, end) == (division, Pipelining(*pipelining))


def test_the_mean() -> None:
    assert Pipelining(2, 23, 15).mean == 23 / 15
    assert Pipelining().mean is None


_moments = st.lists(
    st.tuples(st.integers(0, 60), st.integers(0, 20), st.integers(0, 30), st.sampled_from(("NOOP", "IDLE"))), max_size=8
)


@given(_moments, st.integers(100, 200))
def test_each_moment_counts_once(moments: list[tuple[int, int, int, str]], end: int) -> None:
    """Against counting moment by moment."""
    facts = [fact(at, at + some, at + more, command) for at, some, more, command in sorted(moments)]
    division, pipelining = divided(facts, end)
    counts = [0] * 5
    first = min((each.exchange.started for each in facts), default=end)
    depth = [0] * end
    for moment in range(end):
        waiting = sending = idle = False
        for each in facts:
            exchange = each.exchange
            assert exchange.ended is not None
            if exchange.started <= moment < exchange.ended:
                idle |= exchange.command == "IDLE"
                waiting |= exchange.command != "IDLE" and moment >= each.sent
                sending |= exchange.command != "IDLE"
                depth[moment] += exchange.command != "IDLE"
        counts[1 if waiting else 2 if sending else 3 if idle else 4 if moment >= first else 0] += 1
    assert list(division) == counts
    assert (pipelining.area, pipelining.busy) == (sum(depth), sum(map(bool, depth)))
    assert pipelining.most >= max(depth)
