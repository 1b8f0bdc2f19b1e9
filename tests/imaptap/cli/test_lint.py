"""`imaptap lint`."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

import pytest

from tests.imaptap.telling import Tale, recorded

if TYPE_CHECKING:
    from tests.imaptap.cli.conftest import Program

HELLO = "S: * OK [CAPABILITY IMAP4rev1] hello\n"
BYE = "\nC: z LOGOUT\nS: * BYE bye\nS: z OK done"


@pytest.fixture
def wrong(program: Program) -> Program:
    """Recording 1, "wrong": in session 1 each side does something wrong, session 2 is clean."""
    first = Tale(1).say(f"{HELLO}C: a SELECT x\nS: a  NO not yet\nC: a NOOP\nS: a OK done{BYE}")
    recorded(program.db, first.end(), Tale(2).say(HELLO + BYE.strip()).end(), name="wrong")
    return program


def test_each_finding_says_where_who_what_and_which_rfc(wrong: Program) -> None:
    done = wrong("lint")
    assert (done.exit_code, done.stderr) == (1, "")
    once = "The tag has been used in this session before; told once a session."
    before = "The command needs a login, and there was none."
    assert done.stdout.splitlines() == [
        f"wrong/1/1 client at 0: error before-login: {before} RFC 9051 section 6.3",
        "    C: a SELECT x",
        "wrong/1/1 server at 36: error doubled-space: There are two blanks where there is one. RFC 9051 section 9",
        "    S:   NO not yet",
        f"wrong/1/2 client at 12: warning tag-reused: {once} RFC 9051 section 2.2.1",
        "    C: a NOOP",
        "# sessions: 2, errors: 2, warnings: 1, notes: 0",
    ]


def test_a_clean_session(wrong: Program) -> None:
    assert wrong.lines("lint", "wrong/2") == ["# sessions: 1, errors: 0, warnings: 0, notes: 0"]


@pytest.mark.parametrize(
    ("words", "ids"),
    [
        ((), ["before-login", "doubled-space", "tag-reused"]),
        (("--severity", "error"), ["before-login", "doubled-space"]),
        (("--side", "server"), ["doubled-space"]),
        (("--rule", "tag-reused", "--rule", "doubled-space"), ["doubled-space", "tag-reused"]),
        (("--rule", "tags"), ["tag-reused"]),
        (("--ignore", "syntax", "--ignore", "before-login"), ["tag-reused"]),
        (("last/1/1",), ["before-login", "doubled-space"]),
        (("last/1/2",), ["tag-reused"]),
        (("last/2",), []),
    ],
)
def test_what_is_asked_for_is_told(wrong: Program, words: tuple[str, ...], ids: list[str]) -> None:
    found = json.loads(wrong("lint", *words, "--json").stdout)["findings"]
    assert [finding["rule"] for finding in found] == ids


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ((), 1),
        (("--fail-on", "never"), 0),
        (("--severity", "warning", "--ignore", "syntax", "--ignore", "state"), 0),
        (("--ignore", "syntax", "--ignore", "state", "--fail-on", "warning"), 1),
        (("last/2", "--fail-on", "note"), 0),
    ],
)
def test_the_exit_code_tells_whether_it_is_bad(wrong: Program, words: tuple[str, ...], code: int) -> None:
    assert wrong("lint", *words).exit_code == code
    assert wrong("lint", *words, "--json").exit_code == code


def test_json(wrong: Program) -> None:
    document = json.loads(wrong("lint", "last/1", "--rule", "doubled-space", "--json").stdout)
    assert document == {
        "findings": [
            {
                "rule": "doubled-space",
                "family": "syntax",
                "severity": "error",
                "source": "RFC 9051 section 9",
                "side": "server",
                "recording": 1,
                "session": 1,
                "exchange": 1,
                "at": "2023-11-14T22:13:20.003000Z",
                "offset": 36,
                "bytes": "  NO not yet",
                "bytes_base64": base64.b64encode(b"  NO not yet").decode(),
                "text": "There are two blanks where there is one.",
                "detail": "",
            }
        ],
        "counts": [
            {"severity": "error", "count": 1},
            {"severity": "warning", "count": 0},
            {"severity": "note", "count": 0},
        ],
    }


def test_what_peers_said_reaches_no_terminal_unescaped(program: Program) -> None:
    hostile = "[bold]\x1b]0;x\x07\xff"
    script = f"{HELLO}C: a {hostile}\nS: a BAD  {hostile}\nC: b SEARCH CHARSET {hostile} ALL{BYE}"
    recorded(program.db, Tale().say(script).end())
    for words in (("lint",), ("lint", "--json")):
        shown = program(*words).stdout
        assert "\x1b" not in shown
        assert "\x07" not in shown
    assert "[bold]\\x1b]0;x\\x07\\xff" in program("lint").stdout


def test_a_rule_that_is_none(wrong: Program) -> None:
    assert "There is: tag-reused" in wrong.refused("lint", "--rule", "tag-resued")
    assert "docs/lint.md" in wrong.refused("lint", "--ignore", "qqqqqq")
