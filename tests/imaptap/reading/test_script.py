"""Sessions read again from a store."""

from __future__ import annotations

import tracemalloc
from typing import TYPE_CHECKING

import pytest

from imaptap.reading.script import Script
from imaptap.reading.values import Hidden, Line, Rest, Run
from proxy.imap.transcript import Event, EventKind, Exchange, readable
from storage import Store, Writer, open_store
from tests.imaptap.telling import LETTER, C, S, Tale, recorded, torn_off
from tests.storage.scenes import eventually

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from imaptap.reading.values import Entry
    from storage import Session


@pytest.fixture
def db(tmp_path: Path) -> Path:
    return tmp_path / "imaptap.db"


def shown(entries: Iterable[Entry]) -> Iterator[str]:
    """Entries in short: `#1` for an exchange, `!name` for an event, `C: text` for a line."""
    for entry in entries:
        if isinstance(entry, Exchange):
            yield f"#{entry.number}"
        elif isinstance(entry, Event):
            yield f"!{entry.name}"
        elif isinstance(entry, Line):
            parts = (readable(each.data) if isinstance(each, Run) else f"<{each.length}>" for each in entry.parts)
            yield f"{entry.direction.name[0]}: {''.join(parts)}"
        elif isinstance(entry, Rest):
            yield f"rest {entry.client}/{entry.server}"
        else:
            yield f"... {entry.lines} of {entry.exchange}"


def only_session(store: Store) -> Session:
    return next(store.sessions(store.recording("last")))


def script(db: Path, tale: Tale) -> list[str]:
    recorded(db, tale.end())
    with open_store(db, create=False) as store:
        return list(shown(Script(store, only_session(store)).whole()))


def test_a_literal_waits_for_its_continuation(db: Path) -> None:
    tale = (
        Tale().say("S: * OK hi\nC: a APPEND Drafts {300}\nS: + go on").send(C, b"x\r\n" * 100, b"\r\n").say("S: a OK")
    )
    assert script(db, tale) == ["S: * OK hi", "#1", "C: a APPEND Drafts {300}", "S: + go on", "C: <300>", "S: a OK"]


def test_pipelined_commands_have_their_own_answers(db: Path) -> None:
    tale = Tale().say("S: * OK hi").send(C, b"a NOOP\r\nb NOOP\r\nc NOOP\r\n").send(S, b"a OK\r\nb OK\r\nc OK\r\n")
    assert script(db, tale) == [
        "S: * OK hi", "#1", "C: a NOOP", "S: a OK", "#2", "C: b NOOP", "S: b OK", "#3", "C: c NOOP", "S: c OK",
    ]  # fmt: skip


def test_what_belongs_to_nothing_stands_where_it_was_said(db: Path) -> None:
    tale = Tale().say("S: * OK hi\nC: a NOOP\nS: a OK\nS: * 3 EXISTS").happen(EventKind.NOTICE, "between")
    tale.say("C: b IDLE\nS: + idling\nS: * 4 EXISTS").happen(EventKind.NOTICE, "within").say("C: DONE\nS: b OK")
    tale.happen(EventKind.NOTICE, "after").say("S: * BYE")
    assert script(db, tale) == [
        "S: * OK hi", "#1", "C: a NOOP", "S: a OK", "S: * 3 EXISTS", "!between",
        "#2", "C: b IDLE", "S: + idling", "S: * 4 EXISTS", "!within", "C: DONE", "S: b OK", "!after", "S: * BYE",
    ]  # fmt: skip


def test_bytes_outside_of_lines_are_counted(db: Path) -> None:
    tale = (
        Tale()
        .say("S: * OK hi\nC: a AUTHENTICATE GSSAPI\nS: + \nC: YWJj\nS: a OK in")
        .send(S, b"\0\0\0\x10" + b"?" * 16)
    )
    assert script(db, tale)[-2:] == ["!security layer", "rest 0/20"]


UNDER_WAY = "S: * OK hi\nC: a NOOP\nS: a OK\nC: b FETCH 1 BODY[]\nS: * 1 FETCH (BODY[] {9144}"
AS_SHOWN = [
    "S: * OK hi", "#1", "C: a NOOP", "S: a OK",
    "#2", "C: b FETCH 1 BODY[]", "S: * 1 FETCH (BODY[] {9144}", "S: <3000>",
]  # fmt: skip


def test_a_session_under_way(db: Path) -> None:
    """What nobody has answered yet is what a person looks for in a session that hangs."""
    tale = Tale().say(UNDER_WAY).send(S, LETTER[:3000])
    with open_store(db, create=True) as store:
        writer = Writer(store)
        for record in list(tale.so_far()):
            writer.put(record)
        eventually(lambda: list(store.sessions(store.recording("last"))))
        eventually(lambda: list(shown(Script(store, only_session(store)).whole())) == AS_SHOWN)
        writer.close()


def test_a_session_that_was_torn_off(db: Path) -> None:
    """The recorder is dead, and nobody else has recorded since."""
    torn_off(db, list(Tale().say(UNDER_WAY).send(S, LETTER[:3000]).so_far()))
    with open_store(db, create=False) as store:
        assert only_session(store).recording.interrupted
        assert list(shown(Script(store, only_session(store)).whole())) == AS_SHOWN


def test_one_exchange_takes_only_what_is_its_own(db: Path) -> None:
    tale = Tale().say("S: * OK hi").happen(EventKind.NOTICE, "before").say("C: a NOOP\nS: a OK\nC: b NOOP")
    tale.happen(EventKind.NOTICE, "within").say("S: b OK").happen(EventKind.NOTICE, "after")
    recorded(db, tale.end())
    with open_store(db, create=False) as store:
        session = only_session(store)
        found = Script(store, session).exchange(store.exchange(session, 2).exchange)
        assert list(shown(found)) == ["#2", "C: b NOOP", "!within", "S: b OK"]


def test_large_sessions_take_little_memory(db: Path) -> None:
    """60 MB of letters and 2,000 small commands."""
    tale = Tale().say("S: * OK hi")
    body = bytes(range(256)) * 4096 * 4
    with open_store(db, create=True) as store:
        writer = Writer(store)
        for number in range(2000):
            tale.send(C, b"a%d FETCH %d BODY[]\r\n" % (number, number))
            if number % 140 == 0:
                tale.send(S, b"* 1 FETCH (BODY[] {%d}\r\n" % len(body))
                for first in range(0, len(body), 65536):
                    tale.send(S, body[first : first + 65536])
                tale.send(S, b")\r\n")
            tale.send(S, b"a%d OK\r\n" % number)
            for record in tale.so_far():
                writer.put(record)
            tale.records.clear()
        for record in tale.end():
            writer.put(record)
        writer.close()
        tracemalloc.start()
        counts = dict.fromkeys((Line, Exchange), 0)
        hidden = 0
        for entry in Script(store, only_session(store)).whole():
            counts[type(entry)] += 1  # type: ignore[index]
            if isinstance(entry, Line):
                hidden += sum(part.length for part in entry.parts if isinstance(part, Hidden))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert counts == {Line: 4001 + 2 * 15, Exchange: 2000}
    assert hidden == 15 * len(body)
    assert peak < 16_000_000


def test_a_long_exchange_is_shortened_and_what_came_meanwhile_stands_where_it_did(db: Path) -> None:
    tale = Tale().say("S: * OK hi\nC: a FETCH 1:9 UID\n" + "\n".join(f"S: * {n} FETCH (UID {n})" for n in range(1, 7)))
    tale.happen(EventKind.NOTICE, "meanwhile").say("S: * 7 FETCH (UID 7)\nS: a OK\nS: * 8 EXISTS\nC: b NOOP\nS: b OK")
    recorded(db, tale.end())
    with open_store(db, create=False) as store:
        session = only_session(store)
        assert list(shown(Script(store, session, most=4).whole())) == [
            *("S: * OK hi", "#1", "C: a FETCH 1:9 UID", "S: * 1 FETCH (UID 1)", "S: * 2 FETCH (UID 2)", "!meanwhile"),
            *("... 5 of 1", "S: a OK", "S: * 8 EXISTS", "#2", "C: b NOOP", "S: b OK"),
        ]
        assert not any(line.startswith("...") for line in shown(Script(store, session, most=8).whole()))
        assert "... 2 of 1" in shown(Script(store, session, most=7).whole())
