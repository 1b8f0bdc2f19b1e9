"""Checkpoints happen beside the writing, so that no commit has to wait for them."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from storage import Store, Writer
from storage.checkpoint import EVERY_BYTES
from tests.storage.scenes import Wire, eventually, opened

if TYPE_CHECKING:
    from pathlib import Path


def test_what_was_committed_goes_from_the_log_into_the_file_while_recording(sqlite: Store, tmp_path: Path) -> None:
    file = tmp_path / "recordings.db"
    writer = Writer(sqlite)
    wire = Wire()
    noise = random.Random(3).randbytes(EVERY_BYTES * 3 // 2)  # noqa: S311 - no secret
    writer.put(opened(), *wire.literal(noise, 1_000_000))
    eventually(lambda: file.stat().st_size > EVERY_BYTES)
    writer.close()
    assert not writer.failed
    assert b"".join(sqlite.stream(next(sqlite.sessions(writer.recording)), wire.direction)) == noise


def test_a_log_that_was_copied_begins_anew(sqlite: Store, tmp_path: Path) -> None:
    """However long the recording, the log stays about as long as what comes between two checkpoints."""
    log = tmp_path / "recordings.db-wal"
    writer = Writer(sqlite)
    wire = Wire()
    dice = random.Random(5)  # noqa: S311 - no secret
    writer.put(opened())
    for _ in range(8):
        writer.put(*wire.literal(dice.randbytes(EVERY_BYTES), 1_000_000))
        eventually(lambda: writer._queue._done_bytes == writer._queue._put_bytes)
        eventually(lambda: not writer._pen._checkpoints._due.is_set())
    assert log.stat().st_size < 5 * EVERY_BYTES
    writer.close()
