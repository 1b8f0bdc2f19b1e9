"""Recorders that are killed: what they left opens clean, and its open ends are told as what they are."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import update

from proxy.imap.transcript import Ending, Outcome
from storage import StorageError, Store, Writer, open_store, recover, tables
from tests.need import ROOT
from tests.storage.scenes import C, S, Wire, begun, eventually, exchange, opened, together

if TYPE_CHECKING:
    from storage import Recording

RECORDER = """
import sys, time
from storage import Writer, open_store
from tests.storage.scenes import C, S, Wire, begun, exchange, opened
writer = Writer(open_store(sys.argv[1], create=True), "killed")
client, server = Wire(direction=C), Wire()
said = [opened(), client.say(b"a1 NOOP\\r\\n"), begun(1, client_bytes=9), client.span(0, 1)]
said += [server.say(b"a1 OK\\r\\n"), exchange(1), server.span(0, 1)]
said += [client.say(b"a2 UID FETCH 1 BODY[]\\r\\n"), begun(2, client_bytes=3, started=20)]
said += [server.say(b"* 1 FETCH (BODY[] {90000}\\r\\n"), *server.literal(bytes(90000))[:3]]
for record in said:
    writer.put(record)
print("recording", flush=True)
time.sleep(600)
"""
SAID = 7 + 27 + 3 * 16384


@pytest.fixture
def killed(store: Store, where: str) -> Store:
    """A store in which a recorder was killed in the middle of a literal."""
    process = subprocess.Popen([sys.executable, "-c", RECORDER, where], stdout=subprocess.PIPE, cwd=ROOT)
    assert process.stdout is not None
    assert process.stdout.readline() == b"recording\n"

    def all_there() -> bool:
        sessions = [s for r in store.recordings() for s in store.sessions(r)]
        return any(sum(p.length for p in store.pieces(s, S)) == SAID for s in sessions)

    eventually(all_there)
    recording = store.recording("killed")
    assert recording.live
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    return store


def check(store: Store) -> Recording:
    recording = store.recording("killed")
    session = store.session(recording, 1)
    assert session.ending is Ending.CUT
    assert session.reason is not None
    assert f"process {recording.pid} on {recording.host}" in session.reason
    assert (session.client_bytes, session.server_bytes) == (32, SAID)
    assert session.at_end == 1350
    assert next(store.sessions(recording)) == session
    first, second = [stored.exchange for stored in store.exchanges(session)]
    assert first == exchange(1)
    assert second.outcome is Outcome.INCOMPLETE
    assert (second.client_bytes, second.server_bytes) == (23, SAID - 7)
    assert store.exchange(session, 2).exchange == second
    assert together(store.stream(session, S)).endswith(bytes(3 * 16384))
    return recording


def test_readers_see_what_became_of_it_without_writing(killed: Store) -> None:
    recording = check(killed)
    assert recording.interrupted
    assert not recording.live
    with killed.reading() as connection:
        ending = connection.execute(tables.session.select()).one().ending
    assert ending is None


def test_the_next_recorder_writes_it_down(killed: Store) -> None:
    Writer(killed, "next").close()
    recording = check(killed)
    assert not recording.interrupted
    assert recording.ended == recording.seen
    with killed.reading() as connection:
        assert connection.execute(tables.session.select()).one().ending == "cut"


def test_what_came_before_a_command_is_no_part_of_its_answer(sqlite: Store) -> None:
    """A greeting whose span had not been written yet."""
    writer = Writer(sqlite, "killed")
    server, client = Wire(), Wire(direction=C)
    greeting = server.say(b"* OK hello\r\n")
    client.at = server.at + 5
    command = client.say(b"a1 NOOP\r\n")
    server.at = client.at + 5
    answer = server.say(b"* 1 EXISTS\r\n")
    joined = answer._replace(
        offset=0, at=greeting.at, data=bytes(server.stream), chunks=((12, greeting.at), (12, answer.at))
    )
    writer.put(opened(), joined, command, begun(1, client_bytes=9, started=command.at))
    writer.close()
    (cut,) = sqlite.exchanges(next(sqlite.sessions(sqlite.recording("killed"))))
    assert (cut.exchange.outcome, cut.exchange.client_bytes, cut.exchange.server_bytes) == (Outcome.INCOMPLETE, 9, 12)


def test_bytes_that_an_exchange_claims_are_not_counted_for_the_next_one_too(store: Store) -> None:
    """Two commands that came together; the span of the first was to be written when the second has ended."""
    writer = Writer(store, "killed")
    client = Wire(direction=C)
    fetch, append, half = b"a1 FETCH 7 BODY[]\r\n", b"a2 APPEND INBOX {900+}\r\n", b"half of the letter"
    both = client.say(fetch + append)
    first = begun(1, client_bytes=len(fetch), started=both.at)
    writer.put(opened(), both, first, begun(2, client_bytes=0, started=both.at))
    writer.put(client.say(half))
    writer.close()
    session = next(store.sessions(store.recording("killed")))
    counts = [(cut.exchange.outcome, cut.exchange.client_bytes) for cut in store.exchanges(session)]
    assert counts == [(Outcome.INCOMPLETE, len(fetch)), (Outcome.INCOMPLETE, len(append + half))]
    assert session.client_bytes == len(fetch + append + half)


def test_recover_leaves_the_living_alone(store: Store, where: str) -> None:
    writer = Writer(store, "alive")
    writer.put(opened())
    writer.put(begun())
    eventually(lambda: store.totals(writer.recording).exchanges)
    with open_store(where, create=False) as other:
        other.recover()
        Writer(other, "beside").close()
    session = store.session(store.recording("alive"), 1)
    assert session.recording.live
    assert session.ending is None
    assert store.exchange(session, 1).exchange.outcome is Outcome.OPEN
    writer.put(exchange())
    writer.put(Wire(direction=C).closed())
    writer.close()
    assert store.session(store.recording("alive"), 1).ending is Ending.CLIENT


def test_a_recorder_taken_for_dead_by_mistake_takes_its_recording_back(
    sqlite: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.writer.HEARTBEAT_SECONDS", 0.01)
    writer = Writer(sqlite, "slept")
    with sqlite.writing() as connection:
        connection.execute(update(tables.recording).values(ended=5, seen=5))
    eventually(lambda: sqlite.recording("slept").live)
    writer.close()


@pytest.mark.parametrize(
    ("host", "pid", "age", "dead"),
    [
        ("here", "self", 0, False),
        ("here", "self", 31, True),
        ("here", "gone", 0, True),
        ("elsewhere", "gone", 0, False),
        ("elsewhere", "gone", 31, True),
    ],
)
def test_who_is_dead(monkeypatch: pytest.MonkeyPatch, host: str, pid: str, age: int, dead: bool) -> None:
    process = subprocess.Popen(["true"])
    process.wait()
    number = recover.os.getpid() if pid == "self" else process.pid
    monkeypatch.setattr(recover.socket, "gethostname", lambda: "here")
    seen = time.time_ns() // 1000 - age * 1_000_000
    assert recover.is_dead(host, number, seen) is dead


def test_the_living_are_not_removed(store: Store) -> None:
    writer = Writer(store, "alive")
    with pytest.raises(StorageError, match="'alive' is still being recorded by process"):
        store.remove(store.recording("alive"))
    assert store.prune(older_than=0).recordings == ()
    writer.close()
    assert store.remove(store.recording("alive")).recordings == ("alive",)
