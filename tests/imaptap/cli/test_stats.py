"""`imaptap stats`. A line of a tale comes a millisecond after the one before it, so all times can be counted."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.imaptap.telling import LETTER, Tale, recorded, typed_session
from tests.need import ROOT

if TYPE_CHECKING:
    from tests.imaptap.cli.conftest import Program

TOLD = r"""
S: * OK hi
C: a1 LOGIN {3}
S: + go ahead
C: bob secret
S: a1 OK done
C: a2 SELECT INBOX
S: * 4 EXISTS
S: a2 OK done
C: a3 UID FETCH 7 BODY.PEEK[1]
C: a4 NOOP
S: * 1 FETCH (UID 7 BODY[1] {2}
S: ok)
S: a3 OK done
S: a4 OK done
C: a5 NOOP
S: a5 OK done
C: a6 UID FETCH 7 BODY[1]
S: * 1 FETCH (UID 7 BODY[1] {2}
S: ok)
S: a6 OK done
C: a7 IDLE
S: + idling
S: * 5 EXISTS
C: DONE
S: a7 OK done
C: a8 XYZZY
S: a8 BAD what?
C: a9 NOOP
"""
# Line by line, from 1 ms on:
#  1 greeting; a1 2..5, sent 4; a2 6..8; a3 9..13, a4 10..14; a5 15..16; a6 17..20; a7 IDLE 21..25, DONE 24; a8 26..27;
#  a9 28, never answered: the session ends at 29, and so does the waiting.
TIMES = {
    "opening": 2.0,
    "server": 1.0 + 2.0 + 5.0 + 1.0 + 3.0 + 1.0 + 1.0,
    "sending": 2.0,
    "idle": 4.0,
    "client": 7 * 1.0,
}
WASTED = len(b"* 1 FETCH (UID 7 BODY[1] {2}\r\nok)\r\na6 OK done\r\n")


@pytest.fixture
def told(program: Program) -> Program:
    """Recording "told": the session above, and one as a person types it."""
    recorded(program.db, Tale(1).say(TOLD).end(), typed_session(2), name="told")
    return program


def by_command(document: Any) -> dict[str, Any]:
    return {each["command"]: each for each in document["commands"]}


def test_a_session(told: Program) -> None:
    document = told.json("stats", "told/1")
    assert (document["recording"], document["session"], document["ending"]) == (1, 1, "closed by client")
    everything = document["all"]
    assert (everything["sessions"], everything["count"]) == (1, 9)
    assert (everything["unfinished"], everything["refused"]) == (1, 1)
    assert everything["client_bytes"] == document["client_bytes"]
    assert everything["round_trips"] == 2 + 1 + 1 + 1 + 1 + 1 + 2 + 1
    assert everything["time_ms"] == {"total": 29.0, **TIMES}
    # a1 3, a2 2, a3 4, a4 4, a5 1, a6 3, a8 1, and a9 1 until the end
    assert everything["in_flight"] == {"max": 2, "mean": pytest.approx(19 / 16)}
    latency = {"count": 7, "total_ms": 18.0, "p50_ms": 3.0, "p90_ms": 4.0, "p99_ms": 4.0, "max_ms": 4.0, "exact": True}
    assert everything["latency"] == latency
    assert everything["waited_ms"] == 16.0, "but for the two of a1"
    lasted = {"count": 1, "total_ms": 3.0, "p50_ms": 3.0, "p90_ms": 3.0, "p99_ms": 3.0, "max_ms": 3.0, "exact": True}
    assert everything["idle"] == {**lasted, "woken": 1, "news": 1, "longest_gap_ms": None}
    assert everything["repeated"] == {"count": 1, "ms": 1.0}
    assert everything["fetched_again"]["sections"] == 1


def test_by_command(told: Program) -> None:
    found = by_command(told.json("stats", "told/1"))
    assert list(found) == ["UID FETCH", "NOOP", "LOGIN", "SELECT", "XYZZY", "IDLE"]
    noop, fetch = found["NOOP"], found["UID FETCH"]
    assert (noop["count"], noop["unfinished"], noop["latency"]["count"]) == (3, 1, 2)
    assert noop["repeated"] == {"count": 1, "ms": 1.0}
    assert fetch["fetched_again"] == {"letters": 0, "sections": 1, "bytes": WASTED}
    assert (found["LOGIN"]["round_trips"], found["IDLE"]["round_trips"], found["XYZZY"]["refused"]) == (2, 2, 1)


def test_by_session(told: Program) -> None:
    document = told.json("stats", "told", "--by", "session")
    assert "commands" not in document
    assert [(each["recording"], each["session"], each["count"]) for each in document["sessions"]] == [
        (1, 1, 9),
        (1, 2, 4),
    ]
    assert (document["all"]["sessions"], document["all"]["count"], document["session_count"]) == (2, 13, 2)
    totals = [each["time_ms"]["total"] for each in document["sessions"]]
    assert document["all"]["time_ms"]["total"] == sum(totals)
    first, *rest = told.json("stats", "told/2", "--by", "session")["sessions"]
    assert (first, rest) == (document["sessions"][1], [])


def test_the_slowest(told: Program) -> None:
    slowest = told.json("stats", "--top", "2")["slowest"]
    assert [(each["session"], each["exchange"], each["ms"]) for each in slowest] == [(2, 3, 5.0), (1, 3, 4.0)]
    assert told.json("stats", "--top", "0")["slowest"] == []
    assert len(told.json("stats")["slowest"]) == 10
    lines = told.lines("stats", "told/1", "--top", "1")
    assert lines[-2] == "# slowest"
    assert "UID FETCH 7 BODY.PEEK[1]" in lines[-1]


def test_a_letter_that_is_taken_twice(program: Program) -> None:
    tale = Tale().say("S: * PREAUTH hi\nC: a SELECT INBOX\nS: a OK")
    for tag in ("b", "c"):
        tale.say(f"C: {tag} FETCH 1 BODY[]\nS: * 1 FETCH (BODY[] {{{len(LETTER)}}}")
        tale.send(1, LETTER).say(f"S: )\nS: {tag} OK")  # type: ignore[arg-type]
    recorded(program.db, tale.end(), name="twice")
    again = by_command(program.json("stats"))["FETCH"]["fetched_again"]
    assert again == {"letters": 1, "sections": 0, "bytes": len(LETTER)}
    assert f"fetched again: 1 letters, 0 sections, {len(LETTER) / 1000:.1f} kB" in program.lines("stats")[4]


def test_for_people(told: Program) -> None:
    lines = told.lines("stats", "told/1")
    client, server = (sum(len(each) - 1 for each in TOLD.split("\n") if each.startswith(side)) for side in ("C:", "S:"))
    waiting = "waiting for the server 14 ms, sending 2.0 ms, IDLE 4.0 ms, waiting for the client 7.0 ms"
    assert lines[:7] == [
        "# recording told, session 1: sessions 1, exchanges 9, 1 of them unfinished, refused 1",
        f"# bytes: client {client} bytes, server {server - len('* OK hi..')} bytes; round trips 10",
        f"# time 29 ms: opening 2.0 ms, {waiting}",
        "# in flight: most 2, mean 1.19",
        f"# asked again: 1 in 1.0 ms; fetched again: 0 letters, 1 sections, {WASTED} bytes",
        "# IDLE: 1, 1 heard news, 1 responses; p50 3.0 ms, longest 3.0 ms",
        "",
    ]
    heading, *rows = lines[7:14]
    assert heading.split()[:4] == ["command", "count", "refused", "unfinished"]
    assert [row.split("  ")[0] for row in rows] == ["UID FETCH", "NOOP", "LOGIN", "SELECT", "XYZZY", "IDLE"]
    assert rows[2].split()[1:] == "1 0 0 3.0 ms 3.0 ms 3.0 ms 3.0 ms 1.0 ms 26 bytes 24 bytes 2 0 0".split()


def test_for_people_by_session(told: Program) -> None:
    lines = told.lines("stats", "--by", "session", "--top", "0")
    heading, *rows = lines[-3:]
    assert heading.split()[:3] == ["session", "started", "count"]
    assert [row.split()[:4] for row in rows] == [
        ["1", "2023-11-14", "22:13:20", "9"], ["2", "2023-11-14", "22:13:20", "4"],
    ]  # fmt: skip


def test_with_a_filter(told: Program) -> None:
    document = told.json("stats", "--filter", "cmd:NOOP")
    assert list(by_command(document)) == ["NOOP"]
    assert (document["all"]["sessions"], document["all"]["count"]) == (1, 3)
    assert document["all"]["repeated"]["count"] == 1
    # a4 10..14, a5 15..16, a9 28..29
    assert document["all"]["time_ms"] == {
        "total": 29.0, "opening": 10.0, "server": 6.0, "sending": 0.0, "idle": 0.0, "client": 13.0,
    }  # fmt: skip
    assert told.lines("stats", "--filter", "cmd:COPY")[0].endswith("sessions 0, exchanges 0, refused 0")
    assert "column" in told.refused("stats", "--filter", "nothing:at:all")


def test_nothing_to_count(program: Program) -> None:
    recorded(program.db, Tale().say("S: * OK hi").end(), name="silent")
    waiting = "waiting for the server 0.0 ms, sending 0.0 ms, IDLE 0.0 ms, waiting for the client 0.0 ms"
    assert program.lines("stats") == [
        "# recording silent: sessions 1, exchanges 0, refused 0",
        "# bytes: client 0 bytes, server 0 bytes; round trips 0",
        f"# time 2.0 ms: opening 2.0 ms, {waiting}",
        "# in flight: none",
        "# asked again: 0 in 0.0 ms; fetched again: 0 letters, 0 sections, 0 bytes",
    ]
    document = program.json("stats")
    assert (document["commands"], document["slowest"], document["all"]["in_flight"]["mean"]) == ([], [], None)


def test_what_cannot_be_counted(told: Program) -> None:
    assert "names a single exchange" in told.refused("stats", "told/1/2")
    assert "no recording" in told.refused("stats", "tolt")
    assert told("stats", "--top", "-1").exit_code == 2


def test_hostile_words_are_escaped(program: Program) -> None:
    recorded(program.db, Tale().say("S: * OK hi\nC: a \x1b[2J[red]x\nS: a BAD no").end(), name="evil")
    text = "\n".join(program.lines("stats"))
    assert "\x1b" not in text
    assert r"\X1B[2J[RED]X" in text.upper()


def test_the_page_has_every_key(told: Program) -> None:
    """docs/cli.md names all that is in the JSON."""
    page = (ROOT / "docs" / "cli.md").read_text()
    section = page[page.index("\n## imaptap stats") : page.index("\n## imaptap tail")]
    named = set(re.findall(r"`(\w+)`", section))
    document = told.json("stats", "--by", "session")
    keys = {"all", "commands", "sessions", "slowest"}
    for each in (document["all"], told.json("stats")["commands"][0]):
        keys |= each.keys()
        keys |= {key for value in each.values() if isinstance(value, dict) for key in value}
    assert keys <= named, keys - named
