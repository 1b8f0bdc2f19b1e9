"""`--format rawlog`: two files a session, as Dovecot's `rawlog_dir` has them.

`NAME.in` is what the client said, `NAME.out` what the server did. Each line, those of literals too, begins with the
time of its first byte: seconds since 1970 with six decimals, and a blank.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

from imaptap.exporting.chunks import Missing, side_chunks
from imaptap.exporting.times import calendar
from proxy.imap.transcript import Direction

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from imaptap.exporting.chunks import Chunk
    from imaptap.exporting.selection import Selection
    from imaptap.exporting.settings import Settings
    from storage import Session

_ENDINGS = {Direction.CLIENT: "in", Direction.SERVER: "out"}


def write(selection: Selection, target: Path, settings: Settings) -> int:
    """Write them. A file ends where bytes are missing: it has no way to tell. Returns how many those are."""
    missing = 0
    for session in selection.sessions():
        for direction, ending in _ENDINGS.items():
            with (target / f"{_stem(session)}.{ending}").open("xb") as file:
                missing += _write(side_chunks(selection, session, direction, as_sent=settings.as_sent), session, file)
    return missing


def _stem(session: Session) -> str:
    """When it began (UTC), the recorder's process, and the session's number in it."""
    began = calendar(session.wall)
    return f"{began:%Y%m%d-%H%M%S}.{session.recording.pid}.{session.number}"


def _write(chunks: Iterable[Chunk | Missing], session: Session, file: BinaryIO) -> int:
    begun = False
    for each in chunks:
        if isinstance(each, Missing):
            return each.length
        seconds, micros = divmod(session.wall + each.at, 1_000_000)
        stamp = b"%d.%06d " % (seconds, micros)
        if not begun:
            file.write(stamp)
        begun = not each.data.endswith(b"\n")
        lines = each.data if begun else each.data[:-1]
        file.write(lines.replace(b"\n", b"\n" + stamp) + each.data[len(lines) :])
    return 0
