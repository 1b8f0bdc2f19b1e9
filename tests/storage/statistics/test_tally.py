"""Counting sessions that were put together by hand."""

from __future__ import annotations

import pytest

from proxy.imap.transcript import Outcome
from storage.statistics import Durations, Fetched, Repeats
from storage.statistics.tally import COMMANDS_KEPT, OTHERS, Tally, round_trips
from storage.statistics.values import Division, Fact, Letter
from tests.storage.statistics.facts import fact, said, told

TRIPS = [
    (said("NOOP"), 1),
    (said("LOGIN", "{3} {6}"), 3),
    (said("LOGIN", "{3} {6+}"), 2),
    (said("APPEND", "INBOX (\\Seen) ~{310}"), 2),
    (said("APPEND", "INBOX {310}", marks=("literal refused",), status="NO"), 1),
    (said("APPEND", "{5} {310}", marks=("literal refused",), status="NO"), 2),
    (said("APPEND", "INBOX {5+}", marks=("literal refused",), status="NO"), 1),
    (said("SELECT", '"a {5}"'), 1),
    (said("AUTHENTICATE", "PLAIN xxxx", units=1), 1),
    (said("AUTHENTICATE", "LOGIN", units=3), 3),
    (said("IDLE", units=2), 2),
    (said("IDLE", units=1, status="NO"), 1),
]


@pytest.mark.parametrize(("each", "expected"), TRIPS, ids=lambda each: str(each)[:60])
def test_round_trips(each: Fact, expected: int) -> None:
    assert round_trips(each) == expected


FIRST = [
    fact(10, 12, 20, "LOGIN", "{3} x", client_bytes=30, server_bytes=40),
    fact(30, 30, 36, "STATUS", "A ()", client_bytes=10, server_bytes=50, status="NO"),
    fact(40, 40, 44, "STATUS", "A ()", client_bytes=10, server_bytes=50),
    fact(50, 90, 95, "IDLE", units=2, responses=(("EXISTS", 2), ("OK", 1)), client_bytes=12, server_bytes=60),
    fact(100, 115, 120, "IDLE", units=2, responses=(("OK", 1),), client_bytes=12, server_bytes=20),
    fact(130, 130, 170, "FETCH", "1 BODY[]", letters=(Letter(1, 5000),), client_bytes=9, server_bytes=5100),
    fact(180, 180, 200, "FETCH", "2 BODY[]", letters=(Letter(1, 5000),), client_bytes=9, server_bytes=5100),
    fact(210, 210, None, "NOOP", client_bytes=5, server_bytes=0),
]
SECOND = [
    fact(5, 5, 8, "STATUS", "A ()", client_bytes=10, server_bytes=50),
    fact(8, 8, 9, "NOOP", outcome=Outcome.INCOMPLETE, status=None, client_bytes=5, server_bytes=7),
]


def counted(**options: bool | int) -> Tally:
    tally = Tally(top=int(options.get("top", 10)), by_session=bool(options.get("by_session", False)))
    tally.add(told(FIRST, number=2, end=220))
    tally.add(told(SECOND, number=1, end=12))
    return tally


def test_by_command() -> None:
    found = {each.command: each for each in counted().statistics().commands}
    assert list(found) == ["FETCH", "STATUS", "LOGIN", "IDLE", "NOOP"]  # by time, then by count
    status = found["STATUS"]
    assert (status.count, status.refused, status.unfinished, status.round_trips) == (3, 1, 0, 3)
    assert status.latency == Durations(3, 13, 4, 6, 6, 6, exact=True)
    assert status.waited == 13
    assert (status.client_bytes, status.server_bytes) == (30, 150)
    assert status.repeats == Repeats(1, 4), "not in the other session"
    assert found["FETCH"].fetched == Fetched(1, 0, 5000)
    assert (found["LOGIN"].latency.total, found["LOGIN"].waited, found["LOGIN"].round_trips) == (10, 8, 2)
    noop = found["NOOP"]
    assert (noop.count, noop.unfinished, noop.latency.count, noop.round_trips) == (2, 2, 0, 0)
    assert (noop.client_bytes, noop.server_bytes) == (10, 7)
    assert (found["IDLE"].count, found["IDLE"].latency.count, found["IDLE"].waited) == (2, 0, 0)


def test_in_all() -> None:
    summary = counted().statistics().summary
    assert summary.session is None
    everything = summary.all
    assert (summary.sessions, everything.count, everything.unfinished, everything.refused) == (2, 10, 2, 1)
    assert everything.latency == Durations(6, 83, 6, 40, 40, 40, exact=True)  # 3 4 6 10 20 40
    assert everything.round_trips == 2 + 1 + 1 + 2 + 2 + 1 + 1 + 1
    assert (everything.client_bytes, everything.server_bytes) == (112, 10477)
    first = Division(
        opening=10, server=8 + 6 + 4 + 40 + 20 + 10, sending=2, idle=45 + 20, client=10 + 4 + 6 + 5 + 10 + 10 + 10
    )
    assert first.total == 220
    second = Division(opening=5, server=3 + 1, client=3)
    assert summary.division == Division(*map(sum, zip(first, second, strict=True)))
    assert summary.pipelining.most == 1


def test_idle() -> None:
    idling = counted().statistics().summary.idling
    assert idling.lasted == Durations(2, 55, 15, 40, 40, 40, exact=True)
    assert (idling.woken, idling.news, idling.longest_gap) == (1, 2, 10)  # DONE at 90, IDLE at 100


def test_an_idle_that_was_never_done_lasts_to_its_end() -> None:
    tally = Tally()
    tally.add(told([fact(10, 10, 50, "IDLE", outcome=Outcome.BYE, status=None, responses=(("BYE", 1),))], end=50))
    idling = tally.statistics().summary.idling
    assert (idling.lasted.longest, idling.news, idling.longest_gap) == (40, 0, None)


def test_no_gap_from_one_session_to_the_other() -> None:
    tally = Tally()
    for number in (1, 2):
        tally.add(told([fact(10, 40, 50, "IDLE", units=2)], number=number, end=60))
    assert tally.statistics().summary.idling.longest_gap is None


def test_by_session() -> None:
    counts = counted(by_session=True).statistics()
    assert [each.session and each.session.number for each in counts.sessions] == [1, 2]
    second, first = counts.sessions
    assert (first.all.count, second.all.count) == (8, 2)
    assert (first.division.total, second.division.total) == (220, 12)
    assert first.idling == counts.summary.idling
    assert counted().statistics().sessions == ()


def test_the_slowest() -> None:
    slowest = counted(top=3).statistics().slowest
    assert [(each.session.number, each.exchange.command, each.took) for each in slowest] == [
        (2, "FETCH", 40), (2, "FETCH", 20), (2, "LOGIN", 10),
    ]  # fmt: skip
    assert counted(top=0).statistics().slowest == ()
    assert len(counted(top=100).statistics().slowest) == 6, "neither IDLE nor what has no answer"


def test_of_equals_the_first() -> None:
    tally = Tally(top=2)
    tally.add(told([fact(at, at, at + 5, arguments=str(at)) for at in (10, 20, 30)], end=50))
    assert [each.exchange.arguments for each in tally.statistics().slowest] == ["10", "20"]


def test_what_was_not_chosen_is_not_counted_but_changes_things() -> None:
    tally = Tally(by_session=True)
    facts = [
        fact(10, 10, 20, "STATUS", "A"), fact(30, 30, 40, "STORE", "1 +FLAGS X", chosen=False),
        fact(50, 50, 60, "STATUS", "A"), fact(70, 70, 80, "STATUS", "A"),
    ]  # fmt: skip
    tally.add(told(facts, end=90))
    counts = tally.statistics()
    assert [each.command for each in counts.commands] == ["STATUS"]
    assert counts.summary.all.repeats == Repeats(1, 10)
    assert counts.summary.division == Division(opening=10, server=30, client=50)


def test_a_client_that_makes_up_commands() -> None:
    tally = Tally()
    tally.add(told((fact(at, at, at + 1, f"X{at}") for at in range(10, 20 + COMMANDS_KEPT)), end=1000))
    counts = tally.statistics()
    assert len(counts.commands) == COMMANDS_KEPT + 1
    assert {each.command: each.count for each in counts.commands}[OTHERS] == 10
    assert counts.summary.all.count == COMMANDS_KEPT + 10
