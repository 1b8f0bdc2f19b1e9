"""Sessions that move to another recording, and recordings that take the place of others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from proxy.imap.transcript import Event, EventKind
from storage import StorageError, Store, Writer, rename_recording
from storage.filter import Search, parse
from tests.storage.scenes import S, Wire, exchange, opened, record, together

if TYPE_CHECKING:
    from proxy.imap.transcript import Record
    from storage import Recording


def fill(store: Store, name: str, *greetings: bytes) -> Recording:
    """A recording with a session for each of these, which is what its server says, and an event in each."""
    said: list[Record] = []
    for number, greeting in enumerate(greetings, 1):
        wire = Wire(number)
        said += [opened(number), *wire.literal(greeting), wire.span(0), exchange(1, number), wire.closed()]
        said.append(Event(number, 5, EventKind.NOTICE, greeting.decode()[:5], "text", None, None, None))
    return record(store, said, name).recording


def told(store: Store, name: str) -> dict[int, tuple[bytes, list[str]]]:
    """What each session of a recording says, and the names of its events."""
    sessions = list(store.sessions(store.recording(name)))
    return {
        each.number: (together(store.stream(each, S)), [event.name for event in store.events(each)])
        for each in sessions
    }


LONG = b"three" * 2000


def test_sessions_go_behind_those_that_are_there(store: Store) -> None:
    """With all that is theirs; what stays can be removed without them."""
    old, run = fill(store, "old", b"one", b"two"), fill(store, "run", b"gone", LONG, b"four")
    store.add_note("remark", run, store.session(run, 2))
    assert store.adopt(store.recording("old"), [store.session(store.recording("run"), n) for n in (2, 3)]) == [3, 4]
    store.remove(store.recording("run"))
    assert told(store, "old") == {
        1: (b"one", ["one"]),
        2: (b"two", ["two"]),
        3: (LONG, ["three"]),
        4: (b"four", ["four"]),
    }
    assert [note.text for note in store.notes(old)] == ["remark"]


def test_a_filter_finds_them_where_they_are(store: Store) -> None:
    """Though it had looked before."""
    fill(store, "old", b"one")
    fill(store, "run", b"two")

    def found(name: str) -> int:
        search = Search(store, parse("cmd:FETCH"), store.recording(name))
        return sum(len(keys) for keys in search.matches().values())

    assert (found("old"), found("run")) == (1, 1)
    store.adopt(store.recording("old"), list(store.sessions(store.recording("run"))))
    assert (found("old"), found("run")) == (2, 0)


def test_what_is_recorded_now_stays(store: Store) -> None:
    """Neither does it get sessions nor give any, and nothing takes its place."""
    done = fill(store, "done", b"one")
    writer = Writer(store, "live")
    live = store.recording("live")
    try:
        with pytest.raises(StorageError, match="'live' is still being recorded"):
            store.adopt(live, list(store.sessions(done)))
        for old, new in ((live, done), (done, live)):
            with pytest.raises(StorageError, match="'live' is still being recorded"):
                store.replace(old, new)
    finally:
        writer.close()
    assert told(store, "done") == {1: (b"one", ["one"])}


def test_a_recording_takes_the_place_of_another(store: Store) -> None:
    """Its name, and the other one is gone."""
    old, new = fill(store, "jobs", b"one"), fill(store, "jobs-new", b"two")
    store.replace(old, new)
    assert [(each.id, each.name) for each in store.recordings()] == [(new.id, "jobs")]
    assert told(store, "jobs") == {1: (b"two", ["two"])}


def test_a_recording_gets_a_name_that_is_free_and_one(store: Store) -> None:
    """As when it begins."""
    fill(store, "taken", b"one")
    run = fill(store, "run", b"two")
    for name, why in (("taken", "There is a recording named"), ("last", "cannot be the name"), ("7", "cannot be")):
        with pytest.raises(StorageError, match=why):
            rename_recording(store, run, name)
    rename_recording(store, run, "jobs")
    assert [each.name for each in store.recordings()] == ["taken", "jobs"]
