"""The bytes of a command, in memory or in a file."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from proxy.replay.serving.spool import Spool


def test_where_the_disk_is_full_a_command_is_not_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """That is all: the connection goes on, and the next command is kept."""
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda: Path("/dev/full").open("w+b"))  # noqa: SIM115
    spool = Spool()
    for _ in range(40):
        spool.take(bytes(64 * 1024))
    assert not spool.whole
    spool.clear()
    spool.take(b"a NOOP\r\n")
    assert (spool.whole, b"".join(spool.parts(0, 100))) == (True, b"a NOOP\r\n")
