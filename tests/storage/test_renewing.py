"""Connections to SQLite do not remember every letter that was ever read through them."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import event

from storage import renewing
from tests.storage.scenes import S, together
from tests.storage.test_extents import told

if TYPE_CHECKING:
    from storage import Store

LETTERS = 12


@pytest.fixture
def made(sqlite: Store) -> list[object]:
    """The connections that were made since."""
    connections: list[object] = []

    def connected(connection: object, _record: object) -> None:
        connections.append(connection)

    event.listen(sqlite.engine, "connect", connected)
    return connections


def test_readers_and_recorders_get_new_ones(sqlite: Store, made: list[object], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(renewing, "BLOBS_MOST", 3)
    said = told(sqlite, [os.urandom(1_000_000) for _ in range(LETTERS)])
    assert len(made) >= LETTERS // 3, "the recorder has kept its own"
    made.clear()
    session = sqlite.session(sqlite.recording("letters"), 1)
    assert together(sqlite.stream(session, S)) == said
    assert LETTERS // 3 - 1 <= len(made) <= LETTERS // 3 + 1


def test_those_that_are_new_are_tuned_as_the_first_one_was(sqlite: Store, made: list[object]) -> None:
    def looked() -> list[object]:
        with sqlite.reading() as connection:
            words = ("cache_size", "foreign_keys", "synchronous", "journal_size_limit")
            return [connection.exec_driver_sql(f"PRAGMA {word}").scalar() for word in words]

    before = looked()
    old = replaced(sqlite)
    assert (looked(), len(made)) == (before, 1)
    with sqlite.reading() as connection:
        assert connection.connection.driver_connection is not old


def test_the_log_stays(sqlite: Store) -> None:
    """As the last connection of a file is closed SQLite copies all of it, while a recorder waits."""
    log = Path(f"{sqlite.where}-wal")
    told(sqlite, [os.urandom(1000)])
    with sqlite.writing() as connection:
        connection.exec_driver_sql("UPDATE recording SET host = 'another'")
    size = log.stat().st_size
    assert size > 0
    replaced(sqlite)
    assert log.stat().st_size == size


def test_where_no_other_can_be_had_the_old_one_does(sqlite: Store) -> None:
    def refused(connection: object, _record: object) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    event.listen(sqlite.engine, "connect", refused)
    old = replaced(sqlite)
    with sqlite.reading() as connection:
        assert connection.connection.driver_connection is old
        assert connection.exec_driver_sql("SELECT 1").scalar() == 1


def replaced(store: Store) -> renewing.CountingConnection:
    """The connection that was taken, when it had opened enough."""
    with store.reading() as connection:
        driver = connection.connection.driver_connection
        assert isinstance(driver, renewing.CountingConnection)
        driver.opened = renewing.BLOBS_MOST
        renewing.renew(connection)
    return driver


def test_nobody_is_interrupted(sqlite: Store, made: list[object], monkeypatch: pytest.MonkeyPatch) -> None:
    """Who has one keeps it, and what it sees; with few letters nobody gets another one."""
    told(sqlite, [os.urandom(100_000) for _ in range(3)])
    made.clear()
    monkeypatch.setattr(renewing, "BLOBS_MOST", 2)
    session = sqlite.session(sqlite.recording("letters"), 1)
    with sqlite.snapshot() as connection:
        first = connection.connection.driver_connection
        for piece in sqlite.pieces(session, S):
            if piece.blake3:
                assert len(sqlite.body(piece.blake3)) == piece.length
        assert connection.connection.driver_connection is first
        assert connection.exec_driver_sql("SELECT count(*) FROM body").scalar() == 3
