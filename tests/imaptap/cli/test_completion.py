"""`imaptap completion`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from click.shell_completion import ShellComplete

from imaptap.cli import cli

if TYPE_CHECKING:
    from tests.imaptap.cli.conftest import Program


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_and_its_place(shell: str, program: Program) -> None:
    done = program("completion", shell)
    assert done.exit_code == 0
    assert "_IMAPTAP_COMPLETE" in done.stdout
    assert "imaptap" in done.stdout
    assert "Put this into " in done.stderr


def test_other_shells_are_a_mistake(program: Program) -> None:
    assert program("completion", "tcsh").exit_code == 2


def test_words_are_completed() -> None:
    complete = ShellComplete(cli, {}, "imaptap", "_IMAPTAP_COMPLETE")
    assert {"record", "ls", "show", "demo"} <= {item.value for item in complete.get_completions([], "")}
    assert "--bodies" in {item.value for item in complete.get_completions(["show"], "--")}
