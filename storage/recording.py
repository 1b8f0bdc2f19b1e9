"""The beginning and the end of a recording: its row, its name, its last words."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError

from storage import tables
from storage.clock import stamp, wall
from storage.errors import StorageError
from storage.recover import recover
from storage.values import Recording

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from storage.store import Store


def begin_recording(store: Store, name: str | None, *, version: str, settings: str) -> Recording:
    """Write a new recording's row. Raises StorageError: read-only, name taken, or no name at all."""
    if name is not None:
        need_name(name)
    now = wall()
    columns = tables.recording.c
    with store.writing() as connection:
        recover(connection)
        chosen = name or _free_name(connection, stamp(now))
        if connection.execute(select(columns.id).where(columns.name == chosen)).first():
            raise _taken(chosen)
        values = {"name": chosen, "started": now, "seen": now, "version": version, "settings": settings}
        values |= {"host": socket.gethostname(), "pid": os.getpid()}
        try:
            key = connection.execute(insert(tables.recording).values(values).returning(columns.id)).scalar_one()
        except IntegrityError:  # two recorders at the same moment, in PostgreSQL
            raise _taken(chosen) from None
    return Recording(key, chosen, now, None, now, socket.gethostname(), os.getpid(), version, settings)


def need_name(name: str) -> None:
    """Raise StorageError for what cannot be the name of a recording."""
    if not name.strip() or name == "last" or name.isdecimal() or "/" in name or not name.isprintable():
        hint = "Not empty, not 'last', not a number, no slash: those mean something else where a recording is named."
        raise StorageError(f"{name!r} cannot be the name of a recording.", hint)


def rename_recording(store: Store, recording: Recording, name: str) -> None:
    """Call it so. Raises StorageError: read-only, name taken, or no name at all."""
    need_name(name)
    columns = tables.recording.c
    with store.writing() as connection:
        if connection.execute(select(columns.id).where(columns.name == name)).first():
            raise _taken(name)
        connection.execute(update(tables.recording).where(columns.id == recording.id).values(name=name))


def _taken(name: str) -> StorageError:
    return StorageError(f"There is a recording named {name!r} already.", "Choose another name, or remove that one.")


def _free_name(connection: Connection, wish: str) -> str:
    columns = tables.recording.c
    taken = set(connection.execute(select(columns.name).where(columns.name.startswith(wish))).scalars())
    names = (wish, *(f"{wish}-{count}" for count in range(2, len(taken) + 3)))
    return next(name for name in names if name not in taken)


def end_recording(store: Store, recording: Recording) -> None:
    """Mark it ended, and cut what is still open in it. A SQLite file then stands alone, without a -wal beside it."""
    with store.writing() as connection:
        recover(connection, only=recording.id)
    if store.engine.dialect.name == "sqlite":
        with store.unmanaged() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").all()
