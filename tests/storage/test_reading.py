"""Finding, listing, following, remarking; and what plain `sqlite3` shows."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from proxy.imap.transcript import Outcome
from storage import StorageError, Store, Writer, open_store
from tests.storage.scenes import C, S, Wire, begun, eventually, exchange, opened, record, rewrite

if TYPE_CHECKING:
    from pathlib import Path


def test_recordings_are_found_by_last_name_and_id(store: Store) -> None:
    with pytest.raises(StorageError, match="no recordings yet"):
        store.recording("last")
    for name in ("one", "two"):
        record(store, [opened()], name)
    assert [recording.name for recording in store.recordings()] == ["one", "two"]
    assert store.recording("last").name == "two"
    assert store.recording("one").id == 1
    assert store.recording("2").name == "two"
    for unknown in ("three", "3", "9" * 40, "", "ONE"):
        with pytest.raises(StorageError, match="There is no recording with the") as refused:
            store.recording(unknown)
        assert "imaptap ls" in refused.value.hint


def test_unknown_sessions_exchanges_and_bodies(store: Store) -> None:
    session = record(store, [opened()], "one")
    with pytest.raises(StorageError, match="'one' has no session 2"):
        store.session(session.recording, 2)
    with pytest.raises(StorageError, match="Session 1 has no exchange 7"):
        store.exchange(session, 7)
    with pytest.raises(StorageError, match="no body with BLAKE3 00ff"):
        store.body("00ff")


def test_sessions_come_by_number_and_page_by_page(sqlite: Store) -> None:
    record(sqlite, [opened(number) for number in range(1201, 0, -1)], "many")
    recording = sqlite.recording("many")
    assert [session.number for session in sqlite.sessions(recording)] == list(range(1, 1202))
    assert sqlite.totals(recording).sessions == 1201
    assert sqlite.session(recording, 700).number == 700


def test_notes(store: Store) -> None:
    session = record(store, [opened(), exchange()], "one")
    stored = store.exchange(session, 1)
    notes = [
        store.add_note("a remark", session.recording),
        store.add_note("on a session", session.recording, session),
        store.add_note("on an exchange", session.recording, session, stored.id),
    ]
    assert store.notes(session.recording) == notes
    assert [(n.text, n.session_id, n.exchange_id) for n in notes] == [
        ("a remark", None, None),
        ("on a session", session.id, None),
        ("on an exchange", session.id, stored.id),
    ]
    store.remove(session.recording)
    assert store.recordings() == []


def test_following_a_recorder(store: Store, where: str) -> None:
    record(store, [opened(), exchange()], "before")
    writer = Writer(store, "now")
    for each in (opened(), exchange(1), begun(2)):
        writer.put(each)
    with open_store(where, create=False) as reader:
        eventually(lambda: reader.totals(reader.recording("now")).exchanges == 2)
        late, early = reader.follow(reader.recording("now")), reader.follow(reader.recording("now"), from_start=True)
        assert late.poll() == []
        ((session, first),) = early.poll()
        assert (session.number, first.exchange) == (1, exchange(1))
        assert early.poll() == []
        for each in (begun(3), opened(2), exchange(1, 2), exchange(2)):
            writer.put(each)
        for follower in (late, early):
            seen: list[tuple[int, int]] = []

            def more(follower=follower, seen=seen) -> bool:  # type: ignore[no-untyped-def]
                seen += [(session.number, stored.exchange.number) for session, stored in follower.poll()]
                return len(seen) == 2

            eventually(more)
            assert sorted(seen) == [(1, 2), (2, 1)]
            assert follower.recording.live
        writer.close()
        ((_, cut),) = late.poll()
        assert (cut.exchange.number, cut.exchange.outcome) == (3, Outcome.INCOMPLETE)
        assert not late.recording.live
        assert late.poll() == []


def test_the_views_say_it_in_words(store: Store) -> None:
    client, server = Wire(direction=C), Wire()
    said = [client.say(b"a1 UID FETCH 1:* (FLAGS)\r\n"), server.say("* OK gr\u00fc\u00df\r\n".encode())]
    said += server.literal(b"m" * 5000)
    record(store, [opened(), *said, exchange(), rewrite(2, b"OK", b"NO"), server.closed(26)], "views")
    with store.reading() as connection:
        rows = {
            view: [row._asdict() for row in connection.execute(text(f"SELECT * FROM {view}"))]  # noqa: S608
            for view in ("sessions", "exchanges", "stream", "events")
        }
    (session,) = rows["sessions"]
    assert session["time"] == "2023-11-14T22:13:20.000Z"
    assert (session["recording"], session["session"], session["exchanges"]) == ("views", 1, 1)
    assert (session["ending"], session["client_bytes"]) == ("closed by client", 26)
    (shown,) = rows["exchanges"]
    assert (shown["recording"], shown["session"], shown["exchange"], shown["tag"]) == ("views", 1, 1, "a1")
    assert (shown["time"], float(shown["ms"])) == ("2023-11-14T22:13:20.001Z", 0.35)
    assert (shown["command"], shown["responses"]) == ("UID FETCH", '{"EXISTS": 1, "FETCH": 3}')
    texts = [(line["side"], line["text"]) for line in sorted(rows["stream"], key=lambda r: (r["side"], r["offset"]))]
    assert texts[0] == ("C", "a1 UID FETCH 1:* (FLAGS)\r\n")
    assert texts[1][0] == "S"
    assert texts[1][1].startswith("* OK gr")
    assert texts[2][1].startswith("(5000 bytes of a literal, blake3 ")
    (event,) = rows["events"]
    assert (event["kind"], event["name"], event["received"], event["sent"]) == ("rewrite", "capability", "OK", "NO")


def test_plain_sqlite3_reads_beside_a_recorder(tmp_path: Path, sqlite: Store) -> None:
    writer = Writer(sqlite, "live")
    writer.put(opened())
    writer.put(exchange())
    with closing(sqlite3.connect(tmp_path / "recordings.db")) as plain:
        query = "SELECT tag, command, ms FROM exchanges WHERE recording = 'live'"
        eventually(lambda: plain.execute(query).fetchall() == [("a1", "UID FETCH", 0.35)])
        fetched = "SELECT sum(json_extract(responses, '$.FETCH')) FROM exchange"
        assert plain.execute(fetched).fetchone() == (3,)
    writer.close()


def test_spans_of_one_direction_come_in_the_order_of_its_stream(store: Store) -> None:
    wire, other = Wire(direction=C), Wire(direction=S)
    spans = [wire.span(start, number) for start, number in ((30, 1), (0, 3), (10, None), (20, 2))]
    session = record(store, [opened(), *(span._replace(end=span.start + 10) for span in (*spans, other.span(5, 1)))])
    found = list(store.stream_spans(session, C))
    assert [(span.start, span.end, span.exchange) for span in found] == [
        (0, 10, 3), (10, 20, None), (20, 30, 2), (30, 40, 1),
    ]  # fmt: skip
    assert [span.start for span in store.stream_spans(session, S)] == [5]
