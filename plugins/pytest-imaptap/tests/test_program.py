"""How the command is found, and what it is told and tells."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from pytest_imaptap.program import Program, Ready, command, environment, read_ready
from pytest_imaptap.values import CassetteError

READY = """{"recording": 3, "listen": [{"url": "imap://localhost:5"}, {"url": "imaps://localhost:7"},
{"url": "imap://localhost:5"}], "ca": "/home/ca.pem", "db": "/db"}"""


def test_ready() -> None:
    assert read_ready(READY) == Ready("localhost", 7, 5, Path("/home/ca.pem"), "3")


def installed(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A command imaptap that is this shell script, and the only one there is."""
    monkeypatch.setattr(sys, "executable", str(folder / "bin" / "python"))
    monkeypatch.setenv("PATH", str(folder))
    program = folder / "imaptap"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return str(program)


def test_command_in_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And before that, beside Python."""
    beside = Path(sys.executable).with_name("imaptap")
    assert command() == str(beside)
    assert command() != installed(tmp_path, "", monkeypatch)
    assert command() == str(tmp_path / "imaptap")


def test_no_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Path(installed(tmp_path, "", monkeypatch)).unlink()
    with pytest.raises(CassetteError, match=r"not installed here\.\nInstall it: pip install imaptap\."):
        command()


def test_one_that_ends_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it has said is the error's."""
    installed(tmp_path, "echo no room for $IMAPTAP_HOME: $1 >&2; exit 3", monkeypatch)
    said = rf"`imaptap serve` ended with 3 at once\.\nno room for {tmp_path}/home: serve\Z"
    with pytest.raises(CassetteError, match=said), Program(tmp_path, tmp_path / "home", "serve", "x"):
        pass


def test_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The user's own authority and database stay out of it."""
    monkeypatch.setenv("IMAPTAP_DB", "postgresql://mine")
    monkeypatch.setenv("IMAPTAP_HOME", "/mine")
    monkeypatch.setenv("LANG", "eo")
    given = environment(tmp_path)
    assert "IMAPTAP_DB" not in given
    assert (given["IMAPTAP_HOME"], given["LANG"]) == (str(tmp_path), "eo")
