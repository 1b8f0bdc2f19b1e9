"""The front door: quick to start, in words whatever goes wrong, and nobody else's."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import click
import pytest
from click.testing import CliRunner, Result

import imaptap
from certs.errors import CertificateError
from imaptap.cli import cli
from imaptap.cli.errors import UserError
from imaptap.cli.group import Cli, Commands
from imaptap.cli.options import default_db
from proxy.live.errors import LiveError
from storage import GapError, StorageError
from tests.imaptap.cli.terminals import on_a_terminal
from tests.imaptap.telling import Tale, recorded

if TYPE_CHECKING:
    from pathlib import Path

    from tests.imaptap.cli.conftest import Program


def python(*words: str, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *words], capture_output=True, text=True, check=False, cwd=folder)


def test_the_version_is_said_without_importing_what_is_slow() -> None:
    code = (
        "import sys, imaptap.cli; print([m for m in ('sqlalchemy', 'alembic', 'asyncio', 'rich') if m in sys.modules])"
    )
    assert python("-c", code).stdout == "[]\n"
    said = python("-m", "imaptap", "--version")
    assert (said.returncode, said.stdout) == (0, f"imaptap, version {imaptap.__version__}\n")


def test_the_grammar_is_loaded_only_by_those_who_need_it() -> None:
    code = """
import sys
from imaptap.cli import cli
for name in ("record", "ls", "stats", "tail", "export"):
    cli.commands[name]
    print(name, [m for m in ("proxy.imap.grammar", "storage.filter", "alembic") if m in sys.modules])
from imaptap.cli.filtering import Expression
Expression().convert("cmd:NOOP", None, None)
print("proxy.imap.grammar" in sys.modules)
"""
    names = ("record", "ls", "stats", "tail", "export")
    assert python("-c", code).stdout.splitlines() == [*(f"{name} []" for name in names), "True"]


def test_every_command_can_be_loaded_alone() -> None:
    """In a process that has loaded no other: elsewhere one may have brought what another forgot to ask for."""
    code = """
import os
from imaptap.cli import cli
ended = {}
for name in cli.commands:
    number = os.fork()
    if not number:
        cli.commands[name]
        os._exit(0)
    ended[name] = os.waitpid(number, 0)[1]
print(len(ended), [name for name, status in ended.items() if status])
"""
    done = python("-c", code)
    assert (done.stdout, done.stderr) == (f"{len(cli.commands)} []\n", "")


@pytest.mark.parametrize("name", list(cli.commands))
def test_every_command_explains_itself(name: str, program: Program) -> None:
    assert f" {name}" in program(name, "--help").stdout.splitlines()[0]
    assert cli.commands[name].help


def test_help_has_a_short_form(program: Program) -> None:
    for words in (("-h",), ("ls", "-h")):
        assert "Usage: " in program(*words).stdout


@pytest.mark.parametrize("package", ["proxy", "storage", "certs"])
def test_somebody_elses_packages_are_refused(package: str, tmp_path: Path) -> None:
    (tmp_path / package).mkdir()
    (tmp_path / package / "__init__.py").write_text("raise RuntimeError('not ours')\n")
    done = python("-m", "imaptap", "ls", folder=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"imaptap: The Python package '{package}'")
    assert str(tmp_path / package) in done.stderr
    assert len(done.stderr.splitlines()) == 2


@pytest.mark.parametrize(
    ("raised", "code"),
    [
        (StorageError("It is not there.", "Look elsewhere."), 2),
        (CertificateError("It is not there.", "Look elsewhere."), 2),
        (LiveError("It is not there.", "Look elsewhere."), 2),
        (UserError("It is not there.", "Look elsewhere.", 1), 1),
    ],
)
def test_what_goes_wrong_is_said_in_two_sentences(raised: Exception, code: int) -> None:
    done = raising(raised)
    assert (done.exit_code, done.stdout) == (code, "")
    assert done.stderr == "imaptap: It is not there.\nLook elsewhere.\n"


@pytest.mark.parametrize(
    ("words", "said", "of"),
    [
        (("recrod",), "No such command 'recrod'. Did you mean 'record'?", ""),
        (("ca", "craete"), "No such command 'craete'. Did you mean 'create'?", " ca"),
        (("--verson",), "No such option '--verson'. Did you mean '--version'?", ""),
        (("ls", "--jsn"), "No such option '--jsn'. Did you mean '--json'?", " ls"),
        (("rm",), "Missing argument 'RECORDING", " rm"),
        (("completion",), "Missing argument '{bash|zsh|fish}'. Choose from: bash, zsh, fish", " completion"),
        (("ls", "--db"), "Option '--db' requires an argument.", " ls"),
        (("export", "--side", "left", "1"), "Invalid value for '--side': 'left' is not", " export"),
        (("record", "--max-sessions", "x\x1b\n", "imap://x"), "Invalid value for '--max-sessions'", " record"),
        (("show", "1", "2"), "Got unexpected extra argument", " show"),
    ],
)
def test_mistakes_in_the_command_line(program: Program, words: tuple[str, ...], said: str, of: str) -> None:
    first, second = program.refused(*words).splitlines()
    assert first.startswith(f"imaptap: {said}")
    assert second == f"`imaptap{of} --help` lists the {'commands' if 'command' in said else 'options'}."
    assert "\x1b" not in first


def test_a_group_without_a_command_explains_itself(program: Program) -> None:
    shown = program()
    assert "Usage: " in shown.output
    assert "imaptap: " not in shown.output


def test_a_hole_in_a_recording_is_a_finding() -> None:
    assert raising(GapError(3, 9)).exit_code == 1


def test_interrupted_and_cut_off() -> None:
    assert raising(KeyboardInterrupt()).exit_code == 130
    assert raising(BrokenPipeError()).exit_code == 141


def test_what_an_error_quotes_cannot_reach_the_terminal() -> None:
    done = raising(StorageError("The server said \x1b[2J\r\n* OK.", "\x07"))
    assert done.stderr == "imaptap: The server said \\x1b[2J\\x0d\\x0a* OK.\n\\x07\n"


def test_a_pipe_that_closes_early_is_no_error_message(two: Program) -> None:
    command = [sys.executable, "-m", "imaptap", "show", "typed/1", "--bodies"]
    env = {**os.environ, "IMAPTAP_DB": str(two.db)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env) as process:
        assert process.stdout
        process.stdout.close()
        assert process.stderr
        assert process.stderr.read() == b""
    assert process.returncode == 141


def test_a_terminal_of_another_alphabet(program: Program) -> None:
    recorded(program.db, Tale().say(f"S: * OK hi\nC: a SELECT {'mailbox' * 30}\nS: a OK").end(), name="x")
    env = {**os.environ, "IMAPTAP_DB": str(program.db), "PYTHONIOENCODING": "ascii"}
    done = subprocess.run([sys.executable, "-m", "imaptap", "tail"], capture_output=True, check=False, env=env)
    assert (done.returncode, done.stderr) == (0, b"")
    assert rb"\u2026" in done.stdout


def test_on_a_terminal(two: Program) -> None:
    """Colours are there, and a raw stream is not let through to be obeyed."""
    code, shown = on_a_terminal(two, "show", "typed/1", "--no-pager")
    assert code == 0
    assert b"\x1b[32mS: \x1b[0m" in shown
    code, shown = on_a_terminal(two, "export", "--side", "server", "typed/1")
    assert code == 2
    assert b"a terminal would obey" in shown
    assert b"* OK ready" not in shown


def test_the_default_database_lies_in_the_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMAPTAP_HOME", str(tmp_path / "home"))
    assert default_db() == str(tmp_path / "home" / "imaptap.db")
    done = CliRunner().invoke(cli, ["ls"], env={"IMAPTAP_DB": None})
    assert done.exit_code == 2
    assert str(tmp_path / "home") in done.stderr
    assert not (tmp_path / "home").exists()


def raising(error: BaseException) -> Result:
    @click.command()
    def fail() -> None:
        raise error

    group = Cli("imaptap", commands=Commands())
    group.add_command(fail)
    return CliRunner().invoke(group, ["fail"])
