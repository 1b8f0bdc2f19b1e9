"""Recordings as text: one file that people read, compare, keep beside their tests, and write by hand."""

from __future__ import annotations

from storage.cassette.errors import CassetteError, WrongError
from storage.cassette.exporting import export_cassette, export_more, follows
from storage.cassette.importing import (
    check_cassette,
    copy_recording,
    import_cassette,
    import_statements,
    record_statements,
    record_unsigned,
)
from storage.cassette.reader import is_cassette, read_cassette
from storage.cassette.telling import ended, told_recording, told_session

__all__ = [
    "CassetteError",
    "WrongError",
    "check_cassette",
    "copy_recording",
    "ended",
    "export_cassette",
    "export_more",
    "follows",
    "import_cassette",
    "import_statements",
    "is_cassette",
    "read_cassette",
    "record_statements",
    "record_unsigned",
    "told_recording",
    "told_session",
]
