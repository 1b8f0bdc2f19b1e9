"""Removing gives room back, and takes nothing that anybody else needs."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import func, select, update

from storage import Check, Session, Store, Writer, tables
from storage import prune as pruning
from storage.check import Flaw
from tests.storage.scenes import S, Wire, eventually, exchange, opened, record, together

if TYPE_CHECKING:
    from proxy.imap.transcript import Record

HOUR = 3600
COMMON = os.urandom(50_000)


def fill(store: Store, name: str, age: float = 0.0, size: int = 400_000) -> Session:
    """A recording begun `age` seconds ago, with a body of its own and one that all share."""
    wire = Wire()
    said: list[Record] = [*wire.literal(COMMON), *wire.literal(os.urandom(size)), wire.span(0)]
    session = record(store, [opened(), *said, exchange(), opened(2), exchange(1, 2)], name)
    store.add_note("remark", session.recording, session)
    with store.writing() as connection:
        started = time.time_ns() // 1000 - int(age * 1_000_000)
        mine = tables.recording.c.name == name
        connection.execute(update(tables.recording).where(mine).values(started=started))
    return session


def counts(store: Store) -> dict[str, int]:
    with store.reading() as connection:
        return {
            name: connection.execute(select(func.count()).select_from(table)).scalar_one()
            for name, table in tables.metadata.tables.items()
        }


@pytest.mark.parametrize("at_once", [200, 3])
def test_removing_leaves_no_orphans(store: Store, monkeypatch: pytest.MonkeyPatch, at_once: int) -> None:
    monkeypatch.setattr(pruning, "_ROWS", at_once)
    fill(store, "gone")
    kept = fill(store, "kept")
    before = counts(store)
    removed = store.remove(store.recording("gone"))
    assert (removed.recordings, removed.bodies) == (("gone",), 1)
    shared = {"body", "extent"}
    assert {name: 2 * count for name, count in counts(store).items() if name not in shared} == {
        name: count for name, count in before.items() if name not in shared
    }
    assert counts(store)["body"] == 2
    assert {finding.flaw for finding in Check(store).findings()} <= {Flaw.EXCHANGE}, "made-up counts only"
    assert together(store.stream(kept, S)).startswith(COMMON)
    assert store.remove(store.recording("kept")).bodies == 2
    assert set(counts(store).values()) == {0}


def test_nothing_of_what_is_removed_stays_beside_what_is_kept(store: Store) -> None:
    """Bodies of one recording share an extent, and another recording may need one of them."""
    letters = [bytes([number]) * 5000 for number in (1, 2, 3)]
    wire = Wire()
    record(store, [opened(), *(piece for letter in letters for piece in wire.literal(letter)), wire.closed()], "gone")
    other = Wire()
    kept = record(store, [opened(), *other.literal(letters[1]), other.closed()], "kept")
    store.remove(store.recording("gone"))
    assert together(store.stream(kept, S)) == letters[1]
    with store.reading() as connection:
        assert connection.execute(select(tables.extent.c.data)).scalars().all() == [letters[1]]
    assert list(Check(store).findings()) == []


def test_a_file_shrinks(sqlite: Store, tmp_path: Path) -> None:
    fill(sqlite, "gone", size=3_000_000)
    fill(sqlite, "kept", size=10_000)
    before = (tmp_path / "recordings.db").stat().st_size
    removed = sqlite.remove(sqlite.recording("gone"))
    after = (tmp_path / "recordings.db").stat().st_size
    assert removed.bytes_freed >= 3_000_000
    assert before - after >= 3_000_000


def test_pruning_by_age(store: Store) -> None:
    for name, age in (("new", 0), ("old", 3 * HOUR), ("older", 5 * HOUR)):
        fill(store, name, age, 10_000)
    assert store.prune(older_than=6 * HOUR).recordings == ()
    assert store.prune(older_than=2 * HOUR).recordings == ("older", "old")
    assert [recording.name for recording in store.recordings()] == ["new"]


def test_pruning_by_size_takes_the_oldest(store: Store) -> None:
    for name, age in (("new", 0), ("oldest", 5 * HOUR), ("old", 3 * HOUR)):
        fill(store, name, age)
    limit = pruning.used(store) - 500_000
    assert store.prune(max_bytes=limit).recordings == ("oldest", "old")
    assert store.prune(max_bytes=limit).recordings == ()
    assert [recording.name for recording in store.recordings()] == ["new"]
    assert store.prune(max_bytes=0).recordings == ("new",)


def test_removing_beside_a_recorder(store: Store) -> None:
    """A recorder goes on writing the very body that is being removed; it ends up stored."""
    wire = Wire()
    fill(store, "gone")
    writer = Writer(store, "live")
    writer.put(opened())
    for piece in wire.literal(COMMON):
        writer.put(piece)
    eventually(lambda: [p for s in store.sessions(writer.recording) for p in store.pieces(s, S) if p.blake3])
    store.remove(store.recording("gone"))
    for piece in wire.literal(COMMON):
        writer.put(piece)
    writer.close()
    assert not writer.failed
    session = next(store.sessions(writer.recording))
    assert together(store.stream(session, S)) == COMMON * 2
    assert counts(store)["body"] == 1
