"""Clients of the testbed that are mended run without their fault, and are those that a job finds."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from tests.end_to_end.testbed import MENDED, environment
from tests.need import need

DELIVERY = """
import os, runpy, socket, sys
from types import SimpleNamespace

runpy.run_path(sys.argv[1], run_name="mended")
from getmailcore.baseclasses import ForkingBase

fork = os.fork

def slow_fork():
    pid = fork()
    if pid:
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    return pid

os.fork = slow_fork
socket.setdefaulttimeout(0.1)
base = ForkingBase()
base.log = SimpleNamespace(trace=print, debug=print, warning=print)
print("exit code", base.forkchild(lambda *_: os._exit(3)).exitcode)
"""
"""A delivery of getmail's that is over before the fork has returned to it."""


def test_getmail_does_not_wait_for_a_delivery_that_is_over() -> None:
    """It waited until its timeout, which is longer than a job may take."""
    need("getmail")
    program = shutil.which("getmail", path=environment("getmail")["PATH"])
    assert program is not None
    interpreter = (MENDED / "getmail").read_text().splitlines()[0].removeprefix("#!")
    done = subprocess.run(
        [interpreter, "-c", DELIVERY, program], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.stdout.splitlines()[-1:] == ["exit code 3"], done.stderr


@pytest.mark.parametrize("client", ["getmail", "curl"])
def test_only_a_client_that_is_installed_is_found_mended(monkeypatch: pytest.MonkeyPatch, client: str) -> None:
    """Else its job could not say that it is missing."""
    monkeypatch.setenv("PATH", "/nowhere")
    assert environment(client)["PATH"] == "/nowhere"
