"""The process that others are forked from, by warm.py: `python -m tests.servers.stove DESCRIPTOR`.

It imports what the commands import, and nothing runs in it: no thread, no event loop. Each message at the socket has
five files: the request (JSON), standard input, output and error, and a pipe for the number of the process and, when it
has ended, its exit code.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import runpy
import selectors
import signal
import socket
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

COMMANDS = Path(__file__).parents[2] / "imaptap" / "cli"
LATER = ("aiofastnet", "alembic.command", "cryptography.hazmat.backends.openssl.backend", "storage.migrations")
"""What a command imports in the midst of its work only, for the most part."""
FILES = 5


class Request(NamedTuple):
    """What a new process is to be."""

    words: Sequence[str]
    env: dict[str, str]
    cwd: str


class Stove:
    """Waits for requests, and for the ends of those who were started."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._running: dict[int, int] = {}
        """Process to the pipe that its end is told to."""
        self._ended, ring = os.pipe()
        os.set_blocking(self._ended, False)
        os.set_blocking(ring, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(ring, warn_on_full_buffer=False)

    def serve(self) -> Request | None:
        """Until nobody asks any more: None. In a process that was forked: what it is to run."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._control, selectors.EVENT_READ)
            selector.register(self._ended, selectors.EVENT_READ)
            while True:
                ready = {key.fileobj for key, _ in selector.select()}
                if self._ended in ready:
                    os.read(self._ended, 4096)
                    self._tell()
                if self._control in ready:
                    message, files, *_ = socket.recv_fds(self._control, 1, FILES)
                    if not message:
                        return None
                    if request := self._fork(files):
                        return request

    def _fork(self, files: list[int]) -> Request | None:
        pid = os.fork()
        if pid:
            for each in files[:-1]:
                os.close(each)
            self._running[pid] = files[-1]
            os.write(files[-1], b"%d\n" % pid)
            return None
        signal.set_wakeup_fd(-1)
        with open(files[0], "rb", closefd=False) as written:
            request = Request(**json.load(written))
        for number, file in enumerate(files[1:4]):
            os.dup2(file, number)
        return request

    def _tell(self) -> None:
        for pid, pipe in list(self._running.items()):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                del self._running[pid]
                with contextlib.suppress(BrokenPipeError):  # nobody waits for it any more
                    os.write(pipe, b"%d\n" % os.waitstatus_to_exitcode(status))
                os.close(pipe)


def main() -> None:
    """Serve; and in a process that was forked: become what was asked for."""
    for command in COMMANDS.glob("[!_]*.py"):
        importlib.import_module(f"imaptap.cli.{command.stem}")
    for name in LATER:
        importlib.import_module(name)
    gc.freeze()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for those who were started, and for pytest
    request = Stove(control := socket.socket(fileno=int(sys.argv[1]))).serve()
    control.detach()
    if request:
        become(request)


def become(request: Request) -> None:
    """Run the console script, as a process that has just begun."""
    for file in list(Path("/dev/fd").iterdir()):
        if int(file.name) > 2:
            with contextlib.suppress(OSError):  # that of the list itself
                os.close(int(file.name))
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.clear()
    os.environ.update(request.env)
    time.tzset()
    os.chdir(request.cwd)
    sys.argv[:] = request.words
    sys.path[0] = str(Path(sys.argv[0]).parent)
    runpy.run_path(sys.argv[0], run_name="__main__")


if __name__ == "__main__":
    main()
