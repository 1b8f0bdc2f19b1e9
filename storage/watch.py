"""Whether the file is still where it was: SQLite goes on writing to one that was deleted and that nobody can open."""

from __future__ import annotations

from typing import TYPE_CHECKING

from storage.errors import StorageError

if TYPE_CHECKING:
    from pathlib import Path


class GoneError(StorageError):
    """The file is no longer where it was, and what is written to it nobody will find."""


Identity = tuple[int, int]
"""Device and inode: the same for as long as a path leads to the same file."""


class Watch:
    """Looks after a SQLite file and its write-ahead log, which holds what was written last."""

    def __init__(self, path: Path | None) -> None:
        """`path` of the file, which is open; None: there is nothing to look after."""
        self._path = path
        # SQLite makes the log beside the file itself, wherever a link to that may lie.
        files = (path, path.resolve().with_name(f"{path.resolve().name}-wal")) if path else ()
        self._was: dict[Path, Identity | None] = dict.fromkeys(files)
        self.trouble()

    def trouble(self) -> StorageError | None:
        """What is wrong, if anything is."""
        for file, was in self._was.items():
            try:
                now = _identity(file)
            except OSError:  # nobody may look there any more; what is open stays open
                continue
            if was is None:  # a log appears with the first write
                self._was[file] = now
            elif now != was:
                hint = "Put it back where it was, or stop this recording and begin another one."
                return GoneError(f"The database {self._path} was deleted or replaced by another program.", hint)
        return None


def _identity(file: Path) -> Identity | None:
    try:
        status = file.stat()
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino
