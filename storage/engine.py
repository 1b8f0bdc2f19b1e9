"""Connections, tuned: how SQLite files and PostgreSQL databases are spoken to.

SQLAlchemy begins transactions here, not the sqlite3 module (which would do so late, and not for DDL): readers with
BEGIN, writers with BEGIN IMMEDIATE, so that a writer waits for its turn instead of failing in the middle.
"""

from __future__ import annotations

import functools
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError
from sqlalchemy.pool import QueuePool

from storage.errors import StorageError
from storage.renewing import CountingConnection

if TYPE_CHECKING:
    from collections.abc import Iterator

APPLICATION_ID: Final = 0x494D4150
"""PRAGMA application_id of our files: "IMAP" in ASCII, at byte 68 of the file."""

PAGE_SIZE: Final = 32 * 1024
"""Of new files. A megabyte of mail in 32 pages costs half of what it costs in 256; larger ones save little more, and a
small commit writes half a dozen of them. What they would leave empty behind each letter, extents fill."""

_CACHE_KIB: Final = 16 * 1024
_CHECKPOINT_BYTES: Final = 512 * 1024 * 1024
"""How long the log may get until a commit has to make a checkpoint: the last resort, see `storage.checkpoint`."""
_WAL_KEPT_BYTES: Final = 288 * 1024 * 1024  # what `storage.checkpoint` lets gather; to cut it each time costs more

_SECRETS: Final = frozenset({"password", "sslpassword"})
"""Parameters of a connection that are nobody's business (PostgreSQL manual, 34.1.2)."""

HIDE_PARAMETERS: Final = True
"""Parameters are pieces of letters: no message of an error, and so no log, may quote them."""

WRITING: Final = {"begin": "BEGIN IMMEDIATE"}
"""Execution options of a connection that will write."""

UNMANAGED: Final = {"begin": ""}
"""Execution options of a connection whose statements must stand outside any transaction (VACUUM and the like)."""


class _Cursor(Protocol):
    def execute(self, statement: str, /) -> object: ...
    def fetchone(self) -> tuple[int]: ...
    def close(self) -> None: ...


class _DriverConnection(Protocol):
    isolation_level: str | None

    def cursor(self) -> _Cursor: ...


def sqlite_engine(path: Path, *, mode: str, patience: float = 2.0) -> Engine:
    """An engine for an existing file. `mode` is "rw", "ro", or "immutable" for files that nobody can be writing.

    `patience` is how many seconds to wait for another program's lock.
    """
    how = "mode=ro&immutable=1" if mode == "immutable" else f"mode={mode}"
    connect = functools.partial(
        sqlite3.connect, f"file:{quote(str(path))}?{how}", uri=True, timeout=patience, check_same_thread=False,
        factory=CountingConnection,
    )  # fmt: skip
    engine = create_engine(
        "sqlite+pysqlite://",
        creator=connect,
        poolclass=QueuePool,
        pool_size=4,
        pool_use_lifo=True,
        hide_parameters=HIDE_PARAMETERS,
    )
    event.listen(engine, "connect", functools.partial(_prepare_sqlite, write=mode == "rw"))
    event.listen(engine, "begin", _begin)
    return engine


def postgresql_engine(url: URL) -> Engine:
    """An engine for a PostgreSQL server that notices within seconds when the server is gone."""
    arguments = {"connect_timeout": 10, "keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3}
    try:
        return create_engine(
            url, connect_args=arguments, paramstyle="format", pool_size=4, pool_pre_ping=False,
            hide_parameters=HIDE_PARAMETERS,
        )  # fmt: skip
    except ModuleNotFoundError:
        message = "PostgreSQL needs the psycopg package, which is not installed."
        raise StorageError(message, "Install it: pip install 'imaptap[postgres]'.") from None


def database_url(where: str) -> URL | None:
    """The URL that `where` is, with our driver for PostgreSQL; None when it is a path. Raises StorageError."""
    if "://" not in where:
        return None
    try:
        url = make_url(where)
        name = url.get_backend_name()
    except (ArgumentError, NoSuchModuleError, ValueError):
        name, url = "", URL.create("none")
    if name in {"postgres", "postgresql"}:
        return url.set(drivername="postgresql+psycopg")
    if name == "sqlite":
        return url
    scheme = where.partition("://")[0]
    raise StorageError(
        f"{scheme}:// is not a database that imaptap can write to.",
        "Give a file name or postgresql://user@host/database.",
    )


def without_secrets(url: URL) -> str:
    """The URL for people, without the driver; passwords, which libpq takes as parameters too, as ***."""
    masks = {name: "***" for name in url.query if name in _SECRETS}
    return url.set(drivername=url.get_backend_name()).update_query_dict(masks).render_as_string(hide_password=True)


def has_secrets(url: URL) -> bool:
    """Whether there is a password in it."""
    return url.password is not None or not _SECRETS.isdisjoint(url.query)


def _prepare_sqlite(connection: _DriverConnection, _record: object, *, write: bool) -> None:
    # The sqlite3 module shall leave transactions alone: see the top of this file.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA page_size")
    page_size = cursor.fetchone()[0]
    for statement in _pragmas(page_size, write=write):
        cursor.execute(statement)
    cursor.close()


def _pragmas(page_size: int, *, write: bool) -> Iterator[str]:
    yield "PRAGMA foreign_keys = ON"
    yield f"PRAGMA cache_size = -{_CACHE_KIB}"
    if write:
        yield "PRAGMA synchronous = NORMAL"
        yield f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_BYTES // page_size}"
        yield f"PRAGMA journal_size_limit = {_WAL_KEPT_BYTES}"


def _begin(connection: Connection) -> None:
    options: dict[str, Any] = dict(connection.get_execution_options())
    statement = options.get("begin", "BEGIN")
    if statement:
        connection.exec_driver_sql(statement)
