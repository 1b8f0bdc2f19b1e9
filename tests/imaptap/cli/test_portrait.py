"""`imaptap portrait`: for people and as JSON, of one recording and of two."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.imaptap.telling import C, S, Tale, recorded

if TYPE_CHECKING:
    from tests.imaptap.cli.conftest import Program

BEGINNING = """
S: * OK [CAPABILITY IMAP4rev1 IDLE CONDSTORE] hi
C: a LOGIN bob secret
S: a OK in
C: b SELECT INBOX
S: * 3 EXISTS
S: b OK
"""
OLD = BEGINNING + "C: c FETCH 1:* (FLAGS)\nS: c OK\nC: z LOGOUT\nS: * BYE\nS: z OK"
NEW = BEGINNING + "C: c FETCH 1:* (FLAGS) (CHANGEDSINCE 5)\nS: c OK\nC: z LOGOUT\nS: * BYE\nS: z OK"


@pytest.fixture
def versions(program: Program) -> Program:
    """Recordings "old" and "new", of a client that has learned CONDSTORE; "old" twice."""
    recorded(program.db, Tale().say(OLD).end(), Tale(2).say(OLD).end(), name="old")
    recorded(program.db, Tale().say(NEW).end(), name="new")
    return program


def test_for_people(versions: Program) -> None:
    first, *lines = versions.lines("portrait", "old")
    assert re.fullmatch(r"# portrait of old, 20\d\d-\d\d-\d\d \d\d:\d\d:\d\d, 2 sessions, 8 commands", first)
    assert lines == [
        "",
        "In general",
        "  names messages by sequence number",
        "  waits for each answer before the next command",
        "",
        "Connecting",
        "  connects with TLS from the first byte",
        "  uses several connections at once",
        "  2 connections, at most 2 at once",
        "  never asks for CAPABILITY",
        "  logs in with LOGIN",
        "  does not say who it is (ID)",
        "  seen 2 times:",
        "    LOGIN user password",
        "",
        "Looking at mailboxes: not seen",
        "",
        "Opening a mailbox",
        "  opens mailboxes with SELECT",
        "  fetches the flags of all messages (1:*)",
        "  seen 2 times:",
        "    SELECT mailbox",
        "    FETCH 1:* (FLAGS)",
        "",
        "Reading a message: not seen",
        "",
        "New mail: not seen",
        "",
        "Waiting: not seen",
        "",
        "Sending and saving: not seen",
        "",
        "Marking: not seen",
        "",
        "Deleting and moving: not seen",
        "",
        "Leaving",
        "  says LOGOUT and waits for the answer",
        "  seen 2 times:",
        "    LOGOUT",
        "",
        "Capabilities",
        "  ignored: CONDSTORE IDLE",
        "  heeded or not, it does not show: IMAP4REV1",
    ]


def test_one_session(versions: Program) -> None:
    lines = versions.lines("portrait", "old/2")
    assert lines[0] == "# portrait of old/2, 2023-11-14 22:13:20, 1 session, 4 commands"
    assert "  uses one connection at a time" in lines


def test_against_another_version(versions: Program) -> None:
    assert versions.lines("portrait", "old/1", "--against", "new") == [
        "# old/1 against new",
        "# - old/1 only, + new only; counts and times are not compared",
        "",
        "Opening a mailbox",
        "  - fetches the flags of all messages (1:*)",
        "  - seen 1 time:",
        "  -   SELECT mailbox",
        "  -   FETCH 1:* (FLAGS)",
        "  + fetches only flags that have changed (CHANGEDSINCE)",
        "  + seen 1 time:",
        "  +   SELECT mailbox",
        "  +   FETCH 1:* (FLAGS) (CHANGEDSINCE n)",
        "",
        "Capabilities",
        "  + used: CONDSTORE",
        "  - ignored: CONDSTORE",
    ]
    assert versions.lines("portrait", "old/1", "--against", "old/2")[2:] == ["No difference."]


def test_json(versions: Program) -> None:
    shown = versions.json("portrait", "old")
    assert list(shown) == ["of", "left_out", "whole", "session_count", "command_count", "situations", "capabilities"]
    assert (shown["of"], shown["left_out"], shown["whole"]) == ("old", 0, True)
    assert (shown["session_count"], shown["command_count"]) == (2, 8)
    assert shown["capabilities"] == {
        "used": [], "ignored": ["CONDSTORE", "IDLE"], "silent": ["IMAP4REV1"], "unoffered": [], "withheld": [],
    }  # fmt: skip
    by_name = {each["situation"]: each for each in shown["situations"]}
    assert by_name["opening a mailbox"] == {
        "situation": "opening a mailbox",
        "seen": True,
        "facts": [
            {"text": "opens mailboxes with SELECT", "measured": False},
            {"text": "fetches the flags of all messages (1:*)", "measured": False},
        ],
        "ways": [
            {
                "times": 2,
                "blocks": [
                    {"forms": ["SELECT mailbox"], "least": 1, "most": 1, "pipelined": False},
                    {"forms": ["FETCH 1:* (FLAGS)"], "least": 1, "most": 1, "pipelined": False},
                ],
            }
        ],
        "others": 0,
    }
    assert by_name["marking"]["seen"] is False


def test_json_of_a_comparison(versions: Program) -> None:
    shown = versions.json("portrait", "old/1", "--against", "new")
    assert (shown["of"], shown["against"]) == ("old/1", "new")
    (only,) = shown["situations"]
    assert (only["situation"], only["unseen"]) == ("opening a mailbox", None)
    assert only["against"]["facts"] == ["fetches only flags that have changed (CHANGEDSINCE)"]
    assert shown["capabilities"] == [
        {"kind": "used", "of": [], "against": ["CONDSTORE"]},
        {"kind": "ignored", "of": ["CONDSTORE"], "against": []},
    ]


def test_nothing_that_a_peer_says_reaches_the_terminal(program: Program) -> None:
    tale = (
        Tale().send(S, b"* OK [CAPABILITY \x1b[2J X\xff] hi\r\n").send(C, b'a ID ("\x1b]0;x\x07" "\x1b[31m\xff")\r\n')
    )
    tale.send(S, b"a OK\r\n").send(C, b"b X\x1b[2J y\r\n").send(S, b"b BAD \x1b[2J\r\n")
    tale.send(C, b"c FETCH 1 (BODY[HEADER.FIELDS (\x1b[31m)] [red]X[/red])\r\n").send(S, b"c OK\r\n")
    recorded(program.db, tale.end(), Tale(2).say("S: * OK hi\nC: a NOOP\nS: a OK").end(), name="x")
    for words in (("x",), ("x/1", "--against", "x/2")):
        shown = program("portrait", *words).stdout
        assert all(character.isprintable() for line in shown.split("\n") for character in line)
        assert "\\x1b" in shown


def test_enough_is_enough(versions: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory is bounded, and what was left out is said."""
    monkeypatch.setattr("imaptap.cli.portrait.COMMANDS_ENOUGH", 4)
    lines = versions.lines("portrait", "old")
    assert lines[0].endswith(", 1 session, 4 commands")
    assert lines[1] == "# 1 later session of old left out: 4 commands make a portrait"
    assert versions.json("portrait", "old")["left_out"] == 1
    compared = versions.lines("portrait", "old", "--against", "new")
    assert [line for line in compared if "left out" in line] == [lines[1]]
    monkeypatch.setattr("imaptap.cli.portrait.COMMANDS_ENOUGH", 3)
    lines = versions.lines("portrait", "old/1")
    assert lines[0].endswith(", 1 session, 3 commands")
    assert lines[1] == "# not all of old/1: 3 commands make a portrait"
    assert versions.json("portrait", "old")["whole"] is False


def test_refusals(two: Program) -> None:
    assert "A single exchange makes no portrait." in two.refused("portrait", "typed/1/2")
    assert "no session 7" in two.refused("portrait", "typed", "--against", "typed/7")
    recorded(two.db, name="empty")
    assert "has no sessions" in two.refused("portrait", "empty")
