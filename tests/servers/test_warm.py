"""A process that is started warm is as one that is started cold, from its words to its end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from typing import TYPE_CHECKING

import pytest

from tests.servers import warm
from tests.servers.recorder import environment, program

if TYPE_CHECKING:
    from pathlib import Path

SCRIPT = """\
import os, sys, time
print(__name__, sys.argv, os.getcwd(), sorted(os.environ), time.strftime("%H", time.localtime(0)), sys.stdin.read())
print(sorted(map(int, os.listdir("/dev/fd")))[:3], file=sys.stderr)
sys.exit(int(sys.argv[1]))
"""


def executable(folder: Path, text: str) -> str:
    """A script for this Python."""
    file = folder / "script"
    file.write_text(f"#!{sys.executable}\n{text}")
    file.chmod(0o700)
    return str(file)


def both(words: list[str], env: dict[str, str], cwd: Path, said: str) -> list[tuple[int, str, str]]:
    """Exit code and output, warm and cold."""
    done = [
        warm.run(words, env, cwd=cwd, said=said),
        subprocess.run(
            [sys.executable, *words], env=env, cwd=cwd, input=said, capture_output=True, text=True, check=False
        ),
    ]
    return [(each.returncode, each.stdout, each.stderr) for each in done]


def test_a_script_sees_the_same(tmp_path: Path) -> None:
    """Words, folder, environment, the time of day, what it reads; and what it says and its exit code come back."""
    script = executable(tmp_path, SCRIPT)
    env = {"PATH": os.defpath, "LC_CTYPE": "C.UTF-8", "IMAPTAP_HOME": "ä", "TZ": "XXX-07"}
    here, there = both([script, "7", "a b"], env, tmp_path, "read me")
    assert here == there
    assert here[0] == 7
    assert here[1].startswith("__main__ ['") and here[1].endswith(" 07 read me\n")  # noqa: PT018


@pytest.mark.parametrize("words", [("--version",), ("ls", "--db", "nowhere.db"), ("nonsense",)], ids=" ".join)
def test_the_program_says_the_same(tmp_path: Path, words: tuple[str, ...]) -> None:
    here, there = both([program(), *words], environment(tmp_path), tmp_path, "")
    assert here == there


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL, signal.SIGINT])
def test_signals_end_it(tmp_path: Path, number: signal.Signals) -> None:
    """Ctrl-C too, which the process that starts others does not heed."""
    script = executable(tmp_path, "import time\nprint(1, flush=True)\nwhile True: time.sleep(100)\n")
    read, write = os.pipe()
    with tempfile.TemporaryFile() as errors, os.fdopen(read, "rb") as said:
        with os.fdopen(write, "wb") as stdout:
            process = warm.start([script], environment(tmp_path), stdout=stdout, stderr=errors)
        assert said.readline() == b"1\n"
        assert process.poll() is None
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0)
        process.send_signal(number)
        assert process.wait(60) == -number
        assert said.read() == b""
        process.kill()  # who has ended cannot be ended again
    assert process.returncode == process.poll() == process.wait()


def test_what_only_a_cold_one_inherits_is_inherited(tmp_path: Path) -> None:
    """Another umask, and a signal that is ignored."""
    script = executable(tmp_path, "import os, signal\nprint(os.umask(0), signal.getsignal(signal.SIGHUP).name)\n")
    assert warm.run([program(), "--version"], environment(tmp_path)).returncode == 0  # it is begun with what is usual
    before = os.umask(0o123), signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        assert warm.run([script], environment(tmp_path)).stdout == f"{0o123} SIG_IGN\n"
    finally:
        os.umask(before[0])
        signal.signal(signal.SIGHUP, before[1])


def test_it_is_cold_where_that_is_asked_for(tmp_path: Path) -> None:
    with tempfile.TemporaryFile() as file:
        process = warm.start([program(), "--version"], environment(tmp_path), stdout=file, stderr=file, cold=True)
        assert isinstance(process, subprocess.Popen)
        assert process.wait(60) == 0
