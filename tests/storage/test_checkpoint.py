"""Checkpoints happen beside the writing, so that no commit has to wait for them."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from storage import Store, Writer, checkpoint
from tests.storage.scenes import Wire, eventually, opened

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

MOST = 8 * 1024 * 1024


def test_what_was_committed_goes_from_the_log_into_the_file_while_recording(
    sqlite: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoint, "MOST_BYTES", MOST)
    monkeypatch.setattr(checkpoint, "QUIET_SECONDS", 3600)
    file = tmp_path / "recordings.db"
    writer = Writer(sqlite)
    wire = Wire()
    noise = random.Random(3).randbytes(MOST * 3 // 2)  # noqa: S311 - no secret
    writer.put(opened(), *wire.literal(noise, 1_000_000))
    eventually(lambda: file.stat().st_size > MOST)
    writer.close()
    assert not writer.failed
    assert b"".join(sqlite.stream(next(sqlite.sessions(writer.recording)), wire.direction)) == noise


def test_a_log_that_was_copied_begins_anew(sqlite: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However long the recording, the log stays about as long as what comes between two checkpoints."""
    monkeypatch.setattr(checkpoint, "MOST_BYTES", MOST)
    monkeypatch.setattr(checkpoint, "QUIET_SECONDS", 3600)
    log = tmp_path / "recordings.db-wal"
    writer = Writer(sqlite)
    wire = Wire()
    dice = random.Random(5)  # noqa: S311 - no secret
    writer.put(opened())
    for _ in range(8):
        writer.put(*wire.literal(dice.randbytes(MOST), 1_000_000))
        eventually(lambda: writer._queue._done_bytes == writer._queue._put_bytes)
        eventually(lambda: writer._pen._checkpoints.waiting < MOST)
    assert log.stat().st_size < 5 * MOST
    writer.close()


def test_what_is_in_the_log_is_copied_when_nothing_more_comes(
    sqlite: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoint, "QUIET_SECONDS", 0.01)
    file = tmp_path / "recordings.db"
    writer = Writer(sqlite)
    wire = Wire()
    for number in range(3):  # and again, after it had nothing to do
        letter = random.Random(number).randbytes(50_000)  # noqa: S311 - no secret
        writer.put(opened(), *wire.literal(letter))
        eventually(lambda letter=letter: letter[:4000] in file.read_bytes())
        eventually(lambda: not writer._pen._checkpoints.waiting)
    writer.close()
