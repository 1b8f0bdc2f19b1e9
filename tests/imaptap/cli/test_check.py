"""`imaptap check`."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from storage import Writer, open_store
from tests.imaptap.telling import Tale

if TYPE_CHECKING:
    from tests.imaptap.cli.conftest import Program


@pytest.fixture
def damaged(two: Program) -> Program:
    """A database whose first recording lacks an exchange and a letter's bytes."""
    with closing(sqlite3.connect(two.db)) as database:
        database.execute("DELETE FROM exchange WHERE number = 2 AND session_id = 1")
        database.execute("UPDATE extent SET data = zeroblob(length(data))")
        database.commit()
    return two


def test_all_is_well(two: Program) -> None:
    assert two.lines("check") == ["# recordings: 2, sessions: 3, bodies: 1. Nothing is wrong."]
    assert two.lines("check", "last") == ["# recordings: 1, sessions: 1, bodies: 0. Nothing is wrong."]
    assert two.lines("check", "typed", "1") == ["# recordings: 1, sessions: 2, bodies: 1. Nothing is wrong."]


def test_all_is_well_in_json(two: Program) -> None:
    assert two.json("check", "short") == {
        "recordings": [{"recording": 2, "name": "short", "state": "ended"}],
        "sessions": 1,
        "bodies": 0,
        "left_out": 0,
        "findings": [],
    }


def test_what_is_wrong_is_said_with_its_place(damaged: Program) -> None:
    done = damaged("check")
    assert (done.exit_code, done.stderr) == (1, "")
    *findings, summary = done.stdout.splitlines()
    assert findings[0] == "typed/1/3: it follows exchange 1: what was between them is missing"
    assert findings[1].startswith("typed/1 client at 27: the span belongs to exchange 2")
    assert findings[-1].startswith("body: ")
    assert findings[-1].endswith("has other bytes than its hash says")
    assert summary == f"# recordings: 2, sessions: 3, bodies: 1. {len(findings)} findings."


def test_what_is_wrong_in_json(damaged: Program) -> None:
    done = damaged("check", "typed", "--json")
    assert done.exit_code == 1
    assert (
        '{"kind": "exchange", "recording": 1, "session": 1, "exchange": 3, "direction": null, "offset": null, "text":'
        in done.stdout
    )
    assert damaged("check", "short").exit_code == 0


def test_a_recorder_that_died_is_no_finding_but_told(program: Program) -> None:
    with open_store(program.db, create=True) as store:
        writer = Writer(store, "torn-off")
        writer.put(*Tale().say("S: * OK hello\nC: a1 NOOP").so_far())
        writer.close()
    with closing(sqlite3.connect(program.db)) as database:
        database.execute("UPDATE recording SET ended = NULL, seen = 0")
        database.execute("UPDATE session SET ending = NULL")
        database.execute("UPDATE exchange SET outcome = 'open'")
        database.commit()
    note, summary = program.lines("check")
    assert note.startswith("# torn-off: its recorder died.")
    assert "Nothing is wrong" in summary


def test_nothing_to_check(program: Program) -> None:
    open_store(program.db, create=True).close()
    assert program.lines("check") == ["# recordings: 0, sessions: 0, bodies: 0. Nothing is wrong."]
    assert "nothing-of-this-name" in program.refused("check", "nothing-of-this-name")
    program.db.unlink()
    assert "no recordings at" in program.refused("check")
    assert not program.db.exists()


def test_letters_that_were_not_kept_are_counted(weeded: Program) -> None:
    assert weeded.lines("check") == ["# recordings: 1, sessions: 1, bodies: 0, not kept: 1. Nothing is wrong."]
    assert weeded.json("check", "weeded")["left_out"] == 1
    with closing(sqlite3.connect(weeded.db)) as database:
        database.execute("UPDATE piece SET left_out = x'00' WHERE left_out IS NOT NULL")
        database.commit()
    said = weeded("check")
    assert said.exit_code == 1
    assert "weeded/1 server at " in said.stdout
    assert "has something else than a SHA-256" in said.stdout
