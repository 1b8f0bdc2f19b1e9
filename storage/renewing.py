"""Connections to SQLite that are made anew now and then, since they grow.

The sqlite3 module remembers every blob that a connection has opened, some 90 bytes each, until the connection is closed
(CPython 3.11 to 3.13; cursors it forgets in time). A recorder opens one for each extent, and who reads a recording one
for each body: ten million letters would take 900 MB.
"""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Final

from sqlalchemy import event
from sqlalchemy.exc import DisconnectionError

if TYPE_CHECKING:
    from sqlalchemy import Engine

BLOBS_MOST: Final = 10_000
"""So many blobs a connection may have opened when it is taken from the pool."""


class CountingConnection(sqlite3.Connection):
    """Knows how many blobs it has opened."""

    opened = 0

    def blobopen(
        self, table: str, column: str, row: int, /, *, readonly: bool = False, name: str = "main"
    ) -> sqlite3.Blob:
        """As ever."""
        self.opened += 1
        return super().blobopen(table, column, row, readonly=readonly, name=name)


def renew(engine: Engine) -> None:
    """Have the engine, whose connections are such, make others in place of those that have opened many blobs."""
    event.listen(engine, "checkout", _look)


def _look(connection: CountingConnection, _record: object, _proxy: object) -> None:
    if connection.opened >= BLOBS_MOST:
        message = "it has opened many blobs"  # the pool closes it, and nobody else hears of it
        raise DisconnectionError(message)
