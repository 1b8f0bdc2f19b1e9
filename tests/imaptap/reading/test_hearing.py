"""Sessions heard from a store as the linter hears them: both sides in one order, bodies passed over."""

from __future__ import annotations

import sqlite3
import tracemalloc
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from imaptap.reading.hearing import Hearing, Lost, findings
from proxy.imap.transcript import Ending
from storage import Store, Writer, open_store
from tests.imaptap.telling import C, S, Tale, recorded

if TYPE_CHECKING:
    from pathlib import Path

    from proxy.imap.transcript import Record
    from storage import Session

LOGIN = (
    "S: * OK [CAPABILITY IMAP4rev1 IDLE] hi\nC: l LOGIN bob sesame\nS: * CAPABILITY IMAP4rev1 IDLE\nS: l OK in\n"
    "C: s SELECT x\nS: * FLAGS ()\nS: * OK [PERMANENTFLAGS ()] x\nS: * 1 EXISTS\nS: * 0 RECENT\n"
    "S: * OK [UIDVALIDITY 1] x\nS: * OK [UIDNEXT 2] x\nS: s OK [READ-WRITE] done"
)
BYE = "C: z LOGOUT\nS: * BYE bye\nS: z OK done"


@pytest.fixture
def db(tmp_path: Path) -> Path:
    return tmp_path / "imaptap.db"


def only_session(store: Store) -> Session:
    return next(store.sessions(store.recording("last")))


def heard(db: Path, records: list[Record]) -> list[str]:
    """Who said what, each unit by its first word or two."""
    recorded(db, records)
    with open_store(db, create=False) as store:
        return [
            "lost" if isinstance(each, Lost) else f"{each.direction.name[0]}: {each.line.decode()}"
            for each in Hearing(store, only_session(store)).whole()
        ]


def found(db: Path) -> list[str]:
    with open_store(db, create=False) as store:
        return [f"{each.exchange} {each.rule.id}" for each in findings(store, only_session(store))]


def test_both_sides_come_in_the_order_in_which_they_spoke(db: Path) -> None:
    tale = Tale().say(
        "S: * OK hi\nC: a NOOP\nC: b NOOP\nS: b OK\nS: a OK\nC: c IDLE\nS: + go\nS: * OK still here\nC: DONE\nS: c OK"
    )
    assert heard(db, tale.end()) == [
        *("S: * OK hi", "C: a NOOP", "C: b NOOP", "S: b OK", "S: a OK"),
        *("C: c IDLE", "S: + go", "S: * OK still here", "C: DONE", "S: c OK"),
    ]


def test_a_command_stands_before_the_go_ahead_for_its_literal(db: Path) -> None:
    tale = Tale().say("S: * OK hi\nC: a APPEND x {5000}\nS: + go").send(C, b"y" * 5000 + b"\r\n").say("S: a OK")
    assert heard(db, tale.end()) == ["S: * OK hi", "C: a APPEND x {5000}", "S: + go", "S: a OK"]


def test_a_clean_session_has_no_findings(db: Path) -> None:
    recorded(db, Tale().say(f"{LOGIN}\n{BYE}").end())
    assert found(db) == []


@pytest.mark.parametrize("max_literal", [None, 5000])
def test_where_a_body_lies_elsewhere_or_was_not_kept_what_follows_it_is_read(db: Path, max_literal: int | None) -> None:
    tale = Tale().say(f"{LOGIN}\nC: a FETCH 1 (BODY[])").send(S, b"* 1 FETCH (BODY[] {9000}\r\n" + b"x" * 9000)
    recorded(db, tale.say(f"S:  UID  7)\nS: a OK done\n{BYE}").end(), max_literal=max_literal)
    assert found(db) == ["3 doubled-space"]


def test_a_rewritten_list_is_the_servers_own(db: Path) -> None:
    greeting = b"* OK [CAPABILITY IMAP4rev1 LOGINDISABLED IDLE] hi\r\n"
    words = b" IMAP4rev1 LOGINDISABLED IDLE"
    tale = Tale().rewrite(S, greeting.index(words), words, b" IMAP4rev1 IDLE").send(S, greeting)
    recorded(db, tale.say(f"C: l LOGIN bob sesame\nS: l NO no\n{BYE}").end())
    assert found(db) == []


def test_a_hole_ends_what_is_known(db: Path) -> None:
    tale = Tale()
    for part in (LOGIN, "C: c CLOSE\nS: c OK done", "C: a UID FETCH 1 UID\nS: a BAD no", BYE):
        tale.say(part).so_far()  # so that each is a piece of its own
    recorded(db, tale.end())
    assert found(db) == ["4 uid-without-selected"]
    with closing(sqlite3.connect(db)) as database:
        starts = database.execute("SELECT start FROM span WHERE direction = 1 AND exchange = 3").fetchall()
        assert database.execute("DELETE FROM piece WHERE direction = 1 AND offset = ?", starts[0]).rowcount == 1
        database.commit()
    assert found(db) == []


def test_a_session_that_goes_on_is_not_judged_by_its_end(db: Path) -> None:
    with open_store(db, create=True) as store:
        writer = Writer(store, "live")
        for record in Tale().say(LOGIN).so_far():
            writer.put(record)
        writer.close()
    assert found(db) == []


def test_how_it_ended_is_judged(db: Path) -> None:
    recorded(db, Tale().say(f"{LOGIN}\nC: a NOOP").end(Ending.SERVER))
    assert found(db) == ["None no-bye", "3 no-answer"]


def test_a_long_session_takes_little_memory(db: Path) -> None:
    tale = Tale().say(LOGIN)
    for number in range(1500):
        tale.say(f"C: a{number} FETCH 1 FLAGS\nS: * 1 FETCH (FLAGS (\\Seen))\nS: a{number} OK done")
        if number % 20 == 0:
            tale.so_far()  # as a recorder takes them, every few milliseconds
    recorded(db, tale.say(BYE).end())
    with open_store(db, create=False) as store:
        session = only_session(store)
        assert list(findings(store, session)) == []  # whatever is loaded once is loaded now
        tracemalloc.start()
        try:
            assert list(findings(store, session)) == []
            assert tracemalloc.get_traced_memory()[1] < 12 * 1024 * 1024
        finally:
            tracemalloc.stop()
