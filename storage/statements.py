"""The statements of the write path, compiled once by SQLAlchemy Core and then run by the driver as they are.

Core's own `execute` looks at every parameter of every row again, which costs more than SQLite's part of the work. The
SQL is still Core's, in the dialect of the database; only the rows go past it, as tuples in the order given here.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar, cast

from sqlalchemy import bindparam, insert, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError

from storage import tables
from storage.engine import HIDE_PARAMETERS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sqlalchemy import Connection, Dialect, Table, Update

    from storage.extents import Packed
    from storage.rows import Values

_KEYS_AT_ONCE: Final = 500
_T = TypeVar("_T")


def some(items: list[_T]) -> Iterator[list[_T]]:
    """The items, as many at a time as one statement may have parameters."""
    for first in range(0, len(items), _KEYS_AT_ONCE):
        yield items[first : first + _KEYS_AT_ONCE]


@dataclass(frozen=True, slots=True)
class Prepared:
    """SQL text and the names of its parameters in their order."""

    sql: str
    parameters: tuple[str, ...]

    def run(self, connection: Connection, rows: list[Values]) -> None:
        """Run it once for each row; not at all for none."""
        if rows:
            connection.exec_driver_sql(self.sql, rows)


class WriteStatements:
    """Every statement the writer runs for many rows. What comes twice, as after a lost connection, is there once."""

    def __init__(self, dialect: Dialect) -> None:
        new_session = ("recording_id", "number", "wall", "client", "listen", "upstream")
        self.session = _insert(dialect, tables.session, new_session)
        self.exchange = _insert(dialect, tables.exchange, replace=("session_id", "number"))
        self.span = _insert(dialect, tables.span)
        self.piece = _insert(dialect, tables.piece, [c.name for c in tables.piece.columns if c.name != "left_out"])
        self.left_out = _insert(dialect, tables.piece, replace=("session_id", "direction", "offset"))
        # Whoever writes to SQLite is alone, so that keys can be given instead of asked for.
        self._alone = dialect.name == "sqlite"
        self._body = _insert(dialect, tables.body, (*("id",) * self._alone, "blake3", "length", "extent_id", "offset"))
        self._extent = insert(tables.extent).returning(tables.extent.c.id)
        self._mark = "%s" if dialect.name == "postgresql" else "?"
        self.event = _insert(dialect, tables.event)
        self.closed = _compile(
            update(tables.session).where(tables.session.c.id == bindparam("key")),
            dialect,
            ("at_end", "ending", "reason", "client_bytes", "server_bytes"),
            ("key",),
        )

    def add_extent(self, connection: Connection, packed: Packed) -> int:
        """Write an extent. Returns its key."""
        if self._alone:
            return _fill(cast("sqlite3.Connection", connection.connection.driver_connection), packed)
        data = b"".join(packed.parts)
        return int(connection.execute(self._extent, {"data": data}).scalar_one())

    def add_bodies(self, connection: Connection, bodies: list[tuple[bytes, int, int, int]]) -> dict[bytes, int]:
        """Write bodies (hash, length, extent, offset) of hashes that are not `known`. Returns their keys by hash."""
        if not self._alone:
            self._body.run(connection, bodies)
            return self.known(connection, [body[0] for body in bodies])
        first = int(connection.exec_driver_sql("SELECT coalesce(max(id), 0) + 1 FROM body").scalar_one())
        self._body.run(connection, [(key, *body) for key, body in enumerate(bodies, first)])
        return {body[0]: key for key, body in enumerate(bodies, first)}

    def known(self, connection: Connection, hashes: Iterable[bytes]) -> dict[bytes, int]:
        """The keys of those bodies that are there, by hash."""
        keys: dict[bytes, int] = {}
        for few in some(list(hashes)):
            marks = ", ".join([self._mark] * len(few))
            sql = f"SELECT blake3, id FROM body WHERE blake3 IN ({marks})"  # noqa: S608  (marks only)
            keys.update((row[0], row[1]) for row in connection.exec_driver_sql(sql, tuple(few)))
        return keys


def _fill(driver: sqlite3.Connection, packed: Packed) -> int:
    """An extent in SQLite. Parts that were joined, and given as a value, would be copied twice more on their way."""
    try:
        key = driver.execute("INSERT INTO extent (data) VALUES (zeroblob(?))", (packed.length,)).lastrowid or 0
        with driver.blobopen("extent", "data", key) as blob:
            for part in packed.parts:
                blob.write(part)
    except sqlite3.Error as error:  # as SQLAlchemy would have told it
        raise DBAPIError.instance(None, None, error, sqlite3.Error, hide_parameters=HIDE_PARAMETERS) from error
    return key


def _insert(
    dialect: Dialect, table: Table, columns: Sequence[str] | None = None, *, replace: Sequence[str] = ()
) -> Prepared:
    """An insert of `columns` (default: all but a numbered id). On conflict: nothing, or the row with keys `replace`."""
    names = tuple(columns or (column.name for column in table.columns if column.name != "id"))
    statement = (postgresql.insert if dialect.name == "postgresql" else sqlite.insert)(table)
    if replace:
        new = {name: statement.excluded[name] for name in names if name not in replace}
        statement = statement.on_conflict_do_update(index_elements=list(replace), set_=new)
    else:
        statement = statement.on_conflict_do_nothing()
    compiled = statement.inline().compile(dialect=dialect, column_keys=list(names))
    return _ordered(str(compiled), compiled.positiontup, names)


def _compile(statement: Update, dialect: Dialect, columns: tuple[str, ...], keys: tuple[str, ...]) -> Prepared:
    compiled = statement.compile(dialect=dialect, column_keys=list(columns))
    return _ordered(str(compiled), compiled.positiontup, columns + keys)


def _ordered(sql: str, positions: Sequence[str] | None, expected: tuple[str, ...]) -> Prepared:
    if tuple(positions or ()) != expected:
        message = f"parameters are {positions}, not {expected}"
        raise AssertionError(message)
    return Prepared(sql, expected)
