"""`--format eml`: a file for each message, named by session, exchange and UID (or number, where that is not known)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imaptap.exporting.messages import messages

if TYPE_CHECKING:
    from pathlib import Path

    from imaptap.exporting.messages import Message
    from imaptap.exporting.selection import Selection
    from imaptap.exporting.settings import Settings


def write(selection: Selection, target: Path, settings: Settings) -> int:  # noqa: ARG001
    """Write them as they were. Of those that were not kept there are no files; returns how many bytes they have."""
    missing = 0
    for message in messages(selection):
        content = message.content()
        if content is None:
            missing += message.size
            continue
        with _path(target, message).open("xb") as file:
            file.writelines(content)
    return missing


def _path(folder: Path, message: Message) -> Path:
    """Of one that comes again in the same exchange, the name tells its place in the stream, too."""
    stem = f"{message.session.number}-{message.exchange}-{message.which}"
    path = folder / f"{stem}.eml"
    return folder / f"{stem}-{message.place}.eml" if path.exists() else path
