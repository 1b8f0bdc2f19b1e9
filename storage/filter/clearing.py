"""The index forgotten: by whoever removes a recording, so that no word of what was removed stays behind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import delete, select

from storage import tables
from storage.filter import text

if TYPE_CHECKING:
    from sqlalchemy import Connection

DERIVED: Final = (
    tables.filter_row, tables.filter_uid, tables.filter_date, tables.filter_session, tables.filter_pending,
    tables.filter_kind, tables.filter_state,
)  # fmt: skip


def clear(connection: Connection) -> None:
    """Remove all of the index; the next filter makes it anew. Nothing else may have been locked before."""
    if connection.dialect.name == "postgresql":  # whoever indexes something now holds that, and shall have done first
        connection.exec_driver_sql("LOCK TABLE filter_state IN EXCLUSIVE MODE")
    if not connection.execute(select(tables.filter_state.c.recording_id).limit(1)).first():
        return
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA secure_delete = ON")  # what is free for new rows shall not hold old words
    text.clear(connection)
    for table in DERIVED:
        connection.execute(delete(table))
