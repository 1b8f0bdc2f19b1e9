"""The line per exchange that `record` and `tail` show."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from imaptap.cli.lines import exchange_line, result, session_line, took
from proxy.imap.transcript import Ending, Exchange, Origin, Outcome, SessionClosed, SessionOpened

DONE = Exchange(
    1, 2, "a2", "UID FETCH", "1:* (FLAGS)", "INBOX", Origin.CLIENT, Outcome.COMPLETED, "OK", "HIGHESTMODSEQ 5", "done",
    1000, 4500, 25, 1234,
)  # fmt: skip


def plain(exchange: Exchange, wall: int = 0) -> str:
    return exchange_line(7, exchange, wall).plain


def test_a_line() -> None:
    assert plain(DONE).split() == [
        "7",
        "a2",
        "UID",
        "FETCH",
        "1:*",
        "(FLAGS)",
        "OK",
        "[HIGHESTMODSEQ",
        "5]",
        "3.5",
        "ms",
        "25/1234",
        "B",
    ]
    assert plain(DONE, 1_700_000_000_000_000)[2:13] == ":13:20.001  "[:11]


def test_lines_are_columns_whatever_is_said() -> None:
    long = DONE._replace(tag="t" * 500, arguments="\u65e5\u672c " * 500, code="X" * 500)
    assert cell_len(plain(long)) == cell_len(plain(DONE))
    assert "\u2026" in plain(long)


def test_nothing_in_it_is_obeyed() -> None:
    hostile = "\x1b[2J[red]x[/red]\r\n"
    line = exchange_line(1, DONE._replace(tag=hostile, command=hostile, code=hostile, marks=(hostile,)), 0)
    assert line.plain.isprintable()
    assert "[red]x[/red]" in line.plain
    opened = SessionOpened(1, 1, hostile, hostile, hostile)
    closed = SessionClosed(1, 1, Ending.FAILED, hostile, 1, 2)
    for record in (opened, closed):
        assert session_line(record).plain.isprintable()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"status": "OK", "code": None}, "OK"),
        ({"status": "NO", "code": "ALERT", "text": "not now"}, "NO [ALERT] not now"),
        ({"status": "BAD", "code": None, "text": None}, "BAD"),
        ({"status": None, "outcome": Outcome.INCOMPLETE}, "incomplete"),
        ({"status": None, "outcome": Outcome.BYE}, "ended by BYE"),
        ({"status": None, "outcome": Outcome.OPEN}, "open"),
    ],
)
def test_results(changes: dict[str, object], said: str) -> None:
    assert result(DONE._replace(**changes)) == said


def test_durations() -> None:
    assert took(DONE._replace(ended=None)) == "-"
    assert took(DONE._replace(started=0, ended=9_949)) == "9.9 ms"
    assert took(DONE._replace(started=0, ended=1_234_567)) == "1235 ms"


def test_marks_and_what_imaptap_sent_itself() -> None:
    line = plain(DONE._replace(origin=Origin.PROXY, marks=("tag reused", "bare LF")))
    assert line.endswith("  sent by imaptap, tag reused, bare LF")


def test_a_session_begins_and_ends() -> None:
    opened = SessionOpened(3, 1_700_000_000_000_000, "127.0.0.1:5", "imaps://localhost:1993", "imaps://x:993")
    assert session_line(opened).plain.split()[1:4] == ["3", "127.0.0.1:5", "connected"]
    closed = SessionClosed(3, 5, Ending.CUT, "stopped", 10, 20)
    assert session_line(closed).plain.split() == ["3", "cut:", "stopped", "10/20", "B"]
    assert ":13:20.000" in session_line(closed, 1_700_000_000_000_000).plain
