"""When the database fails: nothing waits for ever, nothing vanishes in silence, the recording says what it lacks."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import subprocess
import threading
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError

from proxy.imap.transcript import Direction, Event, EventKind, Outcome, SessionClosed
from storage import GapError, Store, Writer, open_store
from storage import writer as writer_module
from storage.ledger import Ledger
from storage.loss import Loss
from tests.storage.scenes import C, S, Wire, begun, eventually, exchange, opened, together

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from storage.batch import Batch
    from tests.storage.conftest import Server


class Listener:
    """Hears of trouble."""

    def __init__(self) -> None:
        self.messages: list[str] = []
        self.hints: list[str] = []

    def __call__(self, message: str, hint: str) -> None:
        self.messages.append(message)
        self.hints.append(hint)

    def heard(self, words: str) -> bool:
        return any(words in message for message in self.messages)


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retry soon: these tests wait for retries."""
    monkeypatch.setattr(writer_module, "_RETRY_SECONDS", 0.02)
    monkeypatch.setattr(writer_module, "_RETRY_LOST_SECONDS", 0.05)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on a disk of 3 MB of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if (
        os.geteuid() != 0
        or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", folder], check=False).returncode
    ):
        pytest.skip("only root can mount a disk to fill")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def lose_and_find(writer: Writer, listener: Listener, break_: Callable[[], None], mend: Callable[[], None]) -> Wire:
    """A session that is recorded, lost, and recorded again."""
    wire = Wire()
    for record in (opened(), wire.say(b"before "), begun(1)):
        writer.put(record)
    eventually(lambda: writer._queue._done_bytes == writer._queue._put_bytes)
    break_()
    writer.put(wire.say(b"kept "))
    eventually(lambda: listener.heard("UNRECORDED"))
    assert writer.failed
    lost = wire.say(b"lost " * 1000)
    for record in (lost, exchange(1), exchange(2)):
        writer.put(record)
    eventually(lambda: writer._loss is not None and writer._loss.records == 3)
    mend()
    eventually(lambda: listener.heard("works again"))
    for record in (wire.say(b"after"), exchange(3), wire.closed()):
        writer.put(record)
    writer.close()
    return wire


def check(store: Store, writer: Writer, wire: Wire) -> None:
    assert writer.failed
    recording = store.recording("last")
    session = next(store.sessions(recording))
    with pytest.raises(GapError) as hole:
        together(store.stream(session, S))
    assert (hole.value.start, hole.value.end) == (12, 5012)
    assert together(store.stream(session, S, 0, 12)) == b"before kept "
    assert together(store.stream(session, S, 5012)) == b"after"
    (gap,) = store.events(session, EventKind.GAP)
    assert (gap.direction, gap.offset, gap.length) == (S, 12, 5000)
    assert "3 records with 5000 bytes" in gap.text
    (whole,) = store.recording_events(recording, EventKind.GAP)
    assert "3 records with 5000 bytes" in whole.text
    outcomes = [stored.exchange.outcome for stored in store.exchanges(session)]
    assert outcomes == [Outcome.INCOMPLETE, Outcome.COMPLETED]
    assert session.server_bytes == len(wire.stream)


def test_a_full_disk(small_disk: Path) -> None:
    filler = small_disk / "filler"
    listener = Listener()
    with open_store(small_disk / "x.db", create=True) as store:
        writer = Writer(store, patience=0.1, on_trouble=listener)

        def fill() -> None:
            with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
                while file.write(bytes(4096)):
                    pass

        wire = lose_and_find(writer, listener, fill, filler.unlink)
        check(store, writer, wire)
    assert listener.heard("There is no room left on the disk of")
    assert any("Free some space" in hint for hint in listener.hints)


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


def test_the_server_goes_away_and_comes_back(server: Server) -> None:
    listener = Listener()
    with open_store(server.new_database(), create=True) as store:
        writer = Writer(store, patience=0.1, on_trouble=listener)
        wire = lose_and_find(writer, listener, server.stop, server.start)
        check(store, writer, wire)


def test_the_server_restarts_and_nothing_is_lost(server: Server) -> None:
    listener = Listener()
    with open_store(server.new_database(), create=True) as store:
        writer = Writer(store, patience=60, on_trouble=listener)
        writer.put(opened())
        server.stop()
        writer.put(exchange())
        eventually(lambda: listener.heard("held up"))
        server.start()
        eventually(lambda: listener.heard("nothing was lost"))
        writer.close()
        assert not writer.failed
        assert store.totals(store.recording("last")).exchanges == 1


def test_a_batch_that_can_never_be_written_is_let_go_and_told(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    listener = Listener()
    write = Ledger.write

    def choke(self: Ledger, batch: Batch) -> None:
        if any(e.tag == "poison" for e in batch.exchanges.values()):
            raise TypeError("cannot be written")
        write(self, batch)

    monkeypatch.setattr(Ledger, "write", choke)
    writer = Writer(store, on_trouble=listener)
    wire = Wire()
    for record in (opened(), exchange(1, tag="poison"), wire.say(b"gone")):
        writer.put(record)
    eventually(lambda: listener.heard("works again"))
    for record in (exchange(2), wire.say(b"there"), wire.closed()):
        writer.put(record)
    writer.close()
    assert writer.failed
    session = next(store.sessions(store.recording("last")))
    assert [stored.exchange.number for stored in store.exchanges(session)] == [2]
    assert [(gap.offset, gap.length) for gap in store.events(session, EventKind.GAP)] == [(0, 4)]


def test_a_fault_in_the_writer_itself_is_heard(sqlite: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    listener = Listener()
    writer = Writer(sqlite, on_trouble=listener)

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(writer._sorter, "sort", fail)
    writer.put(opened())
    eventually(lambda: listener.heard("The recorder failed: RuntimeError."))
    assert writer.failed
    assert not writer.full
    monkeypatch.undo()
    writer.close()
    assert sqlite.recording("last").ended


def test_a_fault_tells_nobody_what_was_to_be_written(
    sqlite: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    listener, letter = Listener(), "Dear " + "Anna"
    writer = Writer(sqlite, on_trouble=listener)

    def fail(*_: object, **__: object) -> None:
        raise ValueError(letter)

    monkeypatch.setattr(writer._sorter, "sort", fail)
    writer.put(opened())
    eventually(lambda: listener.heard("ValueError"))
    monkeypatch.undo()
    writer.close()
    assert "ValueError" in caplog.text
    assert "in _turn" in caplog.text, "where it happened"
    assert letter not in caplog.text
    assert not listener.heard("Dear")


def test_no_error_of_the_database_quotes_parameters(store: Store) -> None:
    with store.engine.connect() as connection, pytest.raises(DBAPIError) as failed:
        connection.execute(text("INSERT INTO nowhere VALUES (:text)"), {"text": "Dear Anna"})
    assert "nowhere" in str(failed.value)
    assert "Anna" not in str(failed.value)


@pytest.mark.parametrize("replaced", [False, True])
def test_a_file_that_is_deleted_underneath_is_noticed(
    sqlite: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, replaced: bool
) -> None:
    monkeypatch.setattr(writer_module, "HEARTBEAT_SECONDS", 0.01)
    listener = Listener()
    writer = Writer(sqlite, on_trouble=listener)
    file = tmp_path / "recordings.db"
    file.rename(tmp_path / "elsewhere.db")
    if replaced:
        file.touch()
    eventually(lambda: listener.heard(f"The database {file} is gone or was replaced"))
    assert writer.failed
    writer.close()
    assert len([message for message in listener.messages if "is gone" in message]) == 1
    assert all(listener.hints)


def test_a_file_that_is_deleted_before_the_end_is_noticed(sqlite: Store, tmp_path: Path) -> None:
    listener = Listener()
    writer = Writer(sqlite, on_trouble=listener)
    (tmp_path / "recordings.db").rename(tmp_path / "elsewhere.db")
    writer.close()
    assert writer.failed
    assert listener.heard("is gone or was replaced")


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


def test_loss_keeps_what_a_living_session_needs() -> None:
    loss = Loss(1_000_000, "no room.")
    wire = Wire(2)
    for record in (opened(1), opened(2), wire.say(b"abc"), wire.say(b"de"), exchange(1, 1), exchange(1, 3)):
        loss.take(record)
    loss.take(Wire(1).closed())
    loss.take(Wire(3).closed())
    assert (loss.records, loss.bytes, loss.sessions) == (4, 5, 1)
    said = loss.testimony(9_000_000, 400_000)
    assert said[0] == opened(2)
    assert isinstance(said[1], Event)
    assert (said[1].session, said[1].at) == (None, 600_000)
    assert "1 whole sessions" in said[1].text
    about = [(e.session, e.at, e.direction, e.offset, e.length) for e in said[2:-1] if isinstance(e, Event)]
    assert about == [(2, 10, Direction.SERVER, 0, 5), (3, 1000, None, None, None)]
    assert isinstance(said[-1], SessionClosed)
    assert said[-1].session == 3
