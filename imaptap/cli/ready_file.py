"""The ready file: who starts `imaptap record` learns from it that clients may connect, and where."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from imaptap.cli.errors import UserError

if TYPE_CHECKING:
    from pathlib import Path

    from imaptap.recording import Ready


def need_folder(ready_file: Path) -> None:
    """Refuse a ready file that cannot be written while nothing has begun yet."""
    folder = ready_file.absolute().parent
    if not folder.is_dir():
        raise _no_ready_file(ready_file, f"there is no folder {folder}")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise _no_ready_file(ready_file, f"nothing may be put into {folder}")


def last_words(facts: Ready) -> str:
    """The last line of a welcome: whom clients must trust, where any is shown a certificate, and how to stop."""
    if all(endpoint.url.startswith("imap+insecure:") for endpoint in facts.listen):
        return "Stop with Ctrl-C."
    return f"Clients must trust {facts.ca}: see `imaptap ca`. Stop with Ctrl-C."


def _no_ready_file(file: Path, reason: str) -> UserError:
    return UserError(f"The ready file {file} cannot be written: {reason}.", "Name another one with --ready-file.")


def write_ready(file: Path, facts: Ready) -> None:
    """Readable by its owner, and all at once, so that whoever waits for the file never reads half of it."""
    said = {
        "recording": facts.recording.id if facts.recording else None,
        "listen": [{"url": endpoint.url} for endpoint in facts.listen],
        "ca": str(facts.ca),
        "db": facts.db,
    }
    draft = file.with_name(file.name + ".new")
    try:
        draft.unlink(missing_ok=True)
        # O_EXCL: neither a link that somebody has put there is followed, nor a file that others have open filled.
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as new:
            new.write(json.dumps(said) + "\n")
        draft.replace(file)
    except OSError as error:
        raise _no_ready_file(file, (error.strerror or str(error)).lower()) from error
