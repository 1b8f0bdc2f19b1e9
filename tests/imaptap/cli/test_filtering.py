"""--filter: what is chosen, what is said of a filter that cannot be read, and that its documentation is true."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from imaptap.cli import cli
from proxy.imap.transcript import Record
from storage.filter.facts import FACTS, SHORTS
from tests.imaptap.telling import Tale, recorded, typed_session
from tests.need import ROOT

if TYPE_CHECKING:
    from tests.imaptap.cli.conftest import Program


def refused_session() -> list[Record]:
    tale = Tale(3).say(
        'S: * OK [CAPABILITY IMAP4rev1 IDLE] hi\nC: a1 ID ("name" "Thunderbird")\nS: a1 OK done\n'
        "C: a2 SELECT Work/New\nS: a2 NO [TRYCREATE] No such mailbox\nC: a3 NOOP\nS: a3 OK done"
    )
    return tale.end()


@pytest.fixture
def filled(program: Program) -> Program:
    recorded(program.db, typed_session(1), typed_session(2), name="typed")
    recorded(program.db, refused_session(), name="refused")
    return program


def test_ls_lists_recordings_with_matches(filled: Program) -> None:
    heading, *lines = filled.lines("ls", "--filter", "cmd:SELECT")
    assert heading.split()[-1] == "matches"
    assert [(line.split()[1], line.split()[-1]) for line in lines] == [("typed", "2"), ("refused", "1")]
    assert [line.split()[1] for line in filled.lines("ls", "--filter", "code:TRYCREATE")[1:]] == ["refused"]
    assert filled.lines("ls", "--filter", "cmd:XYZZY") == ["No recording has an exchange that matches."]
    document = filled.json("ls", "--filter", "cmd:SELECT")
    assert [(each["name"], each["matches"]) for each in document["recordings"]] == [("typed", 2), ("refused", 1)]
    assert "matches" not in filled.json("ls")["recordings"][0]


def test_ls_lists_sessions_with_matches(filled: Program) -> None:
    heading, *lines = filled.lines("ls", "typed", "--filter", "session:2 status:OK")
    assert heading.split()[-1] == "matches"
    assert [(line.split()[0], line.split()[-1]) for line in lines] == [("2", "4")]
    sessions = filled.json("ls", "typed", "--filter", "session:2")["sessions"]
    assert [(each["session"], each["matches"]) for each in sessions] == [(2, 4)]
    nothing = filled.lines("ls", "typed", "--filter", "status:NO")
    assert nothing == ["No session of recording typed has an exchange that matches."]


def test_show_shows_only_what_matches(filled: Program) -> None:
    lines = filled.lines("show", "typed", "--filter", "cmd:FETCH session:1")
    everything = filled.lines("show", "typed")
    first, second = (number for number, line in enumerate(everything) if line.startswith("# session"))
    told = [line for line in lines if "FETCH" in line or "SELECT" in line]
    assert told == [line for line in everything[first:second] if "FETCH" in line]
    assert len(told) == 1
    assert sum(line.startswith("# session") for line in lines) == 1
    document = filled.json("show", "typed", "--filter", "cmd:LOGOUT session:1")
    assert [[each["command"] for each in session["exchanges"]] for session in document["sessions"]] == [["LOGOUT"]]


def test_show_shows_a_session_with_what_was_said(filled: Program) -> None:
    lines = filled.lines("show", "refused/3", "--filter", "status:NO")
    assert lines[4:6] == ["C: a2 SELECT Work/New", "S: a2 NO [TRYCREATE] No such mailbox"]
    assert not any("NOOP" in line for line in lines)
    assert lines[0].startswith("# session refused/3")
    assert lines[-1].startswith("# closed by client")
    document = filled.json("show", "refused/3", "--filter", "status:NO")
    assert [each["exchange"] for each in document["exchanges"]] == [2]


def test_show_of_one_exchange_takes_none(filled: Program) -> None:
    message = filled.refused("show", "refused/3/1", "--filter", "status:NO")
    assert "names a single one" in message


def test_tail_shows_only_what_matches(filled: Program) -> None:
    lines = filled.lines("tail", "typed", "--filter", "cmd:SELECT or cmd:LOGOUT")
    assert [(line.split()[1], line.split()[3]) for line in lines] == [
        ("1", "SELECT"), ("1", "LOGOUT"), ("2", "SELECT"), ("2", "LOGOUT"),
    ]  # fmt: skip
    assert filled.lines("tail", "typed", "-n", "1", "--filter", "cmd:SELECT") == lines[2:3]
    assert filled.lines("tail", "typed", "-n", "0", "--filter", "cmd:SELECT") == []
    result = filled("tail", "refused", "--json", "--filter", "client:thunderbird status:NO")
    assert [json.loads(line)["command"] for line in result.stdout.splitlines()] == ["SELECT"]


def test_what_cannot_be_read_is_said_with_its_column(filled: Program) -> None:
    for command in ("ls", "show", "tail"):
        message = filled.refused(command, "--filter", "cmd:FETCH mailbx:INBOX")
        assert message.startswith("imaptap: The filter cannot be read at column 11: there is no fact 'mailbx'.\n")
        assert "Did you mean mailbox?" in message
    assert "\\x1b" in filled.refused("ls", "--filter", "cmd\x1b")


def test_the_shell_finishes_facts(filled: Program) -> None:
    option = next(each for each in cli.commands["ls"].params if each.name == "wanted")
    context = cli.make_context("imaptap", ["ls"], resilient_parsing=True)
    for begun, finished in (
        ("cm", ["cmd:"]),
        ("cmd:FETCH and fl", ["cmd:FETCH and flag:"]),
        ("(uns", ["(unsolicited"]),
    ):
        assert [item.value for item in option.type.shell_complete(context, option, begun)] == finished
    everything = [item.value for item in option.type.shell_complete(context, option, "")]
    assert len(everything) == len(FACTS) + len(SHORTS)


# --- docs/filter.md ------------------------------------------------------------------------------------------------


def test_the_page_has_all_facts_as_they_are() -> None:
    page = (ROOT / "docs" / "filter.md").read_text()
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \| (.+) \| `(.+)` \|$", page, re.MULTILINE)
    assert rows == [(fact.name, fact.kind.value, fact.meaning, fact.example) for fact in FACTS.values()]
    shorts = re.findall(r"^\| `(\w+)` \| `(\w+):(.+)` \|$", page, re.MULTILINE)
    assert shorts == [(short.name, short.fact, short.value) for short in SHORTS.values()]


def test_the_filters_on_the_page_can_be_read(filled: Program) -> None:
    page = (ROOT / "docs" / "filter.md").read_text()
    commands = re.findall(r"^    imaptap (?:ls|show|tail|export).*--filter '(.+?)'", page, re.MULTILINE)
    assert len(commands) == 7
    for expression in commands:
        filled.lines("ls", "--filter", expression)
