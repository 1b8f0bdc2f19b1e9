"""`imaptap ls`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.imap.transcript import Ending
from storage import Writer, open_store
from tests.imaptap.telling import Tale, recorded

if TYPE_CHECKING:
    from tests.imaptap.cli.conftest import Program


def test_recordings_oldest_first(two: Program) -> None:
    heading, first, second = two.lines("ls")
    assert heading.split() == ["id", "name", "started", "state", "sessions", "exchanges", "size"]
    assert [word for i, word in enumerate(first.split()) if i not in (2, 3)] == [
        "1",
        "typed",
        "ended",
        "2",
        "5",
        "9.4",
        "kB",
    ]
    assert second.split()[:2] == ["2", "short"]


def test_an_empty_database_says_so(program: Program) -> None:
    open_store(program.db, create=True).close()
    assert program.lines("ls") == ["There are no recordings yet. Make one with `imaptap record`."]
    assert program.json("ls") == {"recordings": []}


def test_sessions_of_a_recording(two: Program) -> None:
    for word in ("typed", "1"):
        heading, first, second = two.lines("ls", word)
        assert heading.startswith("session  started")
        assert "127.0.0.1:50001  imaps://localhost:1993  imaps://mail.example.org:993  closed by client" in first
        assert second.split()[0] == "2"
    assert "127.0.0.1:50001" in two.lines("ls", "last")[1]


def test_how_a_session_ended_is_seen(program: Program) -> None:
    failed = Tale().end(Ending.FAILED, "certificate\x1b[2J refused")
    recorded(program.db, failed, name="sad")
    assert "failed: certificate\\x1b[2J refused" in program.lines("ls", "sad")[1]


def test_a_live_recording(program: Program) -> None:
    with open_store(program.db, create=True) as store:
        writer = Writer(store, "now")
        for record in Tale().say("S: * OK hi\nC: a NOOP").so_far():
            writer.put(record)
        try:
            assert program.json("ls")["recordings"][0]["state"] == "live"
        finally:
            writer.close()
    assert program.json("ls")["recordings"][0]["state"] == "ended"


def test_no_client_came(program: Program) -> None:
    recorded(program.db, name="quiet")
    assert program.lines("ls", "quiet") == ["Recording quiet has no sessions: no client has connected."]


def test_json_keys(two: Program) -> None:
    facts = [
        "recording", "name", "state", "started", "ended", "host", "pid", "version", "settings", "imported",
        "bodies",
        "session_count", "exchange_count", "client_bytes", "server_bytes", "replay_of",
    ]  # fmt: skip
    listed = two.json("ls")
    assert list(listed) == ["recordings"]
    assert [list(each) for each in listed["recordings"]] == [facts, facts]
    assert (listed["recordings"][0]["session_count"], listed["recordings"][0]["exchange_count"]) == (2, 5)
    one = two.json("ls", "typed")
    assert list(one) == [*facts, "sessions"]
    first, second = one["sessions"]
    assert list(first) == [
        "recording", "session", "started", "ended", "client", "listen", "upstream", "ending", "reason",
        "client_bytes", "server_bytes",
    ]  # fmt: skip
    assert (first["session"], first["ending"], first["started"]) == (
        1,
        "closed by client",
        "2023-11-14T22:13:20.000000Z",
    )
    assert second["server_bytes"] == 19
