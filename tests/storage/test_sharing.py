"""Several writers of one recording: nothing twice, nothing missing, one beginning and one end."""

from __future__ import annotations

import contextlib
import itertools
import threading
from typing import TYPE_CHECKING

import pytest

from proxy.imap.transcript import Ending, Event, EventKind, Outcome
from storage import Sharing, Writer, open_store
from tests.storage.scenes import Wire, begun, eventually, exchange, opened, together

if TYPE_CHECKING:
    from collections.abc import Iterator

    from storage import Store

WRITERS, SESSIONS, EXCHANGES = 3, 20, 5
LETTER = bytes(range(256)) * 300


@pytest.fixture
def sharing() -> Sharing:
    lock = threading.Lock()
    return Sharing(itertools.count(1), lambda: lock)


@contextlib.contextmanager
def team(where: str, store: Store, sharing: Sharing) -> Iterator[list[Writer]]:
    """Writers that have joined, each with a store of its own as each process has, and the one that began."""
    begins = Writer(store, "together", sharing=sharing)
    with contextlib.ExitStack() as stores:
        stack = [stores.enter_context(open_store(where, create=True)) for _ in range(WRITERS)]
        joined = [Writer(each, sharing=sharing, joined=begins.recording) for each in stack]
        yield [*joined, begins]
        for writer in [*joined, begins]:
            writer.close()
            assert not writer.failed


def speak(writer: Writer, number: int) -> None:
    """A session as one worker has it: each fetches the same letter as all others, and a letter of its own."""
    wire = Wire(number)
    writer.put(opened(number))
    for count in range(1, EXCHANGES + 1):
        writer.put(begun(count, number))
        for piece in [*wire.literal(LETTER), *wire.literal(b"%d %d" % (number, count) * 3000), wire.say(b"ok\r\n")]:
            writer.put(piece)
        writer.put(Event(number, count, EventKind.NOTICE, f"event {count}"))
        writer.put(exchange(count, number))
    writer.put(wire.closed())


def speak_all(writers: list[Writer]) -> None:
    """Sessions dealt out to all writers, which write at the same time."""

    def some(first: int) -> None:
        for number in range(first, SESSIONS + 1, WRITERS):
            speak(writers[first - 1], number)

    threads = [threading.Thread(target=some, args=(first,)) for first in range(1, WRITERS + 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def column(store: Store, query: str) -> list[int]:
    with store.reading() as connection:
        return list(connection.exec_driver_sql(query).scalars())


def test_many_writers_make_one_whole_recording(where: str, store: Store, sharing: Sharing) -> None:
    with team(where, store, sharing) as writers:
        follower = store.follow(writers[0].recording, from_start=True)
        speak_all(writers)
        told = list[tuple[int, int]]()

        def follow() -> bool:
            told.extend((session.number, stored.exchange.number) for session, stored in follower.poll())
            return len(told) >= SESSIONS * EXCHANGES

        eventually(follow)
    [recording] = store.recordings()
    assert (recording.name, recording.interrupted, recording.ended is None) == ("together", False, False)
    sessions = list(store.sessions(recording))
    assert [session.number for session in sessions] == list(range(1, SESSIONS + 1))
    assert {session.ending for session in sessions} == {Ending.CLIENT}
    everything = [(session.number, count) for session in sessions for count in range(1, EXCHANGES + 1)]
    assert [
        (session.number, stored.exchange.number)
        for session in sessions
        for stored in store.exchanges(session)
        if stored.exchange.outcome is Outcome.COMPLETED
    ] == everything
    assert sorted(told) == everything, "whoever follows hears of each once"
    assert column(store, "SELECT number FROM event ORDER BY number") == list(range(1, len(everything) + 1))
    for session in sessions:
        assert [event.name for event in store.events(session)] == [f"event {n}" for n in range(1, EXCHANGES + 1)]
        parts = [LETTER + b"%d %d" % (session.number, n) * 3000 + b"ok\r\n" for n in range(1, EXCHANGES + 1)]
        assert together(store.stream(session, Wire().direction)) == b"".join(parts)
    assert column(store, "SELECT length FROM body").count(len(LETTER)) == 1, "the letter of all is there once"


def test_who_has_joined_neither_ends_the_recording_nor_its_sessions(where: str, store: Store, sharing: Sharing) -> None:
    with team(where, store, sharing) as writers:
        writers[1].put(opened(7))
        eventually(lambda: list(store.sessions(writers[1].recording)))
        writers[0].close()
        [recording] = store.recordings()
        assert recording.live
        assert next(store.sessions(recording)).ending is None


def test_a_dead_writers_sessions_are_cut_and_no_others(where: str, store: Store, sharing: Sharing) -> None:
    with team(where, store, sharing) as writers:
        recording = writers[0].recording
        for number, writer in zip((1, 2, 3), (writers[0], writers[0], writers[1]), strict=True):
            writer.put(opened(number))
            writer.put(Wire(number).say(b"* OK ready\r\n"))
            writer.put(begun(1, number))
        writers[0].put(Wire(2).closed())
        eventually(lambda: [s.ending for s in store.sessions(recording)] == [None, Ending.CLIENT, None])
        eventually(lambda: all(list(store.exchanges(session)) for session in store.sessions(recording)))
        assert store.cut(recording, {1, 2, 9}, "its worker died") == 1
        first, second, third = store.sessions(recording)
        assert (first.ending, first.reason, first.server_bytes) == (Ending.CUT, "its worker died", 12)
        assert (second.ending, second.reason) == (Ending.CLIENT, "client said goodbye")
        assert third.ending is None
        outcomes = [stored.exchange.outcome for session in (first, third) for stored in store.exchanges(session)]
        assert outcomes == [Outcome.INCOMPLETE, Outcome.OPEN]
