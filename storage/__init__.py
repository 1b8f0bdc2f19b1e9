"""Transcripts at rest: the tables, the recorder's writer, and everything that reads what was recorded.

`open_store` opens a SQLite file or a PostgreSQL database; `Writer` records into it; `Store` reads it.
"""

from __future__ import annotations

from storage.brake import Control, Traffic
from storage.check import Check, Finding
from storage.errors import GapError, LeftOutError, NotOursError, StorageError
from storage.follow import Follower
from storage.opening import database_file, names_password, open_store
from storage.recording import need_name, rename_recording
from storage.sharing import Sharing
from storage.store import Store
from storage.values import Digest, Note, Recording, RecordingTotals, Removed, Session, StoredExchange, StoredPiece
from storage.writer import Writer

__all__ = [
    "Check",
    "Control",
    "Digest",
    "Finding",
    "Follower",
    "GapError",
    "LeftOutError",
    "NotOursError",
    "Note",
    "Recording",
    "RecordingTotals",
    "Removed",
    "Session",
    "Sharing",
    "StorageError",
    "Store",
    "StoredExchange",
    "StoredPiece",
    "Traffic",
    "Writer",
    "database_file",
    "names_password",
    "need_name",
    "open_store",
    "rename_recording",
]
