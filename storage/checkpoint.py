"""Checkpoints of a SQLite file, away from the writer's thread: a commit must not wait until old pages are on the disk.

SQLite copies what has been committed from its write-ahead log into the file now and then, in whichever commit makes the
log too long, and that commit takes ten times as long as others. Here a thread of its own does it beforehand; the
commits' own turn (`storage.engine`) comes only where this one never finds the log at rest.
"""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING, Final

from sqlalchemy.exc import DBAPIError

from storage.engine import UNMANAGED

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

EVERY_BYTES: Final = 32 * 1024 * 1024
"""So much is let gather in the log between two checkpoints: what was written again meanwhile is copied once."""

_PASSES: Final = 3
"""What was written during a checkpoint needs another one, and that a shorter one; only then the log begins anew."""

_LONGEST_SECONDS: Final = 10.0


class Checkpoints:
    """The thread that makes them. `written` and `close` are for the writer's thread."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._bytes = 0
        self._due = threading.Event()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="imaptap-checkpoints", daemon=True)
        self._thread.start()

    def written(self, size: int) -> None:
        """So many bytes more have been committed."""
        self._bytes += size
        if self._bytes >= EVERY_BYTES:
            self._bytes = 0
            self._due.set()

    def close(self) -> None:
        """Make no more of them, and wait for the one that is being made, if the disk does not hang."""
        self._closing = True
        self._due.set()
        self._thread.join(_LONGEST_SECONDS)

    def _run(self) -> None:
        while True:
            self._due.wait()
            self._due.clear()
            if self._closing:
                return
            # Where the disk fails the next commit fails as well, and the writer knows what to do about that.
            with contextlib.suppress(DBAPIError), self._engine.connect() as connection:
                _copy(connection.execution_options(**UNMANAGED))


def _copy(connection: Connection) -> None:
    for _ in range(_PASSES):
        _, pages, copied = connection.exec_driver_sql("PRAGMA wal_checkpoint(PASSIVE)").one()
        if pages == copied:
            return
