"""`imaptap demo`, from beginning to end."""

from __future__ import annotations

import imaplib
import re
import ssl
import tempfile
from typing import TYPE_CHECKING

import pytest

from imaptap.cli import demo
from imaptap.demo import play
from imaptap.demo.play import CASSETTE
from tests.need import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from imaptap.recording import Ready
    from tests.imaptap.cli.conftest import Program


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary files go, and where nothing may be left."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.setenv("IMAPTAP_HOME", str(tmp_path / "home"))
    return folder


def test_it_shows_a_session_and_leaves_nothing(program: Program, folder: Path, tmp_path: Path) -> None:
    lines = program.lines("demo")
    headings = [line.split("  ") for line in lines if re.match(r"# \d+  ", line)]
    assert [heading[2] for heading in headings] == [
        *("CAPABILITY", "LOGIN", "CAPABILITY", "LIST", "LIST", "SELECT", "FETCH", "FETCH", "FETCH", "FETCH", "LOGOUT")
    ]
    assert {heading[3].split()[0] for heading in headings} == {"OK"}
    assert any(line.endswith('LOGIN anna@example.org "<masked login>"') for line in lines)
    assert "S: * 4 EXISTS" in lines
    assert sum(line.startswith("S: (literal ") for line in lines) == 2
    assert any(line.startswith("# tls client") for line in lines)
    assert any("imaptap record imaps://" in line for line in lines)
    assert list(folder.iterdir()) == []
    assert not (tmp_path / "home").exists()
    assert not program.db.exists()


def test_the_readme_shows_what_the_program_prints(program: Program, folder: Path) -> None:
    """Times, sizes and tags apart."""
    shown = re.findall(r"^    ((?:[CS]:|→|# \d+  ).*)$", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert len(shown) > 10
    printed = {varying(line) for line in program.lines("demo")}
    assert [line for line in shown if varying(line) not in printed] == []


def varying(line: str) -> str:
    """The line without what is different each time."""
    line = re.sub(r"^([CS]: )[A-P]{4}\d+ ", r"\1TAG ", line)
    return re.sub(r"(\d\d:){2}.{6}|\d[\d.]* ms", "", line)


def test_the_recording_can_be_kept(program: Program, folder: Path) -> None:
    assert program("demo", "--db", str(program.db)).exit_code == 0
    (recording,) = program.json("ls")["recordings"]
    assert (recording["state"], recording["session_count"], recording["exchange_count"]) == ("ended", 1, 11)
    (session,) = program.json("ls", "last")["sessions"]
    assert "correct horse" not in program("export", "--side", "client", "last/1").stdout
    assert session["ending"] in ("closed by client", "closed by server")
    assert list(folder.iterdir()) == []


def test_what_is_recorded_is_what_the_cassette_says(program: Program, folder: Path) -> None:
    assert program("demo", "--db", str(program.db)).exit_code == 0
    assert program.lines("diff", str(CASSETTE), "last")[-1] == "Equal: no differences in 11 exchanges."


def test_the_cassette_breaks_no_rule(program: Program, folder: Path) -> None:
    assert program.lines("lint", str(CASSETTE))[-1].startswith("# sessions: 1, errors: 0,")


def test_a_command_that_the_cassette_has_no_answer_to(
    program: Program, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def converse(ready: Ready) -> None:
        trust = ssl.create_default_context(cafile=str(ready.ca))
        with imaplib.IMAP4_SSL("localhost", ready.listen[0].port, ssl_context=trust) as client:
            client.login("anna@example.org", "correct horse battery")
            assert client.select("Sent")[0] == "NO"

    monkeypatch.setattr(play, "converse", converse)
    result = program("demo")
    assert result.stderr == "imaptap: The demonstration's cassette has no answer to SELECT Sent. Please report this.\n"


def test_a_client_that_does_not_get_through(program: Program, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_: object) -> bool:
        raise ConnectionRefusedError(111, "Connection refused")

    monkeypatch.setattr(demo, "play", fail)
    assert "Connection refused" in program.refused("demo", code=1)


def test_a_database_that_cannot_be(program: Program, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "letter").write_text("Dear Ben,\n")
    assert "letter" in program.refused("demo", "--db", str(tmp_path / "letter"))
