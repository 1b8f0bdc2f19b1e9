"""When the database fails: nothing waits for ever, nothing vanishes in silence, the recording says what it lacks."""

from __future__ import annotations

import contextlib
import errno
import os
import resource
import sqlite3
import threading
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError

from storage import Store, Writer, open_store
from storage import writer as writer_module
from storage.pen import UnansweredError
from storage.trouble import explain, lasting, passing
from storage.watch import GoneError
from tests.servers.faults import fill, small_disk
from tests.storage.losing import Listener, check, lose_and_find
from tests.storage.scenes import C, S, Wire, eventually, exchange, opened, together

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.servers.postgresql import PostgreSQL


pytestmark = pytest.mark.usefixtures("hurry")


def failed(text: str) -> OperationalError:
    """As SQLAlchemy raises what a driver says."""
    return OperationalError("INSERT", {}, Exception(text))


@dataclass(frozen=True)
class Disk:
    """A folder on a disk that `fill` leaves without room, until `free`; then a recorder says `message`."""

    folder: Path
    fill: Callable[[], None]
    free: Callable[[], None]
    message: str


@contextlib.contextmanager
def full_disk(folder: Path) -> Iterator[Disk]:
    """One of 3 MB: only root may mount it."""
    with small_disk(folder, 3):
        yield Disk(folder, lambda: fill(folder), (folder / "filler").unlink, "There is no room left on the disk of")


@contextlib.contextmanager
def limited_files(folder: Path) -> Iterator[Disk]:
    """No file of this process may grow: that is an error which SQLite tells from a full disk, but a writer need not."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

    def fill() -> None:
        size = (folder / "x.db-wal").stat().st_size
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))

    def free() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    try:
        yield Disk(folder, fill, free, "Reading or writing")
    finally:
        free()


@pytest.mark.parametrize("kind", [full_disk, limited_files])
def test_a_full_disk(tmp_path: Path, kind: Callable[[Path], contextlib.AbstractContextManager[Disk]]) -> None:
    listener = Listener()
    with kind(tmp_path) as disk, open_store(tmp_path / "x.db", create=True) as store:
        writer = Writer(store, patience=0.1, on_trouble=listener)
        wire = lose_and_find(writer, listener, disk.fill, disk.free)
        check(store, writer, wire)
        assert listener.heard(disk.message)
        assert all(listener.hints[:-1])


def test_a_file_that_may_not_grow(sqlite: Store) -> None:
    limit = [0]

    def restrict(connection: object) -> None:
        connection.exec_driver_sql(f"PRAGMA max_page_count = {limit[0] or 2**30}")  # type: ignore[attr-defined]

    event.listen(sqlite.engine, "begin", restrict)
    listener = Listener()
    writer = Writer(sqlite, patience=0.1, on_trouble=listener)
    wire, big = Wire(direction=C), Wire(2)
    for record in (opened(), opened(2), wire.say(b"hello")):
        writer.put(record)
    eventually(lambda: writer._queue._done_bytes == writer._queue._put_bytes)
    limit[0] = 1
    data = os.urandom(300_000)
    for piece in big.literal(data):
        writer.put(piece)
    eventually(lambda: listener.heard("UNRECORDED"))
    limit[0] = 0
    eventually(lambda: listener.heard("works again"))
    writer.close()
    session = sqlite.session(sqlite.recording("last"), 2)
    assert together(sqlite.stream(session, S)) == data, "the batch that failed was kept"


def test_a_lock_that_passes_loses_nothing(tmp_path: Path, sqlite: Store) -> None:
    listener = Listener()
    writer = Writer(sqlite, patience=60, on_trouble=listener)
    writer.put(opened())
    with closing(sqlite3.connect(tmp_path / "recordings.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        writer.put(exchange())
        eventually(lambda: listener.heard("is locked by another program"))
        assert not writer.failed
        other.execute("ROLLBACK")
    eventually(lambda: listener.heard("nothing was lost"))
    writer.close()
    assert not writer.failed
    assert sqlite.totals(sqlite.recording("last")).exchanges == 1


def test_a_lock_that_stays_lets_traffic_go_on(tmp_path: Path, sqlite: Store) -> None:
    listener = Listener()
    with closing(sqlite3.connect(tmp_path / "recordings.db", isolation_level=None)) as other:
        writer = Writer(sqlite, patience=0.1, on_trouble=listener)
        wire = lose_and_find(
            writer, listener, lambda: other.execute("BEGIN IMMEDIATE"), lambda: other.execute("ROLLBACK")
        )
    check(sqlite, writer, wire)


def test_the_server_goes_away_and_comes_back(postgresql: PostgreSQL) -> None:
    listener = Listener()
    with open_store(postgresql.new_database(), create=True) as store:
        writer = Writer(store, patience=0.1, on_trouble=listener)
        wire = lose_and_find(writer, listener, postgresql.stop, postgresql.start)
        check(store, writer, wire)


def test_the_server_restarts_and_nothing_is_lost(postgresql: PostgreSQL) -> None:
    listener = Listener()
    with open_store(postgresql.new_database(), create=True) as store:
        writer = Writer(store, patience=60, on_trouble=listener)
        writer.put(opened())
        postgresql.stop()
        writer.put(exchange())
        eventually(lambda: listener.heard("held up"))
        postgresql.start()
        eventually(lambda: listener.heard("nothing was lost"))
        writer.close()
        assert not writer.failed
        assert store.totals(store.recording("last")).exchanges == 1


def test_no_error_of_the_database_quotes_parameters(store: Store) -> None:
    with store.engine.connect() as connection, pytest.raises(DBAPIError) as failed:
        connection.execute(text("INSERT INTO nowhere VALUES (:text)"), {"text": "Dear Anna"})
    assert "nowhere" in str(failed.value)
    assert "Anna" not in str(failed.value)


@pytest.mark.parametrize("replaced", [False, True])
def test_a_file_that_is_deleted_underneath_is_noticed(
    sqlite: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, replaced: bool
) -> None:
    monkeypatch.setattr(writer_module, "LOOK_SECONDS", 0.01)
    listener = Listener()
    writer = Writer(sqlite, on_trouble=listener, patience=0.1)
    file = tmp_path / "recordings.db"
    file.rename(tmp_path / "elsewhere.db")
    if replaced:
        file.touch()
    eventually(lambda: listener.heard(f"Recording is held up: The database {file} was deleted or replaced"))
    eventually(lambda: listener.heard(f"Traffic goes on UNRECORDED: The database {file} was deleted or replaced"))
    writer.put(opened())
    writer.close()
    assert writer.failed
    assert listener.heard("Recording ended in failure: 0 records with 0 bytes")
    assert len(listener.messages) == 3, "each thing is said once"
    assert all(listener.hints)


def test_a_file_that_is_deleted_before_the_end_is_noticed(sqlite: Store, tmp_path: Path) -> None:
    listener = Listener()
    writer = Writer(sqlite, on_trouble=listener, patience=0.1)
    (tmp_path / "recordings.db").rename(tmp_path / "elsewhere.db")
    writer.close()
    assert writer.failed
    assert listener.heard("was deleted or replaced")
    assert listener.heard("Recording ended in failure")


def test_a_file_that_comes_back_is_written_to_again(sqlite: Store, tmp_path: Path) -> None:
    """With what it missed told, and nothing lost of what came within the writer's patience."""
    listener = Listener()
    file, elsewhere = tmp_path / "recordings.db", tmp_path / "elsewhere.db"
    writer = Writer(sqlite, on_trouble=listener, patience=0.1)
    wire = lose_and_find(writer, listener, lambda: file.rename(elsewhere), lambda: elsewhere.rename(file))
    check(sqlite, writer, wire)


def test_a_log_that_is_deleted_underneath_is_noticed(sqlite: Store, tmp_path: Path) -> None:
    """SQLite would put what is committed into a file that nobody else can see."""
    listener = Listener()
    writer = Writer(sqlite, on_trouble=listener, patience=0.1)
    (tmp_path / "recordings.db-wal").unlink()
    writer.put(opened())
    eventually(lambda: listener.heard("was deleted or replaced"))
    writer.close()
    assert writer.failed


def test_listeners_that_fail_are_survived(
    sqlite: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise ValueError("deaf")

    writer = Writer(sqlite, on_trouble=fail)
    writer.when_drained(fail)
    eventually(lambda: "nobody heard" in caplog.text)
    called = threading.Event()
    writer.when_drained(called.set)
    assert called.wait(60)
    writer.close()


def test_a_lock_at_the_very_end_is_waited_for(tmp_path: Path, sqlite: Store) -> None:
    with closing(sqlite3.connect(tmp_path / "recordings.db", isolation_level=None, check_same_thread=False)) as other:
        writer = Writer(sqlite, patience=60)
        other.execute("BEGIN IMMEDIATE")
        closing_ = threading.Thread(target=writer.close)
        closing_.start()
        eventually(lambda: writer._queue.closing)
        other.execute("ROLLBACK")
        closing_.join()
    assert not writer.failed
    assert sqlite.recording("last").ended


def test_a_recording_that_cannot_be_ended_is_told(tmp_path: Path, sqlite: Store) -> None:
    listener = Listener()
    with closing(sqlite3.connect(tmp_path / "recordings.db", isolation_level=None)) as other:
        writer = Writer(sqlite, patience=0.1, on_trouble=listener)
        other.execute("BEGIN IMMEDIATE")
        writer.close()
        other.execute("ROLLBACK")
    assert not writer.failed
    assert listener.heard("could not be marked as ended")


def test_ending_in_failure_is_told(tmp_path: Path, sqlite: Store) -> None:
    listener = Listener()
    with closing(sqlite3.connect(tmp_path / "recordings.db", isolation_level=None)) as other:
        writer = Writer(sqlite, patience=0.1, on_trouble=listener)
        other.execute("BEGIN IMMEDIATE")
        writer.put(opened())
        eventually(lambda: listener.heard("UNRECORDED"))
        writer.put(exchange())
        writer.close()
        other.execute("ROLLBACK")
    assert writer.failed
    assert listener.heard("ended in failure: 1 records")


@pytest.mark.parametrize(
    ("error", "waits", "for_good"),
    [
        (failed("database is locked"), True, False),
        (failed("database or disk is full"), True, False),
        (failed("disk I/O error"), True, False),
        (failed("attempt to write a readonly database"), True, True),
        (failed("database disk image is malformed"), True, True),
        (failed("file is not a database"), True, True),
        (failed("connection refused"), True, False),
        (GoneError("It was deleted."), True, True),
        (UnansweredError("here"), True, False),
        (IntegrityError("INSERT", {}, Exception("UNIQUE constraint failed")), False, False),
        (TypeError("a bug"), False, False),
    ],
    ids=str,
)
def test_what_may_pass_and_what_nobody_waits_for(tmp_path: Path, error: Exception, waits: bool, for_good: bool) -> None:
    assert passing(error) is waits
    assert lasting(error, str(tmp_path / "x.db")) is for_good


def test_a_disk_error_where_nobody_may_write_is_said_to_be_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite says the same of a broken disk."""
    opened_: list[Path] = []

    def refuse(file: Path, _: int) -> int:
        opened_.append(file)
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr("storage.trouble.os.open", refuse)
    error, where = failed("disk I/O error"), str(tmp_path / "x.db")
    assert str(explain(error, where)) == f"{where} cannot be written to: it has become read-only."
    assert lasting(error, where)
    assert opened_ == [tmp_path / "x.db-wal"] * 2, "to close the file itself would give up SQLite's locks on it"
