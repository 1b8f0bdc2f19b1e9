"""A database with just the selection (docs/schema.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imaptap.exporting.told import told
from storage import open_store
from storage.cassette import record_statements

if TYPE_CHECKING:
    from pathlib import Path

    from imaptap.exporting.selection import Selection
    from imaptap.exporting.settings import Settings


def write(selection: Selection, path: Path, settings: Settings) -> int:  # noqa: ARG001  all formats have them
    """Write it. What is missing in the recording is missing there too, and told as ever. Raises StorageError."""
    with open_store(path, create=True) as store:
        record_statements(store, told(selection), selection.recording.name)
        with store.unmanaged() as connection:  # one file, that may be copied
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    return 0
