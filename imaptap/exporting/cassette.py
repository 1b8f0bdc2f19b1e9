"""A recording, or a session of it, as a cassette."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

from storage.cassette import export_cassette

if TYPE_CHECKING:
    from imaptap.exporting.selection import Selection
    from imaptap.exporting.settings import Settings


def write(selection: Selection, file: BinaryIO, settings: Settings) -> int:  # noqa: ARG001  all formats have them
    """Write it. What is missing is told in it, and a cassette can do without. Raises StorageError."""

    def line(text: str) -> None:
        file.write(text.encode())
        selection.progress(len(text))

    export_cassette(selection.store, selection.recording, line, selection.session)
    return 0
