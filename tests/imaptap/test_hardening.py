"""What is in memory stays there: no core dump, and no look into the process from outside."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.need import need
from tests.servers.recorder import environment, program
from tests.servers.wait import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from subprocess import Popen

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="prctl and /proc are Linux's")
PROC = Path("/proc")
UNLIMITED = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)


def lift() -> None:
    """What `ulimit -c unlimited` does."""
    hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
    resource.setrlimit(resource.RLIMIT_CORE, UNLIMITED if os.geteuid() == 0 else (hard, hard))


def recorder(folder: Path, *prefix: str, workers: int = 1) -> Popen[bytes]:
    """`imaptap record` that has begun, started with no limit on core dumps."""
    ready = folder / "ready.json"
    words = ["imap+insecure://127.0.0.1:1", "--listen", "imap+insecure://127.0.0.1:0", "--ready-file", str(ready)]
    words += ["--workers", str(workers)]
    process = subprocess.Popen(
        [*prefix, program(), "record", *words, "--db", str(folder / "record.db")],
        cwd=folder,
        env=environment(folder / "home"),
        preexec_fn=lift,  # noqa: PLW1509 - no threads run yet
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    until(lambda: ready.exists() or process.poll() is not None, "the recorder to be ready")
    return process


def dumped(process: Popen[bytes], number: signal.Signals) -> bool:
    """Whether the kernel wrote a core dump when `number` killed it."""
    process.send_signal(number)
    _, status = os.waitpid(process.pid, 0)
    process.returncode = -number
    assert os.WTERMSIG(status) == number
    return os.WCOREDUMP(status)


@pytest.mark.parametrize("number", [signal.SIGABRT, signal.SIGQUIT, signal.SIGSEGV])
def test_a_recorder_that_dies_leaves_no_core(tmp_path: Path, number: signal.Signals) -> None:
    """Whatever the limit it was started with."""
    assert not dumped(recorder(tmp_path), number)
    assert [file.name for file in tmp_path.iterdir() if "core" in file.name] == []


def test_another_python_would_have_left_one(tmp_path: Path) -> None:
    """So that the test above can fail."""
    command = [sys.executable, "-c", "print(flush=True); input()"]
    process = subprocess.Popen(
        command, cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE, preexec_fn=lift  # noqa: PLW1509
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdin is not None
    with closing(process.stdout), closing(process.stdin):
        process.stdout.readline()
        if not dumped(process, signal.SIGABRT):
            pytest.skip("this system keeps no core dumps of anything: only what the kernel says is tested")


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that an ordinary user can get to and owns: pytest's own are root's where root runs the tests."""
    made = Path(tempfile.mkdtemp(prefix="imaptap-", dir="/tmp"))
    if os.geteuid() == 0:
        os.chown(made, 65534, 65534)
    yield made
    shutil.rmtree(made)


def as_ordinary_user() -> list[str]:
    """What to put before a command so that root does not run it."""
    if os.geteuid() != 0:
        return []
    # It may read all files, since the program may lie in root's home. Looking into processes is another matter.
    capability = "+dac_read_search"
    user = ("--reuid=65534", "--regid=65534", "--clear-groups")
    return [need("setpriv"), *user, f"--inh-caps={capability}", f"--ambient-caps={capability}"]


def family(pid: int) -> list[int]:
    """A process and its children."""
    fields = {int(stat.parent.name): stat.read_text().rpartition(")")[2].split() for stat in PROC.glob("[0-9]*/stat")}
    return [pid, *(child for child, (_, parent, *_) in fields.items() if int(parent) == pid)]


@pytest.fixture
def reachable() -> Iterator[None]:
    """Whoever is not root may go through the folders above the program (`os.access` does not heed capabilities)."""
    narrow = [(each, each.stat().st_mode) for each in Path(program()).parents if not each.stat().st_mode & 0o001]
    changed = [(each, mode) for each, mode in narrow if os.geteuid() == 0]
    for each, mode in changed:
        each.chmod(mode | 0o001)
    yield
    for each, mode in changed:
        each.chmod(mode)


@on_linux
@pytest.mark.usefixtures("reachable")
@pytest.mark.parametrize("workers", [1, 2])
def test_nobody_but_root_looks_into_it(folder: Path, workers: int) -> None:
    """The same user may see that it runs, not its memory, its environment, its files. It works all the same."""
    prefix = as_ordinary_user()
    process = recorder(folder, *prefix, workers=workers)
    try:
        assert process.poll() is None
        members = family(process.pid)
        assert len(members) == (1 if workers == 1 else 1 + workers)
        for pid in members:
            for name in ("stat", "status", "cmdline", "environ", "maps", "mem", "fd/0", "smaps_rollup"):
                command = [*prefix, "head", "-c1", f"/proc/{pid}/{name}"]
                said = subprocess.run(command, capture_output=True, check=False).stderr
                assert (b"ermission denied" in said) is (name not in {"stat", "status", "cmdline"}), name
    finally:
        process.terminate()
        assert process.wait(20) == 0


@on_linux
def test_what_the_system_says_of_it() -> None:
    """PR_GET_DUMPABLE, and both limits; nothing that runs in it can raise them, and children inherit the limit."""
    asks = """
import ctypes, resource, subprocess, sys
from imaptap.hardening import forbid_core_dumps
forbid_core_dumps()
print(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0), *resource.getrlimit(resource.RLIMIT_CORE))
print(subprocess.check_output(["sh", "-c", "ulimit -c"], text=True).strip())
"""
    done = subprocess.run([sys.executable, "-c", asks], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["0", "0", "0", "0"]
