"""While recording does not work: what is kept, what is let go, what is told, and who is stopped."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from proxy.imap.transcript import Direction, Ending, Event, EventKind, SessionClosed
from storage import Check, Store, Traffic, Writer
from storage.clock import wall
from storage.ledger import Ledger
from storage.loss import Loss
from storage.telling import Telling
from tests.storage.losing import Listener, check, lose_and_find
from tests.storage.scenes import S, Wire, eventually, exchange, opened

if TYPE_CHECKING:
    from pathlib import Path

    from storage.batch import Batch

pytestmark = pytest.mark.usefixtures("hurry")


class Hanging:
    """Makes the database one that does not answer, until it is `let_go`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, late: bool = False) -> None:
        """`late`: it has done what it was asked by the time that it hangs, and does not say so."""
        self.writes = 0
        self._hangs = False
        self._free = threading.Event()
        write = Ledger.write

        def hang(ledger: Ledger, batch: Batch) -> None:
            self.writes += 1
            if self._late:
                write(ledger, batch)
            if self._hangs:
                assert self._free.wait(60)
            if not self._late:
                write(ledger, batch)

        self._late = late
        monkeypatch.setattr(Ledger, "write", hang)
        monkeypatch.setattr("storage.writer._ANSWER_SECONDS", 0.1)

    def hang(self) -> None:
        self._free.clear()
        self._hangs = True

    def let_go(self) -> None:
        self._hangs = False
        self._free.set()


def test_a_database_that_does_not_answer_lets_traffic_go_on(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not asked again while it may still be doing what it was asked."""
    hanging, listener = Hanging(monkeypatch), Listener()
    writer = Writer(store, patience=0.1, on_trouble=listener)
    wire = lose_and_find(writer, listener, hanging.hang, hanging.let_go)
    check(store, writer, wire)
    assert listener.heard("does not answer")
    assert hanging.writes <= 6


def test_a_database_that_never_answers_holds_nobody_up(sqlite: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    hanging, listener = Hanging(monkeypatch), Listener()
    writer = Writer(sqlite, patience=0.1, on_trouble=listener)
    hanging.hang()
    writer.put(opened())
    eventually(lambda: listener.heard("UNRECORDED"))
    writer.put(exchange())
    writer.close()
    assert writer.failed
    assert listener.heard("ended in failure: 1 records")
    hanging.let_go()


def poison(monkeypatch: pytest.MonkeyPatch) -> None:
    """A database that never takes a batch with a certain tag in it."""
    write = Ledger.write

    def choke(self: Ledger, batch: Batch) -> None:
        if any(e.tag == "poison" for e in batch.exchanges.values()):
            raise TypeError("cannot be written")
        write(self, batch)

    monkeypatch.setattr(Ledger, "write", choke)


def test_a_batch_that_can_never_be_written_is_let_go_and_told(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    poison(monkeypatch)
    listener = Listener()
    writer = Writer(store, on_trouble=listener)
    wire = Wire()
    writer.put(opened(), exchange(1, tag="poison"), wire.say(b"gone"))
    eventually(lambda: listener.heard("works again"))
    writer.put(exchange(2, client_bytes=0, server_bytes=0), wire.say(b"there"), wire.closed())
    writer.close()
    assert writer.failed
    session = next(store.sessions(store.recording("last")))
    assert [stored.exchange.number for stored in store.exchanges(session)] == [2]
    assert [(gap.offset, gap.length) for gap in store.events(session, EventKind.GAP)] == [(0, 4)]
    assert list(Check(store).findings()) == []


@pytest.mark.parametrize("chunks", [2, 3], ids=["a part", "all of it"])
def test_what_was_held_for_a_body_is_counted_once(sqlite: Store, monkeypatch: pytest.MonkeyPatch, chunks: int) -> None:
    """The first chunk of a literal came in one batch, the next one (or all others) in another that is not written."""
    poison(monkeypatch)
    monkeypatch.setattr("storage.writer._HOLD_SECONDS", 60)
    listener = Listener()
    writer = Writer(sqlite, on_trouble=listener)
    wire = Wire()
    literal = wire.literal(bytes(30_000), 10_000)
    writer.put(opened(), literal[0])
    eventually(lambda: sqlite.totals(writer.recording).sessions)
    writer.put(*literal[1:chunks], exchange(1, tag="poison"))
    eventually(lambda: listener.heard(f"works again; 2 records with {chunks}0000 bytes"))
    writer.put(*literal[chunks:], wire.closed())
    writer.close()
    session = next(sqlite.sessions(sqlite.recording("last")))
    assert [(gap.offset, gap.length) for gap in sqlite.events(session, EventKind.GAP)] == [(0, chunks * 10_000)]
    assert list(Check(sqlite).findings()) == []


def test_a_batch_that_is_refused_after_an_outage_is_let_go(sqlite: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    poison(monkeypatch)
    hanging, listener = Hanging(monkeypatch), Listener()
    writer = Writer(sqlite, patience=0.1, on_trouble=listener)
    wire = Wire()
    hanging.hang()
    writer.put(opened(), exchange(1, tag="poison"), wire.say(b"stuck"))
    eventually(lambda: listener.heard("UNRECORDED"))
    hanging.let_go()
    eventually(lambda: listener.heard("works again; 2 records with 5 bytes"))
    writer.put(wire.closed())
    writer.close()
    session = next(sqlite.sessions(sqlite.recording("last")))
    assert [(gap.offset, gap.length) for gap in sqlite.events(session, EventKind.GAP)] == [(0, 5)]


def test_what_a_fault_of_the_writer_costs_is_a_gap(sqlite: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    listener = Listener()
    writer = Writer(sqlite, on_trouble=listener)
    wire = Wire()

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(writer._sorter, "sort", fail)
    writer.put(opened(), wire.say(b"gone"))
    eventually(lambda: listener.heard("The recorder failed: RuntimeError."))
    monkeypatch.setattr(writer._sorter, "sort", type(writer._sorter).sort.__get__(writer._sorter))
    eventually(lambda: listener.heard("works again; 1 records with 4 bytes were not recorded: The recorder failed"))
    writer.put(wire.say(b"there"), wire.closed())
    writer.close()
    assert writer.failed
    session = next(sqlite.sessions(sqlite.recording("last")))
    assert [(gap.offset, gap.length) for gap in sqlite.events(session, EventKind.GAP)] == [(0, 4)]
    assert list(Check(sqlite).findings()) == []


def test_what_is_held_while_a_batch_is_being_written_is_counted(sqlite: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """The batch has been read by then, and its transaction waits: what was put into it now would never be written."""
    hanging, listener = Hanging(monkeypatch, late=True), Listener()
    monkeypatch.setattr("storage.writer._HOLD_SECONDS", 60)
    writer = Writer(sqlite, patience=0.1, on_trouble=listener)
    wire = Wire()
    literal = wire.literal(bytes(30_000), 10_000)
    hanging.hang()
    writer.put(opened(), literal[0])
    eventually(lambda: listener.heard("UNRECORDED"))
    hanging.let_go()
    eventually(lambda: listener.heard("works again; 1 records with 10000 bytes"))
    writer.put(*literal[1:], wire.closed())
    writer.close()
    session = next(sqlite.sessions(sqlite.recording("last")))
    assert [(gap.offset, gap.length) for gap in sqlite.events(session, EventKind.GAP)] == [(0, 10_000)]
    assert list(Check(sqlite).findings()) == []


def test_two_outages_are_two_gaps(sqlite: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    hanging, listener = Hanging(monkeypatch), Listener()
    writer = Writer(sqlite, patience=0.1, on_trouble=listener)
    wire = Wire()
    writer.put(opened())
    for _ in range(2):
        hanging.hang()
        writer.put(wire.say(b"kept"))
        eventually(lambda: writer._outage)
        writer.put(wire.say(b"lost"))
        eventually(lambda: writer._outage and writer._outage.loss.records)
        hanging.let_go()
        eventually(lambda: not writer._outage)
    writer.put(wire.say(b"end"), wire.closed())
    writer.close()
    session = next(sqlite.sessions(sqlite.recording("last")))
    assert [(gap.offset, gap.length) for gap in sqlite.events(session, EventKind.GAP)] == [(4, 4), (12, 4)]
    assert list(Check(sqlite).findings()) == []
    told = [word for each in listener.messages for word in ("UNRECORDED", "works again") if word in each]
    assert told == ["UNRECORDED", "works again"] * 2, "each time that something is lost, however soon it comes again"


def test_a_gap_begins_before_all_that_is_lost(sqlite: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """What had been put, and was still waiting when the writer gave up, is lost too."""
    hanging, listener = Hanging(monkeypatch), Listener()
    writer = Writer(sqlite, patience=0.1, on_trouble=listener)
    wire = Wire()
    writer.put(opened())
    hanging.hang()
    writer.put(wire.say(b"kept"))
    eventually(lambda: writer._in_hand)
    before = wall() - writer.recording.started
    writer.put(wire.say(b"lost"))
    eventually(lambda: writer._outage and writer._outage.loss.records)
    after = wall() - writer.recording.started
    hanging.let_go()
    writer.close()
    (gap,) = sqlite.recording_events(writer.recording, EventKind.GAP)
    assert gap.at <= before
    assert gap.at > after - 60_000_000, "but not long before"


# --- traffic that must not go on unrecorded ---------------------------------------------------------------------------


class Reins:
    """Hears what traffic has to do."""

    def __init__(self) -> None:
        self.orders: list[Traffic] = []
        self.reasons: list[str] = []

    def __call__(self, traffic: Traffic, reason: str) -> None:
        self.orders.append(traffic)
        self.reasons.append(reason)


def test_traffic_stands_still_and_loses_nothing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    hanging, listener, reins = Hanging(monkeypatch), Listener(), Reins()
    writer = Writer(store, on_trouble=listener, control=reins)
    wire = Wire()
    writer.put(opened())
    eventually(lambda: list(store.sessions(writer.recording)))
    hanging.hang()
    writer.put(wire.say(b"one "))
    eventually(lambda: listener.heard("Traffic stands still, since recording is held up:"))
    writer.put(wire.say(b"two "), wire.closed())
    hanging.let_go()
    eventually(lambda: reins.orders == [Traffic.STAND, Traffic.GO])
    assert listener.heard("Recording works again; nothing was lost.")
    eventually(lambda: list(store.recording_events(writer.recording, EventKind.NOTICE)))
    writer.close()
    assert not writer.failed
    session = next(store.sessions(store.recording("last")))
    assert b"".join(store.stream(session, S)) == b"one two "
    assert list(store.recording_events(session.recording, EventKind.GAP)) == []
    [event] = store.recording_events(session.recording, EventKind.NOTICE)
    assert event.name == "traffic stood still"
    assert "does not answer" in event.text


def test_a_slow_write_has_traffic_stand_still_before_anybody_is_told(
    sqlite: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is passed on meanwhile might never be recorded."""
    hanging, listener, reins = Hanging(monkeypatch), Listener(), Reins()
    monkeypatch.setattr("storage.writer._STAND_SECONDS", 0.01)
    monkeypatch.setattr("storage.writer._ANSWER_SECONDS", 60)
    writer = Writer(sqlite, on_trouble=listener, control=reins)
    hanging.hang()
    writer.put(opened())
    eventually(lambda: reins.orders == [Traffic.STAND])
    hanging.let_go()
    eventually(lambda: reins.orders == [Traffic.STAND, Traffic.GO])
    writer.close()
    assert not writer.failed
    assert listener.messages == []


def test_traffic_that_stood_too_long_is_ended_once(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever came before that is still written when the database comes back before the recording ends."""
    hanging, listener, reins = Hanging(monkeypatch), Listener(), Reins()
    writer = Writer(store, patience=0.1, on_trouble=listener, control=reins)
    wire = Wire()
    hanging.hang()
    writer.put(opened(), wire.say(b"said "))
    eventually(lambda: Traffic.END in reins.orders)
    assert listener.heard("All sessions are ENDED, since they cannot be recorded:")
    assert "does not answer" in reins.reasons[-1]
    writer.put(wire.say(b"farewell"), wire.closed())
    hanging.let_go()
    writer.close()
    assert reins.orders == [Traffic.STAND, Traffic.END]
    assert writer.failed, "somebody's session had to end"
    session = next(store.sessions(store.recording("last")))
    assert b"".join(store.stream(session, S)) == b"said farewell"
    assert store.recording("last").ended


def test_traffic_that_stood_still_and_is_ended_by_the_person(sqlite: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """The database is given a few seconds more, not the whole patience; what is lost then is told."""
    monkeypatch.setattr("storage.writer.PATIENCE", 0.1)
    hanging, listener, reins = Hanging(monkeypatch), Listener(), Reins()
    writer = Writer(sqlite, patience=3600, on_trouble=listener, control=reins)
    hanging.hang()
    writer.put(opened())
    eventually(lambda: reins.orders == [Traffic.STAND])
    writer.put(exchange())
    writer.close()
    assert reins.orders == [Traffic.STAND], "nobody is left to be told"
    assert writer.failed
    assert listener.heard("Recording ended in failure: 1 records")
    hanging.let_go()


def test_a_file_that_is_gone_ends_traffic_at_once(sqlite: Store, tmp_path: Path) -> None:
    listener, reins = Listener(), Reins()
    writer = Writer(sqlite, patience=3600, on_trouble=listener, control=reins)
    (tmp_path / "recordings.db").unlink()
    writer.put(opened())
    eventually(lambda: reins.orders == [Traffic.STAND, Traffic.END])
    assert "was deleted or replaced by another program" in reins.reasons[-1]
    writer.close()
    assert writer.failed


def test_what_can_never_be_written_ends_traffic_too(sqlite: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """The hole is put on record, and so is how the sessions ended."""
    poison(monkeypatch)
    listener, reins = Listener(), Reins()
    writer = Writer(sqlite, patience=3600, on_trouble=listener, control=reins)
    wire = Wire()
    writer.put(opened(), exchange(1, tag="poison"))
    eventually(lambda: listener.heard("Recording works again; 1 records with 0 bytes were not recorded"))
    assert reins.orders == [Traffic.STAND, Traffic.END]
    writer.put(wire.closed())
    writer.close()
    assert writer.failed
    assert not listener.heard("UNRECORDED")
    assert next(sqlite.sessions(sqlite.recording("last"))).ending is Ending.CLIENT
    assert list(Check(sqlite).findings()) == []


def test_reins_that_fail_are_survived(
    sqlite: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    hanging = Hanging(monkeypatch)

    def fail(*_: object) -> None:
        raise ValueError("torn")

    writer = Writer(sqlite, control=fail)
    hanging.hang()
    writer.put(opened())
    eventually(lambda: "traffic could not be told to stand" in caplog.text)
    hanging.let_go()
    writer.close()
    assert len(list(sqlite.sessions(sqlite.recording("last")))) == 1


def test_the_same_sentence_is_not_said_again_within_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("storage.telling.monotonic", lambda: now[0])
    listener = Listener()
    telling = Telling(listener)
    assert telling.warn("The disk is full.", "Free some.")
    now[0] += 59
    assert not telling.warn("The disk is full.", "Free some.")
    assert telling.warn("The server is gone.", "")
    now[0] += 1
    assert telling.warn("The disk is full.", "Free some.")
    telling.tell("The server is gone.", "")
    assert listener.messages == ["The disk is full.", "The server is gone."] * 2


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
