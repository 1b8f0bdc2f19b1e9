"""The program on a terminal of its own."""

from __future__ import annotations

import contextlib
import fcntl
import os
import struct
import subprocess
import sys
import termios
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.imaptap.cli.conftest import Program


def on_a_terminal(program: Program, *words: str, columns: int = 80) -> tuple[int, bytes]:
    """Exit code and output of `imaptap` on a terminal of 24 lines."""
    env = {name: value for name, value in os.environ.items() if name not in {"NO_COLOR", "FORCE_COLOR"}}
    env |= {"IMAPTAP_DB": str(program.db), "TERM": "xterm-256color"}
    env.pop("COLUMNS", None)
    ours, theirs = os.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    command = [sys.executable, "-m", "imaptap", *words]
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=env)
    os.close(theirs)
    shown = bytearray()
    # Linux says EIO where others say end of file.
    with contextlib.suppress(OSError):
        while data := os.read(ours, 65536):
            shown += data
    os.close(ours)
    return process.wait(), bytes(shown)
