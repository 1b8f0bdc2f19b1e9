"""Sessions that are read by another process."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from imaptap.diffing.readers import Reader
from imaptap.reading.dialogues import all_dialogues
from storage import StorageError, open_store
from tests.imaptap.telling import Tale, recorded

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from storage import Session

MANY = 600
"""More than one parcel."""


@pytest.fixture
def db(tmp_path: Path) -> Path:
    """Three sessions: a long one, one in which nothing was asked, a short one with a question of imaptap's own."""
    asked = "\n".join(f"C: a{number} NOOP\nS: a{number} OK x" for number in range(MANY))
    short = Tale(3).say("S: * OK hi\nC: a LOGIN bob secret\nS: a OK x").ask("R1 NAMESPACE")
    short.say('S: * NAMESPACE (("" "/")) NIL NIL\nS: R1 OK x\nC: b LOGOUT\nS: * BYE x\nS: b OK x')
    tales = Tale(1).say("S: * OK hi\n" + asked), Tale(2).say("S: * OK hi"), short
    recorded(tmp_path / "imaptap.db", *(tale.end() for tale in tales), name="one")
    return tmp_path / "imaptap.db"


@contextlib.contextmanager
def reading(db: Path, text_most: int = 5) -> Generator[tuple[Reader, list[Session]], None, None]:
    """A reader of all its sessions."""
    with open_store(str(db), create=False) as store:
        sessions = list(store.sessions(store.recordings()[0]))
    with Reader(str(db), sessions, text_most) as reader:
        yield reader, sessions


def test_dialogues_are_those_that_one_would_read_oneself(db: Path) -> None:
    with reading(db) as (reader, sessions), open_store(str(db), create=False) as store:
        there = [list(reader.next()) for _ in sessions]
        assert there == [list(all_dialogues(store, session, 5)) for session in sessions]
    assert [len(dialogues) for dialogues in there] == [MANY, 0, 3]
    assert [dialogue.left_out for dialogue in there[-1]] == [0, 1, 1]


@pytest.mark.parametrize("taken", [0, MANY - 1])
def test_what_nobody_takes_is_passed_over(db: Path, taken: int) -> None:
    with reading(db) as (reader, _):
        first = reader.next()
        for _ in range(taken):
            next(first)
        assert list(reader.next()) == []
        assert [dialogue.exchange.command for dialogue in reader.next()] == ["LOGIN", "NAMESPACE", "LOGOUT"]
    assert not multiprocessing.active_children()  # none stays behind


def test_a_damaged_database_is_told_in_its_words(db: Path) -> None:
    with closing(sqlite3.connect(db)) as database, database:
        database.execute("UPDATE exchange SET outcome = 'nonsense'")
    with (
        reading(db) as (reader, _),
        pytest.raises(StorageError, match="The database is damaged: its table exchange") as told,
    ):
        list(reader.next())
    assert "imaptap check" in told.value.hint


def test_one_that_is_killed_is_missed(db: Path) -> None:
    with reading(db) as (reader, sessions):
        (process,) = multiprocessing.active_children()
        os.kill(process.pid or 0, signal.SIGKILL)
        process.join()
        with pytest.raises(StorageError, match=r"has died\.") as told:
            _ = [list(reader.next()) for _ in sessions]
    assert "memory" in told.value.hint
