"""Recordings as text: one file that people read, compare, keep beside their tests, and write by hand."""

from __future__ import annotations

from storage.cassette.errors import CassetteError
from storage.cassette.exporting import export_cassette, export_more
from storage.cassette.importing import (
    check_cassette,
    copy_recording,
    import_cassette,
    import_statements,
    record_statements,
)
from storage.cassette.reader import is_cassette

__all__ = [
    "CassetteError",
    "check_cassette",
    "copy_recording",
    "export_cassette",
    "export_more",
    "import_cassette",
    "import_statements",
    "is_cassette",
    "record_statements",
]
