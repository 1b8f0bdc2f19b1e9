"""The exact bytes of one side of a session; what was not recorded ends it."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

from proxy.imap.transcript import Direction

if TYPE_CHECKING:
    from imaptap.exporting.selection import Selection
    from imaptap.exporting.settings import Settings


def write(selection: Selection, file: BinaryIO, settings: Settings) -> int:
    """Write them in the order of the stream. Raises GapError where bytes are missing, StorageError."""
    store = selection.store
    read = store.stream_as_sent if settings.as_sent else store.stream
    direction = Direction.CLIENT if settings.side is None else settings.side
    for session in selection.sessions():
        for start, end in selection.ranges(session, direction):
            for block in read(session, direction, start, end):
                file.write(block)
                selection.progress(len(block))
    return 0
