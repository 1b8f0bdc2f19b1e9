"""Opening a store: a SQLite file or a PostgreSQL database, new, current, old, from the future, or not ours at all."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from blake3 import blake3
from sqlalchemy import inspect, select
from sqlalchemy.exc import SQLAlchemyError

from storage import files, migrate, older, tables
from storage.engine import database_url, has_secrets, postgresql_engine, sqlite_engine, without_secrets
from storage.errors import StorageError
from storage.store import Store
from storage.trouble import explain

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection, Engine
    from sqlalchemy.engine import URL

_OTHERS: Final = frozenset({"sessions", "exchanges", "stream", "bodies", "events", *tables.FILTER_OWN})
"""What the schema has besides `tables.metadata`."""
_ALIVE_MICROSECONDS: Final = 30_000_000


def open_store(where: str | Path, *, create: bool) -> Store:
    """Open the database `where`: a path, or a URL (`postgresql://…`, `sqlite:///…`).

    With `create` a missing one is made and the result can be written to; without, it must exist and may be read-only.
    An older schema is brought up to date, after a backup beside the file; where that may only be read, most are read as
    they are. Raises StorageError: not found, not ours (never written to), made by a newer imaptap, too old for that, no
    permission, no server.
    """
    place = _place(where)
    if isinstance(place, Path):
        return _guarded(str(place), lambda: _open_file(place, create=create))
    return _guarded(without_secrets(place), lambda: _open_server(place, create=create))


def database_file(where: str | Path) -> Path | None:
    """The SQLite file that `where` means; None for a PostgreSQL database. Raises StorageError: no such kind of URL."""
    place = _place(where)
    return place if isinstance(place, Path) else None


def names_password(where: str) -> bool:
    """Whether `where` is a URL with a password in it. Raises StorageError: no such kind of URL."""
    url = database_url(where)
    return url is not None and has_secrets(url)


def _place(where: str | Path) -> Path | URL:
    url = database_url(where) if isinstance(where, str) else None
    if url is not None and url.get_backend_name() == "postgresql":
        return url
    return Path((url.database or "") if url is not None else where)


def _guarded(where: str, opening: Callable[[], Store]) -> Store:
    try:
        return opening()
    except (SQLAlchemyError, OSError, UnicodeDecodeError) as error:
        raise explain(error, where) from error


def _open_file(path: Path, *, create: bool) -> Store:
    resolved = path.resolve()
    found = files.look(resolved)
    if found is not files.Found.OURS:
        if not create:
            raise StorageError(f"There are no recordings at {path}.", "Make some with `imaptap record`, or give --db.")
        files.need_folder(resolved)
        files.create(resolved, replace=found is files.Found.EMPTY)
    mode = files.access_mode(resolved)
    if create and mode != "rw":
        raise StorageError(f"{path} cannot be written to.", "Check the permissions of the file and its folder.")
    engine = sqlite_engine(resolved, mode=mode)
    try:
        as_it_is = _bring_up(engine, resolved, writable=mode == "rw")
    except BaseException:
        engine.dispose()
        raise
    return Store(engine, str(path), read_only=mode != "rw", hashing=hashlib.sha256 if as_it_is else blake3)


def _bring_up(engine: Engine, path: Path, *, writable: bool) -> bool:
    """Bring the schema up to date; or have it read as it is, where it may only be read. Whether it has SHA-256."""
    with engine.connect() as connection:
        revision = migrate.revision(connection)
    if revision == migrate.HEAD:
        return False
    if revision is None:
        raise StorageError(f"{path} lost its version mark.", "It was not touched. Restore it from a backup.")
    _need_known(revision, str(path))
    if not writable and revision in older.LIKE_OURS:
        return False
    if not writable and revision in older.READABLE:
        older.see_through(engine)
        return True
    if not writable:
        hint = "Copy it to a folder of your own and open the copy."
        raise StorageError(f"{path} is of an older imaptap and cannot be brought up to date: it is read-only.", hint)
    with engine.connect() as connection:
        _need_quiet(connection, str(path))
    files.back_up(path, migrate.HEAD)
    migrate.upgrade(engine)
    return False


def _need_known(revision: str, where: str) -> None:
    if not migrate.known(revision):
        raise StorageError(
            f"{where} was written by a newer imaptap (schema {revision}; this one knows up to {migrate.HEAD}).",
            "Upgrade imaptap. Nothing was changed.",
        )


def _need_quiet(connection: Connection, where: str) -> None:
    # An older imaptap that records right now would find its tables changed under it.
    since = time.time_ns() // 1000 - _ALIVE_MICROSECONDS
    columns = tables.recording.c
    query = select(columns.name, columns.pid, columns.host).where(columns.ended.is_(None), columns.seen > since)
    row = connection.execute(query).first()
    if row is not None:
        raise StorageError(
            f"{where} must be brought up to date, but an older imaptap is recording {row.name!r} into it"
            f" (process {row.pid} on {row.host}).",
            "Stop that recording first.",
        )


def _open_server(url: URL, *, create: bool) -> Store:
    where = without_secrets(url)
    engine = postgresql_engine(url)
    try:
        with engine.connect() as connection:
            revision = migrate.revision(connection)
            if revision is None:
                _need_room(connection, where, create=create)
            elif revision != migrate.HEAD:
                _need_known(revision, where)
                _need_quiet(connection, where)
        if revision != migrate.HEAD:
            migrate.upgrade(engine)
    except BaseException:
        engine.dispose()
        raise
    return Store(engine, where, read_only=False)


def _need_room(connection: Connection, where: str, *, create: bool) -> None:
    if not create:
        raise StorageError(f"There are no recordings at {where}.", "Make some with `imaptap record`.")
    inspector = inspect(connection)
    there = {*inspector.get_table_names(), *inspector.get_view_names()} & {*tables.metadata.tables, *_OTHERS}
    if there:
        names = ", ".join(sorted(there))
        raise StorageError(
            f"{where} belongs to another program: it has tables named {names}.",
            "Nothing was changed. Give imaptap a database, or a schema, of its own.",
        )
