"""A database with two recordings, and the command line run on it inside this process."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner, Result

from imaptap.cli import cli
from tests.imaptap.telling import Tale, recorded, typed_session

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@dataclass(frozen=True)
class Program:
    """`program("ls")` runs `imaptap ls` on the database `db`; whatever is raised but not expected fails the test."""

    db: Path

    def __call__(self, *words: str, answer: str | None = None) -> Result:
        env = {"IMAPTAP_DB": str(self.db), "COLUMNS": "80"}
        return CliRunner().invoke(cli, words, input=answer, env=env, catch_exceptions=False)

    def lines(self, *words: str) -> list[str]:
        """What it prints, which must be all it has to say."""
        result = self(*words)
        assert (result.exit_code, result.stderr) == (0, "")
        return result.stdout.splitlines()

    def json(self, *words: str) -> Any:
        """What it prints as JSON."""
        result = self(*words, "--json")
        assert (result.exit_code, result.stderr) == (0, "")
        return json.loads(result.stdout)

    def refused(self, *words: str, code: int = 2) -> str:
        """What it says when it does not do what was asked: one sentence, one hint."""
        result = self(*words)
        assert (result.exit_code, result.stdout) == (code, "")
        assert len(result.stderr.splitlines()) == 2
        assert result.stderr.startswith("imaptap: ")
        return result.stderr


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Program]:
    """Nothing recorded yet. Local time is UTC."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield Program(tmp_path / "imaptap.db")
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def weeded(program: Program) -> Program:
    """Recording "weeded": a session with a letter that was not kept."""
    recorded(program.db, typed_session(), name="weeded", max_literal=5000)
    return program


@pytest.fixture
def two(program: Program) -> Program:
    """Recording 1, "typed", with two sessions; recording 2, "short", with one."""
    recorded(program.db, typed_session(), Tale(2).say("S: * OK hello\nC: a1 NOOP\nS: a1 OK").end(), name="typed")
    recorded(program.db, Tale().say("S: * OK hi\nC: b1 NOOP\nS: b1 NO [ALERT] not now").end(), name="short")
    return program
