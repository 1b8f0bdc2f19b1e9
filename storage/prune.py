"""Removing recordings, in steps so short that a recorder writing to the same store is never held up for long.

Deleted rows leave free pages in a SQLite file. It was made with `auto_vacuum = INCREMENTAL`, so they go back to the
file system piecemeal, also while somebody records; a whole VACUUM would need as much room again and a quiet store. In
PostgreSQL the server's own autovacuum does this.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Final

from sqlalchemy import delete, func, select, tuple_, update

from storage import read, tables
from storage.clock import wall
from storage.errors import StorageError
from storage.values import Recording, Removed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection, Table

    from storage.store import Store

_ROWS: Final = 200  # pieces: with their bodies up to 200 MB in one transaction
_KEYS: Final = 500
_PAGES: Final = 2000
_MICROSECONDS: Final = 1_000_000

_piece, _session, _body = tables.piece.c, tables.session.c, tables.body.c


def remove(store: Store, recording: Recording) -> Removed:
    """Remove one recording, and the bodies that nobody else needs. Raises StorageError while it is being recorded."""
    if recording.live:
        who = f"process {recording.pid} on {recording.host}"
        raise StorageError(f"{recording.name!r} is still being recorded by {who}.", "Stop the recorder first.")
    before = size(store)
    bodies = _delete(store, recording)
    shrink(store)
    return Removed((recording.name,), bodies, max(0, before - size(store)))


def prune(store: Store, *, older_than: float | None, max_bytes: int | None) -> Removed:
    """Remove recordings begun more than `older_than` seconds ago; then the oldest, until `max_bytes` suffice.

    Recordings under way stay.
    """
    before = size(store)
    gone: list[str] = []
    bodies = 0
    for recording in _candidates(store):
        too_old = older_than is not None and recording.started < wall() - older_than * _MICROSECONDS
        too_large = max_bytes is not None and used(store) > max_bytes
        if too_old or too_large:
            bodies += _delete(store, recording)
            gone.append(recording.name)
    if gone:
        shrink(store)
    return Removed(tuple(gone), bodies, max(0, before - size(store)))


def _candidates(store: Store) -> Iterable[Recording]:
    with store.reading() as connection:
        found = read.recordings(connection)
    return sorted((r for r in found if not r.live), key=lambda r: r.started)


def size(store: Store) -> int:
    """Bytes the store takes: the file, or all of the tables."""
    with store.reading() as connection:
        if connection.dialect.name == "postgresql":
            return _server_size(store)
        pages, page = (
            connection.exec_driver_sql(f"PRAGMA {word}").scalar_one() for word in ("page_count", "page_size")
        )
    return int(pages) * int(page)


def used(store: Store) -> int:
    """Bytes of the store that hold anything: `size` without what deleted rows have left free."""
    if store.engine.dialect.name == "postgresql":
        return _server_used(store)
    with store.reading() as connection:
        page = int(connection.exec_driver_sql("PRAGMA page_size").scalar_one())
        free = _free_pages(connection)
    return size(store) - free * page


def _server_size(store: Store) -> int:
    with store.reading() as connection:
        names = (*tables.metadata.tables, *tables.FILTER_OWN)
        sizes = (select(func.pg_total_relation_size(name)) for name in names)
        return sum(int(connection.execute(query).scalar_one()) for query in sizes)


def _server_used(store: Store) -> int:
    # Removed rows stay in the files until the server's autovacuum comes by, so the files' sizes would not do.
    with store.reading() as connection:
        counts = (
            select(func.coalesce(func.sum(column), 0))
            for column in (tables.body.c.length, func.octet_length(tables.piece.c.data))
        )
        return sum(int(connection.execute(query).scalar_one()) for query in counts)


def _delete(store: Store, recording: Recording) -> int:
    """Delete a recording from its leaves upwards. How many bodies went with it."""
    from storage.filter import clearing  # noqa: PLC0415  seldom needed, and recorders shall start quickly

    bodies = 0
    with store.writing() as connection:
        clearing.clear(connection)
    with store.reading() as connection:
        mine = select(_session.id).where(_session.recording_id == recording.id)
        sessions = list(connection.execute(mine).scalars())
    for session in sessions:
        bodies += _delete_session(store, session)
    with store.writing() as connection:
        clearing.clear(connection)  # who filtered meanwhile has indexed what was still there
        connection.execute(delete(tables.recording).where(tables.recording.c.id == recording.id))
    return bodies


def _delete_session(store: Store, session: int) -> int:
    bodies = 0
    while (count := _delete_pieces(store, session)) is not None:
        bodies += count
    for table in (tables.span, tables.exchange):
        while _delete_rows(store, table, session):
            pass
    with store.writing() as connection:
        connection.execute(delete(tables.session).where(_session.id == session))
    return bodies


def _delete_pieces(store: Store, session: int) -> int | None:
    """Delete some pieces, and the bodies that only they needed. How many bodies; None when no piece was left."""
    with store.writing() as connection:
        columns = select(_piece.direction, _piece.offset, _piece.body_id).where(_piece.session_id == session)
        found = connection.execute(columns.order_by(_piece.direction, _piece.offset).limit(_ROWS)).all()
        if not found:
            return None
        key = tuple_(_piece.direction, _piece.offset)
        upto = key <= tuple_(found[-1].direction, found[-1].offset)
        connection.execute(delete(tables.piece).where(_piece.session_id == session, upto))
        suspects = sorted({row.body_id for row in found if row.body_id is not None})
        return sum(_delete_orphans(connection, suspects[n : n + _KEYS]) for n in range(0, len(suspects), _KEYS))


def _delete_orphans(connection: Connection, suspects: list[int]) -> int:
    """Delete those of these bodies that nobody needs, and their bytes. How many bodies."""
    needed = select(_piece.body_id).where(_piece.body_id == _body.id).exists()
    mine = _body.id.in_(suspects), ~needed
    gone = connection.execute(select(_body.id, _body.extent_id).where(*mine)).all()
    connection.execute(delete(tables.body).where(_body.id.in_([row.id for row in gone])))
    for extent in sorted({row.extent_id for row in gone}):
        _close_up(connection, extent)
    return len(gone)


def _close_up(connection: Connection, extent: int) -> None:
    """Have nothing in an extent but its bodies, which may have neighbours no more; without any it goes."""
    this = tables.extent.c.id == extent
    bodies = select(_body.id, _body.offset, _body.length).where(_body.extent_id == extent).order_by(_body.offset)
    left = connection.execute(bodies).all()
    if not left:
        connection.execute(delete(tables.extent).where(this))
        return
    data: bytes = connection.execute(select(tables.extent.c.data).where(this)).scalar_one()
    parts = [data[row.offset : row.offset + row.length] for row in left]
    connection.execute(update(tables.extent).where(this).values(data=b"".join(parts)))
    ends = itertools.accumulate(map(len, parts), initial=0)
    for row, offset in zip(left, ends, strict=False):
        connection.execute(update(tables.body).where(_body.id == row.id).values(offset=offset))


def _delete_rows(store: Store, table: Table, session: int) -> int:
    """Delete some rows of one session. How many."""
    key = [column for column in table.primary_key.columns if column.name != "session_id"]
    some = select(*key).where(table.c.session_id == session).limit(_ROWS)
    with store.writing() as connection:
        which = tuple_(*key).in_(some) if len(key) > 1 else key[0].in_(some)
        return connection.execute(delete(table).where(table.c.session_id == session, which)).rowcount


def shrink(store: Store) -> None:
    """Give the pages of deleted rows back to the file system, some at a time."""
    if store.engine.dialect.name != "sqlite":
        return
    with store.unmanaged() as connection:
        free = _free_pages(connection)
        while free:
            cursor = connection.connection.cursor()
            cursor.execute(f"PRAGMA incremental_vacuum({_PAGES})")
            cursor.fetchall()  # each step frees one page, though no row comes of it
            cursor.close()
            before, free = free, _free_pages(connection)
            if free == before:
                break
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").all()


def _free_pages(connection: Connection) -> int:
    return int(connection.exec_driver_sql("PRAGMA freelist_count").scalar_one())
