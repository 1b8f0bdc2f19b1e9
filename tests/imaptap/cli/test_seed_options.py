"""`imaptap replay --seed-mailboxes` at servers that play a script, where it does not come to the replay."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.imaptap.telling import Tale, recorded
from tests.servers.certificates import make_identity
from tests.servers.scripted import ScriptedServer

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result

    from tests.imaptap.cli.conftest import Program

RECORDED = """
S: * PREAUTH [CAPABILITY IMAP4rev1] ready
C: a SELECT INBOX
S: * 2 EXISTS
S: a OK done
C: b FETCH 1 (FLAGS INTERNALDATE BODY.PEEK[])
S: * 1 FETCH (FLAGS (\\Seen) INTERNALDATE "01-Jan-2024 10:00:00 +0100" BODY[] {7}
S: hello
S: )
S: b OK done
"""
BEGIN = """
S: * PREAUTH [CAPABILITY IMAP4rev1] ready
C: S1 LIST "" ""
S: * LIST (\\Noselect) "/" ""
S: S1 OK done
C: S2 CAPABILITY
S: * CAPABILITY IMAP4rev1 UIDPLUS LITERAL+
S: S2 OK done
C: S3 LIST "" "*"
S: * LIST () "/" INBOX
S: S3 OK done
C: S4 STATUS INBOX (MESSAGES UIDVALIDITY)
S: * STATUS INBOX (MESSAGES {there} UIDVALIDITY 9)
S: S4 OK done
"""
APPEND = """
C: S5 APPEND INBOX (\\Seen) "01-Jan-2024 10:00:00 +0100" {7+}
C= hello\\r\\n\\r\\n
"""


@pytest.fixture
def run(program: Program, tmp_path: Path) -> Seed:
    recorded(program.db, Tale(1).say(RECORDED).end(), name="old")
    return Seed(program, tmp_path)


class Seed:
    """Seeds the one recording at a server that plays a script."""

    def __init__(self, program: Program, folder: Path) -> None:
        self.program, self.context = program, make_identity(folder / "identity").server_context()

    def __call__(self, script: str, *words: str) -> Result:
        with ScriptedServer(script, self.context) as server:
            return self.at(f"imap+insecure://localhost:{server.port}", "--seed-mailboxes", "--write", *words)

    def at(self, url: str, *words: str) -> Result:
        return self.program("replay", "old", "--to", url, *words)

    @property
    def recordings(self) -> list[str]:
        return [recording["name"] for recording in self.program.json("ls")["recordings"]]


def test_other_messages_end_it(run: Seed) -> None:
    result = run(BEGIN.format(there=7) + "EOF")
    assert result.exit_code == 2
    said, hint = result.stderr.splitlines()
    assert said == "imaptap: The target has other messages than the recording began with in INBOX (7)."
    assert "--seed-onto" in hint
    assert run.recordings == ["old"], "nothing was replayed, so there is no recording of it"


@pytest.mark.parametrize("end", ["CLOSE", "RESET", "S: * BYE out of order\nCLOSE"])
def test_a_target_that_goes_while_it_is_seeded(run: Seed, end: str) -> None:
    result = run(BEGIN.format(there=0) + APPEND + end)
    assert result.exit_code == 2
    assert len(result.stderr.splitlines()) <= 2
    assert "closed the connection" in result.stderr
    assert run.recordings == ["old"]


@pytest.mark.parametrize("word", ["--seed-stand-ins", "--seed-onto"])
def test_how_to_seed_says_nothing_where_nothing_is_seeded(run: Seed, word: str) -> None:
    result = run.at("imaps://nowhere.example.org", word)
    assert result.exit_code == 2
    assert f"{word} says how to seed, and nothing is to be seeded.\nAdd --seed-mailboxes." in result.stderr


def test_without_leave_nothing_is_appended(run: Seed) -> None:
    result = run.at("imaps://nowhere.example.org", "--seed-mailboxes")
    assert result.exit_code == 2
    said, hint = result.stderr.splitlines()
    assert said == "imaptap: --seed-mailboxes appends to mailboxes of the target, and --write was not given."
    assert "--dry-run" in hint
    assert run.recordings == ["old"]


def test_dry_run(run: Seed) -> None:
    result = run.at("imaps://nowhere.example.org", "--seed-mailboxes", "--dry-run")
    assert result.exit_code == 0
    assert result.stdout.startswith("seed     INBOX: 1 of 2 messages\n")


def test_what_a_secret_is_masked_in_is_not_seeded(program: Program, tmp_path: Path) -> None:
    """A server may echo the password in a letter and in a name: the mask is neither."""
    say = """S: * OK hi
C: a LOGIN bob hunter22
S: a OK x
C: b LIST "" *
S: * LIST () "/" hunter22
S: * LIST () "/" INBOX
S: b OK x
C: c SELECT INBOX
S: * 2 EXISTS
S: c OK x
C: d FETCH 1:2 BODY[]
S: * 1 FETCH (BODY[] "it is hunter22")
S: * 2 FETCH (BODY[] "it is not")
S: d OK x
C: e SELECT hunter22
S: * 5 EXISTS
S: e OK x"""
    recorded(program.db, Tale(1).say(say).end(), name="old")
    result = Seed(program, tmp_path).at("imaps://nowhere.example.org", "--seed-mailboxes", "--dry-run")
    assert [line for line in result.stdout.splitlines() if line.startswith("seed")] == [
        "seed     INBOX: 1 of 2 messages"
    ]
