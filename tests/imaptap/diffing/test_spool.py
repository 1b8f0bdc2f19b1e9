"""Entries on their way to the report."""

from __future__ import annotations

from pathlib import Path

import pytest

from imaptap.diffing.spool import BATCH, Spool, entries, folder
from storage import StorageError
from storage.diff.report.values import Entry, Said, State


def entry(number: int) -> Entry:
    """One of a command that is the same on both sides."""
    said = Said(number, "NOOP", "OK", 5)
    return Entry(State.EQUAL, said, said)


def test_entries_of_each_pair_come_back(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "0")
    starts: list[int] = []
    for count in (BATCH + 1, 0, 2):
        starts.append(spool.begin())
        for number in range(count):
            spool.add(entry(number))
        spool.end()
    spool.close()
    assert [len(list(entries(tmp_path / "0", start))) for start in starts] == [BATCH + 1, 0, 2]


def test_a_full_disk_is_told_in_words() -> None:
    spool = Spool(Path("/dev/full"))
    spool.begin()
    spool.add(entry(1))
    spool.end()
    with pytest.raises(StorageError, match="no space left on device"):
        spool.close()


def test_without_a_folder_for_temporary_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", "/nonexistent")
    with pytest.raises(StorageError, match="no such file or directory") as raised:
        folder()
    assert "TMPDIR" in raised.value.hint
