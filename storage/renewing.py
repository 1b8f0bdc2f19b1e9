"""Connections to SQLite that are made anew now and then, since they grow.

The sqlite3 module remembers every blob that a connection has opened, some 90 bytes each, until the connection is closed
(CPython 3.11 to 3.13; cursors it forgets in time). A recorder opens one for each extent, and who reads a recording one
for each body: ten million letters would take 900 MB.

Who has just used one, and so knows that all is well, has it replaced: one that is made while the disk is full, or the
file read-only, would stay without hope when that is over.
"""

from __future__ import annotations

import contextlib
import sqlite3
from typing import TYPE_CHECKING, Final

from sqlalchemy.exc import SQLAlchemyError

if TYPE_CHECKING:
    from sqlalchemy import Connection

BLOBS_MOST: Final = 10_000
"""So many blobs a connection may have opened."""


class CountingConnection(sqlite3.Connection):
    """Knows how many blobs it has opened."""

    opened = 0

    def blobopen(
        self, table: str, column: str, row: int, /, *, readonly: bool = False, name: str = "main"
    ) -> sqlite3.Blob:
        """As ever."""
        self.opened += 1
        return super().blobopen(table, column, row, readonly=readonly, name=name)


def renew(connection: Connection) -> None:
    """Nobody has this connection after its present owner, if it has opened many blobs; it is of no use any more then.

    Another one is there first: with the last one of a file SQLite copies the log, and takes it away.
    """
    driver = connection.connection.driver_connection
    if isinstance(driver, CountingConnection) and driver.opened >= BLOBS_MOST:
        # Where there is none, the old one does: what its owner has done is done, and must not seem to have failed.
        with contextlib.suppress(SQLAlchemyError, sqlite3.Error), connection.engine.connect():
            connection.invalidate()
