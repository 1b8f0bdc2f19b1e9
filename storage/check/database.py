"""The database as a whole: SQLite's own check, rows that belong to nothing, bodies that are not what they say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import ColumnElement, func, select, true

from storage import read, tables
from storage.bodies import SEGMENT
from storage.check.finding import Finding, Flaw
from storage.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import Connection, Row, Table

    from storage.values import Digest

_MESSAGES: Final = 100
_BODIES: Final = 16
_body, _piece, _session = tables.body.c, tables.piece.c, tables.session.c


def sqlite_findings(connection: Connection) -> Iterator[Finding]:
    """What SQLite itself finds wrong with its file; nothing for PostgreSQL, which looks after itself."""
    if connection.dialect.name != "sqlite":
        return
    for message in connection.exec_driver_sql(f"PRAGMA integrity_check({_MESSAGES})").scalars():
        if message != "ok":
            yield Finding(Flaw.DATABASE, f"SQLite finds the file damaged: {message}")


def orphan_findings(connection: Connection) -> Iterator[Finding]:
    """Rows that name another one which is not there, and bodies that nobody needs."""
    for table in tables.metadata.tables.values():
        for key in sorted(table.foreign_keys, key=lambda key: key.parent.name):
            other = key.column.table
            alone = key.parent.is_not(None), ~select(key.column).where(key.column == key.parent).exists()
            if count := _count(connection, table, *alone):
                text = f"{count} of the rows in {table.name} name a {other.name} that is not there ({key.parent.name})"
                yield Finding(Flaw.ORPHAN, text)
    unused = ~select(_piece.body_id).where(_piece.body_id == _body.id).exists()
    if count := _count(connection, tables.body, unused):
        yield Finding(Flaw.ORPHAN, f"{count} of the rows in body are of no piece")
    empty = ~select(_body.id).where(_body.extent_id == tables.extent.c.id).exists()
    if count := _count(connection, tables.extent, empty):
        yield Finding(Flaw.ORPHAN, f"{count} of the rows in extent hold no body")
    for table in (tables.event, tables.note):
        strange = table.c.session_id == _session.id, table.c.recording_id != _session.recording_id
        if count := _count(connection, table, select(_session.id).where(*strange).exists()):
            yield Finding(Flaw.ORPHAN, f"{count} of the rows in {table.name} name a session of another recording")


def _count(connection: Connection, table: Table, *which: ColumnElement[bool]) -> int:
    return int(connection.execute(select(func.count()).select_from(table).where(*which)).scalar_one())


def bodies_after(connection: Connection, last: int, recordings: Sequence[int] | None) -> Sequence[Row[Any]]:
    """Some bodies with keys above `last`: of these recordings, or all. None when there are no more."""
    mine: ColumnElement[bool] = true()
    if recordings is not None:
        of_session = _piece.session_id == _session.id, _session.recording_id.in_(recordings)
        mine = select(_piece.body_id).where(_piece.body_id == _body.id, *of_session).exists()
    query = select(tables.body).where(_body.id > last, mine).order_by(_body.id).limit(_BODIES)
    return connection.execute(query).all()


def body_findings(connection: Connection, row: Row[Any], digest: Digest) -> Iterator[Finding]:
    """What is wrong with the body of which `row` has all columns; `digest` makes its hash."""
    name = bytes(row.blake3).hex()
    if row.encoding != "identity":
        yield Finding(Flaw.BODY, f"{name} is encoded as {row.encoding!r}, which this imaptap cannot read")
        return
    if not 0 < row.length <= SEGMENT:
        yield Finding(Flaw.BODY, f"{name} says it has {row.length} bytes, which no body has")
        return
    try:
        data = read.body_bytes(connection, row)
    except StorageError:
        yield Finding(Flaw.BODY, f"{name} says it has {row.length} bytes at {row.offset} of extent {row.extent_id}, "
                      "but they are not there")  # fmt: skip
        return
    digest.update(data)
    if digest.digest() != row.blake3:
        yield Finding(Flaw.BODY, f"{name} has other bytes than its hash says")
