"""`ndjson`: an equal recording can be made of it; of some exchanges, one that says what is missing."""

from __future__ import annotations

import io
import json
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from imaptap.exporting.ndjson import write
from imaptap.exporting.selection import Selection
from imaptap.exporting.settings import Settings
from imaptap.importing.ndjson import statements
from proxy.imap.transcript import Direction, EventKind
from storage.cassette import import_statements
from tests.imaptap.exporting.exported import Sink, Tale, export, hostile, open_store, plain_session, recorded
from tests.imaptap.telling import LETTER, S, torn_off, typed_session
from tests.storage.cassette.tripping import facts

if TYPE_CHECKING:
    from pathlib import Path

    from proxy.imap.transcript import Record


def odd() -> list[Record]:
    """A rewrite, a command of imaptap's own, pipelining, bytes of no text."""
    tale = Tale().say("S: * OK [CAPABILITY IMAP4rev1 STARTTLS] hi").rewrite(S, 26, b" STARTTLS", b"")
    tale.ask("x1 CAPABILITY").say("C: b NOOP\nC: c SELECT x\nS: b OK\nS: * 3 EXISTS\nS: c NO \xff\xfe")
    tale.happen(EventKind.TLS, "client", "TLSv1.3")
    return tale.send(S, b"* 4 EX", b"ISTS\r\n* BYE").end()


def documents(data: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in data.decode("ascii").splitlines()]


@pytest.mark.parametrize("tale", [typed_session, hostile, plain_session, odd])
@pytest.mark.parametrize("most", [None, 5000])
def test_an_equal_recording(tmp_path: Path, tale: Any, most: int | None) -> None:
    recorded(tmp_path / "imaptap.db", tale(), name="x", max_literal=most)
    with open_store(tmp_path / "imaptap.db", create=True) as store:
        data, missing = export(store, "ndjson", "x")
        again = import_statements(store, statements(io.BytesIO(data)), "again")
        assert facts(store, again) == facts(store, store.recording("x"))
        assert export(store, "ndjson", "again")[0] == data.replace(b'"recording":"x"', b'"recording":"again"', 1)
    assert missing == (len(LETTER) if most and tale in (typed_session, plain_session) else 0)


def test_a_recorder_that_was_killed(tmp_path: Path) -> None:
    torn_off(tmp_path / "imaptap.db", Tale().say("S: * OK hi\nC: a NOOP\nS: a OK\nC: b NOOP").so_far())
    with open_store(tmp_path / "imaptap.db", create=True) as store:
        data, _ = export(store, "ndjson")
        before = facts(store, store.recording("last"))
        again = import_statements(store, statements(io.BytesIO(data)), "again")
        assert facts(store, again) == before
        assert documents(data)[-1]["ending"] == "cut"


def test_lines_know_their_exchange_and_chunks_go_on(tmp_path: Path) -> None:
    recorded(tmp_path / "imaptap.db", Tale().send(S, b"* OK hi\r\n* 1 EXISTS\r\n").say("C: a NOOP").end(), name="x")
    with open_store(tmp_path / "imaptap.db", create=False) as store:
        said = [each for each in documents(export(store, "ndjson")[0]) if each["type"] == "bytes"]
    keys = ("side", "offset", "exchange", "text", "more")
    assert [tuple(each.get(key) for key in keys) for each in said] == [
        ("server", 0, None, "* OK hi\r\n", True),
        ("server", 9, None, "* 1 EXISTS\r\n", None),
        ("client", 0, 1, "a NOOP\r\n", None),
    ]


def test_one_exchange(tmp_path: Path) -> None:
    """Its bytes at their offsets, gaps told around them, and no other exchange's secrets."""
    recorded(tmp_path / "imaptap.db", plain_session(), name="x")
    with open_store(tmp_path / "imaptap.db", create=False) as store:
        session = store.session(store.recording("x"), 1)
        data, missing = export(store, "ndjson", "x", session=1, exchange=2)
        exact = {side: b"".join(store.stream(session, side)) for side in Direction}
    assert missing == 0
    found = documents(data)
    said = [each for each in found if each["type"] == "bytes"]
    for each in said:
        stream, text = exact[Direction[each["side"].upper()]], each["text"].encode()
        assert stream[each["offset"] : each["offset"] + len(text)] == text
    assert said[0]["text"] == "b FETCH 1 (BODY[])\r\n"
    assert said[-1]["text"] == "b OK done\r\n"
    assert [each["exchange"] for each in found if each["type"] == "exchange"] == [2]
    assert [each["kind"] for each in found if each["type"] == "event"] == ["gap"] * 4
    gaps = {(each["side"], each["offset"], each["length"]) for each in found if each["type"] == "event"}
    covered = sum(length for _, _, length in gaps) + sum(len(each["text"].encode()) for each in said)
    assert covered == sum(map(len, exact.values()))


@pytest.mark.parametrize("exchange", [None, 2])
def test_a_hole_is_missing_and_what_nobody_wanted_is_not(tmp_path: Path, exchange: int | None) -> None:
    recorded(tmp_path / "imaptap.db", plain_session(), name="x")
    with closing(sqlite3.connect(tmp_path / "imaptap.db")) as database, database:
        database.execute("DELETE FROM piece WHERE body_id IS NOT NULL")
    with open_store(tmp_path / "imaptap.db", create=False) as store:
        data, missing = export(store, "ndjson", "x", session=1, exchange=exchange)
    assert missing == len(LETTER)
    assert len(LETTER) in [each["length"] for each in documents(data) if each["type"] == "hole"]


def test_progress_is_told_to_the_end(tmp_path: Path) -> None:
    recorded(tmp_path / "imaptap.db", plain_session(), name="x")
    done: list[int] = []
    with open_store(tmp_path / "imaptap.db", create=False) as store:
        selection = Selection(store, store.recording("x"), progress=done.append)
        write(selection, Sink(), Settings())
        assert sum(done) == selection.size()
