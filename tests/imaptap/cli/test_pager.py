"""The pager: on a terminal only, $PAGER, --no-pager, and quitting it early."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.imaptap.cli.terminals import on_a_terminal
from tests.imaptap.telling import Tale, recorded

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from tests.imaptap.cli.conftest import Program


def pager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Make $PAGER a shell script."""
    program = tmp_path / "pager"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PAGER", str(program))


def test_a_terminal_gets_it_through_the_pager(two: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pager(tmp_path, monkeypatch, f"echo paged; cat > {tmp_path}/seen; echo $LESS")
    monkeypatch.delenv("LESS", raising=False)
    code, shown = on_a_terminal(two, "show", "typed/1")
    assert (code, shown.split()) == (0, [b"paged", b"-FRX"])
    seen = (tmp_path / "seen").read_bytes()
    assert b"\x1b[32mS: * OK ready\x1b[0m" in seen, "colours are passed on"


def test_without_a_pager(two: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pager(tmp_path, monkeypatch, "echo paged")
    code, shown = on_a_terminal(two, "show", "typed/1", "--no-pager")
    assert code == 0
    assert b"paged" not in shown
    assert b"* OK ready" in shown


def test_a_pipe_is_not_paged(two: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pager(tmp_path, monkeypatch, "echo paged")
    assert "paged" not in two("show", "typed/1").stdout


def test_who_quits_the_pager_has_seen_enough(program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It reads one line and ends, long before all is written."""
    pager(tmp_path, monkeypatch, "head -c 20 > /dev/null; echo seen")
    tale = Tale().say("S: * PREAUTH hi")
    for number in range(1500):
        tale.say(f"C: a{number} NOOP\nS: * OK {'x' * 200}\nS: a{number} OK")
    recorded(program.db, tale.end(), name="x")
    code, shown = on_a_terminal(program, "show", "x/1")
    assert (code, shown.split()) == (0, [b"seen"])


def test_lines_fit_and_bars_are_drawn_for_people(two: Program) -> None:
    """A bar of six cells for the longest, the FETCH of 5 ms; it is what the others are beside."""
    _, shown = on_a_terminal(two, "show", "typed", "--no-pager", columns=60)
    exchanges = [line for line in plain(shown) if "→" in line]
    assert len(exchanges) == 5
    assert max(map(len, exchanges)) == 60, "the longest is cut there"
    _, shown = on_a_terminal(two, "show", "typed/1", "--no-pager", columns=100)
    fetch = next(line for line in plain(shown) if line.startswith("# 3 "))
    assert fetch.endswith("  ██████")
    select = next(line for line in plain(shown) if line.startswith("# 2 "))
    assert select.endswith("  ███▋"), "3 of 5 ms"


def plain(shown: bytes) -> list[str]:
    """The lines without their colours."""
    return re.sub(rb"\x1b\[[0-9;]*m", b"", shown).replace(b"\r\n", b"\n").decode().split("\n")
