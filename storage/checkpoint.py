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

MOST_BYTES: Final = 256 * 1024 * 1024
"""About so much is let gather in the log at most. What was written again meanwhile is copied once."""

QUIET_SECONDS: Final = 1.0
"""When nothing has come for so long, all is copied. While much comes, bytes on the wire need the machine more."""

_PASSES: Final = 3
"""What was written during a checkpoint needs another one, and that a shorter one; only then the log begins anew."""

_LONGEST_SECONDS: Final = 10.0


class Checkpoints:
    """The thread that makes them. `written` and `close` are for the writer's thread."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._written = 0  # changed by the writer's thread only
        self._copied = 0  # by this one's only
        self._due = threading.Event()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="imaptap-checkpoints", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """Bytes in the log that are not in the file, as far as is known here."""
        return self._written - self._copied

    def written(self, size: int) -> None:
        """About so many bytes more are in the log."""
        first = not self.waiting
        self._written += size
        if first or self.waiting >= MOST_BYTES:
            self._due.set()

    def close(self) -> None:
        """Make no more of them, and wait for the one that is being made, if the disk does not hang."""
        self._closing = True
        self._due.set()
        self._thread.join(_LONGEST_SECONDS)

    def _run(self) -> None:
        while not self._closing:
            if not self.waiting:
                self._due.wait()
            self._let_gather()
            if not self._closing:
                upto = self._written
                # Where the disk fails the next commit fails as well, and the writer knows what to do about that.
                with contextlib.suppress(DBAPIError), self._engine.connect() as connection:
                    _copy(connection.execution_options(**UNMANAGED))
                self._copied = upto

    def _let_gather(self) -> None:
        """Wait until there is much, or until nothing more comes."""
        before = -1
        while before != self._written and self.waiting < MOST_BYTES and not self._closing:
            before = self._written
            self._due.clear()
            self._due.wait(QUIET_SECONDS)


def _copy(connection: Connection) -> None:
    for _ in range(_PASSES):
        _, pages, copied = connection.exec_driver_sql("PRAGMA wal_checkpoint(PASSIVE)").one()
        if pages == copied:
            return
