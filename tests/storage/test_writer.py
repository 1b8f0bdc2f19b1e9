"""The writer: everything arrives, soon, once; putting never waits; the event loop hears when there is room again."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import func, select

from proxy.imap.transcript import Ending, Event, EventKind, Layer, Outcome, Piece, Span
from storage import Check, StorageError, Store, Writer, open_store, tables
from storage import writer as writer_module
from storage.ledger import Ledger
from storage.queue import BATCH_BYTES, RecordQueue
from tests.storage.scenes import C, S, Wire, begun, eventually, exchange, opened, record

if TYPE_CHECKING:
    from storage.batch import Batch


def test_what_goes_in_comes_out(store: Store) -> None:
    wire = Wire()
    said = wire.say(b"* OK hello\r\n")
    span, stray = wire.span(0), wire.span(5, None)
    events = [
        Event(1, 3, EventKind.TLS, "handshake", "TLSv1.3", C),
        Event(None, 4, EventKind.NOTICE, "said once", "whole recording"),
        Event(1, 5, EventKind.SECRET, "password", "", C, 10, 6),
        Event(1, 6, EventKind.REWRITE, "capability", "", S, 0, 2, b"\x00\xff", b""),
    ]
    session = record(store, [opened(), said, span, stray, exchange(), *events, wire.closed(7)])
    assert [stored.exchange for stored in store.exchanges(session)] == [exchange()]
    assert store.exchange(session, 1).exchange == exchange()
    assert list(store.spans(session)) == [stray, span]
    assert list(store.spans(session, 1)) == [span]
    assert list(store.events(session)) == [events[0], events[2], events[3]]
    assert list(store.events(session, EventKind.SECRET)) == [events[2]]
    assert list(store.recording_events(session.recording)) == [events[1]]
    assert (session.ending, session.reason) == (Ending.CLIENT, "client said goodbye")
    assert (session.client_bytes, session.server_bytes, session.at_end) == (7, 12, 20)
    assert not session.recording.live
    assert not session.recording.interrupted


def test_an_exchange_that_is_reported_twice_is_there_once(store: Store) -> None:
    writer = Writer(store)
    writer.put(opened())
    writer.put(begun(1))
    recording = writer.recording
    eventually(lambda: store.totals(recording).exchanges)
    session = next(store.sessions(recording))
    first = store.exchange(session, 1)
    assert first.exchange == begun(1)
    for record_ in (begun(2), exchange(1), exchange(2)):
        writer.put(record_)
    writer.close()
    assert [stored.exchange for stored in store.exchanges(session)] == [exchange(1), exchange(2)]
    assert store.exchange(session, 1).id == first.id


def test_what_is_put_is_on_disk_while_the_recording_goes_on(store: Store, where: str) -> None:
    writer = Writer(store)
    for record_ in (opened(), exchange()):
        writer.put(record_)
    with open_store(where, create=False) as reader:
        eventually(lambda: reader.totals(reader.recording("last")).exchanges == 1)
        assert reader.recording("last").live
    writer.close()


def test_many_records_are_many_rows(store: Store) -> None:
    wire = Wire()
    records: list[Piece | Span] = []
    for _ in range(3000):
        start = len(wire.stream)
        records += [wire.say(b"* 1 EXISTS\r\n"), wire.span(start, None)]
    session = record(store, [opened(), *records, *[exchange(n) for n in range(1, 1201)]])
    assert len(list(store.exchanges(session))) == 1200
    assert [s.exchange.number for s in store.exchanges(session, after=1198)] == [1199, 1200]
    assert len(list(store.spans(session))) == 3000
    assert store.totals(session.recording).server_bytes == 36_000


def test_full_and_drained() -> None:
    queue = RecordQueue(10_000)
    calls: list[int] = []
    queue.put(Piece(1, S, 0, 0, Layer.PLAIN, bytes(4000)))
    assert not queue.full
    queue.put(Piece(1, S, 0, 0, Layer.PLAIN, bytes(6000)))
    assert queue.full
    queue.when_drained(lambda: calls.append(1))
    assert len(queue.take()) == 2
    assert queue.full, "what is taken but not written still counts"
    for callback in queue.done():
        callback()
    assert calls == [1]
    assert not queue.full
    assert queue.done() == []


def test_what_is_put_together_is_taken_together() -> None:
    """However much it is: what stands in two transactions can be torn apart by a kill."""
    queue, wire = RecordQueue(10_000), Wire()
    group = [wire.say(bytes(BATCH_BYTES // 2 + 1)) for _ in range(3)]
    queue.put(*group, wire.span(0))
    queue.put(exchange())
    assert queue.take() == [*group, wire.span(0)]
    assert queue.take() == [exchange()]


def test_putting_never_waits_for_the_disk(sqlite: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    stalled, go_on = threading.Event(), threading.Event()
    write = Ledger.write

    def stall(self: Ledger, batch: Batch) -> None:
        stalled.set()
        assert go_on.wait(60)
        write(self, batch)

    monkeypatch.setattr(Ledger, "write", stall)
    writer = Writer(sqlite, queue_bytes=50_000)
    writer.put(opened())
    assert stalled.wait(60)
    for number in range(1, 1001):
        writer.put(exchange(number))
    assert writer.full
    drained = threading.Event()
    writer.when_drained(drained.set)
    assert not drained.is_set()
    go_on.set()
    assert drained.wait(60)
    assert not writer.full
    writer.close()
    assert sqlite.totals(sqlite.recording("last")).exchanges == 1000


def test_asking_for_a_call_back_when_there_is_room_already(sqlite: Store) -> None:
    writer = Writer(sqlite)
    drained = threading.Event()
    writer.when_drained(drained.set)
    assert drained.wait(60)
    writer.close()


def test_an_idle_writer_wakes_only_to_look_after_its_file(sqlite: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[float] = []
    wait = RecordQueue.wait
    monkeypatch.setattr(RecordQueue, "wait", lambda self, seconds: (asked.append(seconds), wait(self, seconds))[1])
    writer = Writer(sqlite)
    writer.put(opened())
    eventually(lambda: len(asked) >= 2)
    assert asked[-1] == writer_module.LOOK_SECONDS
    writer.close()
    assert len(asked) <= 5


def test_the_heart_beats(sqlite: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer_module, "HEARTBEAT_SECONDS", 0.01)
    writer = Writer(sqlite)
    first = writer.recording.seen
    eventually(lambda: sqlite.recording("last").seen > first)
    writer.close()


def test_sessions_nobody_closed_are_cut_when_the_recording_ends(store: Store) -> None:
    session = record(store, [opened(), Wire().say(b"hello"), begun()])
    assert session.ending is Ending.CUT
    assert session.server_bytes == 5
    assert store.exchange(session, 1).exchange.outcome is Outcome.INCOMPLETE


def test_an_exchange_whose_end_was_lost_has_the_bytes_of_its_spans(store: Store) -> None:
    """Its last row said of fewer than its span, which ended later."""
    client, server = Wire(direction=C), Wire()
    said = [client.say(b"a1 IDLE\r\n"), client.span(0), server.say(b"+ idling\r\n* 1 EXISTS\r\n"), server.span(0)]
    idle = begun(command="IDLE", client_bytes=9, server_bytes=10)
    writer = Writer(store, "cut")
    writer.put(opened(), *said, idle, server.closed(len(client.stream)))
    writer.close()
    (session,) = store.sessions(writer.recording)
    stored = store.exchange(session, 1).exchange
    assert (stored.outcome, stored.client_bytes, stored.server_bytes) == (Outcome.INCOMPLETE, 9, 22)
    assert list(Check(store).findings()) == []


def test_closing_twice_is_closing(sqlite: Store) -> None:
    writer = Writer(sqlite)
    writer.close()
    writer.close()
    assert sqlite.recording("last").ended


def test_words_after_the_end_of_a_session_are_kept(store: Store) -> None:
    writer = Writer(store)
    wire = Wire(direction=C)
    for each in (opened(), wire.say(b"hello"), wire.closed()):
        writer.put(each)
    eventually(lambda: [s for s in store.sessions(writer.recording) if s.ending])
    late = Event(1, 900, EventKind.NOTICE, "late")
    stray = Event(7, 901, EventKind.NOTICE, "of no session")
    for each in (late, stray):
        writer.put(each)
    writer.close()
    assert not writer.failed
    first, second = store.sessions(writer.recording)
    assert list(store.events(first)) == [late]
    assert (second.number, second.client, list(store.events(second))) == (7, "unknown", [stray])


@pytest.mark.parametrize("name", ["", "  ", "last", "12", "a/b", "a\x1bb"])
def test_names_that_mean_something_else(sqlite: Store, name: str) -> None:
    with pytest.raises(StorageError, match="cannot be the name") as refused:
        Writer(sqlite, name)
    assert refused.value.hint


def test_names_are_given_once(store: Store) -> None:
    Writer(store, "mine").close()
    with pytest.raises(StorageError, match="'mine' already"):
        Writer(store, "mine")
    both = (Writer(store), Writer(store))
    for writer in both:
        writer.close()
    assert both[0].recording.name != both[1].recording.name


def test_the_recordings_own_facts(store: Store) -> None:
    writer = Writer(store, "facts", version="0.1", settings="listen imaps://127.0.0.1")
    writer.close()
    read = store.recording("facts")
    assert (read.version, read.settings, read.pid) == ("0.1", "listen imaps://127.0.0.1", writer.recording.pid)
    assert read.started <= read.seen <= (read.ended or 0)
    with store.reading() as connection:
        assert connection.execute(select(func.count()).select_from(tables.recording)).scalar_one() == 1
