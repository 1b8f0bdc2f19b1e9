"""`imaptap`, started where all that it imports has been imported already: most of a short command's time goes there.

A process (stove.py) imports it once. For each start it forks, and its child runs the console script as any other
process does, with its own words, environment, folder and files, to its end. What only a process that nobody has warmed
can show (what `ps` says of it, what it inherits, what memory it takes) is for `subprocess`; so are all, with COLD=1 in
the environment.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import re
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import IO, TYPE_CHECKING

from tests.need import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

COLD = bool(os.environ.get("COLD"))
_UMASK = re.compile(r"^Umask:\s+([0-7]+)$", re.MULTILINE)


class Started:
    """A process that was started warm; is asked and told as a `subprocess.Popen` is."""

    def __init__(self, status: IO[bytes]) -> None:
        self._status, self._lock = status, threading.Lock()
        self.returncode: int | None = None
        first = status.readline()
        if not first:
            raise RuntimeError("the process that starts imaptap has ended")
        self.pid = int(first)

    def poll(self) -> int | None:
        """The exit code, if it has ended; minus the signal that has ended it."""
        return self._look(0)

    def wait(self, timeout: float | None = None) -> int:
        """The same, once it has. Raises subprocess.TimeoutExpired."""
        code = self._look(None if timeout is None else timeout * 1000)
        if code is None:
            raise subprocess.TimeoutExpired("imaptap", timeout or 0)
        return code

    def send_signal(self, number: int) -> None:
        """Nothing, where it has ended."""
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self.send_signal(signal.SIGKILL)

    def _look(self, milliseconds: float | None) -> int | None:
        with contextlib.suppress(ValueError):  # another thread has been told, and closed it
            poll = select.poll()
            poll.register(self._status, select.POLLIN)
            if poll.poll(milliseconds):
                with self._lock:
                    if self.returncode is None:
                        self.returncode = int(self._status.readline() or -signal.SIGKILL)
                        self._status.close()
        return self.returncode


Process = Started | subprocess.Popen[bytes]


def start(
    words: Sequence[str],
    env: Mapping[str, str],
    *,
    cwd: Path | None = None,
    stdin: IO[bytes] | None = None,
    stdout: IO[bytes],
    stderr: IO[bytes],
    cold: bool = False,
) -> Process:
    """Run the console script `words[0]` with these words behind it. `cold`: as a process that begins with nothing.

    So does one that is to inherit what those that are forked do not: another umask, signals that are ignored now.
    """
    files = (stdin or subprocess.DEVNULL, stdout, stderr)
    if cold or COLD or not _stove.is_like_us():
        return subprocess.Popen(words, stdin=files[0], stdout=stdout, stderr=stderr, cwd=cwd, env=env)
    request = {"words": list(words), "env": dict(env), "cwd": str(cwd or Path.cwd())}
    with Path(os.devnull).open("rb") as nothing:
        return _stove.start(request, [each.fileno() for each in (stdin or nothing, stdout, stderr)])


def run(
    words: Sequence[str], env: Mapping[str, str], *, cwd: Path | None = None, said: str = "", timeout: float = 100
) -> subprocess.CompletedProcess[str]:
    """Run it to its end, with `said` to read. Raises subprocess.TimeoutExpired, and then it is killed."""
    with tempfile.TemporaryFile() as stdin, tempfile.TemporaryFile() as stdout, tempfile.TemporaryFile() as stderr:
        stdin.write(said.encode())
        stdin.seek(0)
        process = start(words, env, cwd=cwd, stdin=stdin, stdout=stdout, stderr=stderr)
        try:
            code = process.wait(timeout)
        except BaseException:
            process.kill()
            process.wait()
            raise
        printed = []
        for file in (stdout, stderr):
            file.seek(0)
            printed.append(file.read().decode().replace("\r\n", "\n"))
    return subprocess.CompletedProcess(list(words), code, *printed)


def _inherited() -> tuple[int, frozenset[int]]:
    """The umask, and the signals that are ignored."""
    return _umask(), frozenset(each for each in signal.valid_signals() if signal.getsignal(each) is signal.SIG_IGN)


def _umask() -> int:
    """Read where the system tells it: to set it for a moment would change it for the files of other threads."""
    with contextlib.suppress(OSError):
        if found := _UMASK.search(Path("/proc/self/status").read_text()):
            return int(found[1], 8)
    umask = os.umask(0o077)
    os.umask(umask)
    return umask


class _Stove:
    """The warm process, from outside. There is one for all, begun when it is first needed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket

    def start(self, request: dict[str, object], files: Sequence[int]) -> Started:
        """What to run goes there in a file, with the three standard files and the one that tells what becomes of it."""
        status, theirs = os.pipe()
        with tempfile.TemporaryFile() as written, self._lock:
            if self._process is None:
                self._begin()
            written.write(json.dumps(request).encode())
            written.seek(0)
            socket.send_fds(self._control, [b"."], [written.fileno(), *files, theirs])
        os.close(theirs)
        return Started(os.fdopen(status, "rb", 0))

    def is_like_us(self) -> bool:
        """Whether what is forked there inherits the same as what is started here."""
        return self._process is None or self._inherited == _inherited()

    def _begin(self) -> None:
        self._inherited = _inherited()
        self._control, theirs = socket.socketpair()
        with theirs:
            number = theirs.fileno()
            command = [sys.executable, "-m", "tests.servers.stove", str(number)]
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, pass_fds=[number], cwd=ROOT)
        atexit.register(self._end)

    def _end(self) -> None:
        assert self._process
        self._control.close()
        self._process.wait()


_stove = _Stove()
