"""Recordings as text: one file that people read, compare, keep beside their tests, and write by hand."""

from __future__ import annotations

from storage.cassette.errors import CassetteError
from storage.cassette.exporting import export_cassette
from storage.cassette.importing import copy_recording, import_cassette, import_statements, record_statements
from storage.cassette.reader import is_cassette

__all__ = [
    "CassetteError",
    "copy_recording",
    "export_cassette",
    "import_cassette",
    "import_statements",
    "is_cassette",
    "record_statements",
]
