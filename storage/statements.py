"""The statements of the write path, compiled once by SQLAlchemy Core and then run by the driver as they are.

Core's own `execute` looks at every parameter of every row again, which costs more than SQLite's part of the work. The
SQL is still Core's, in the dialect of the database; only the rows go past it, as tuples in the order given here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, insert, update
from sqlalchemy.dialects import postgresql, sqlite

from storage import tables

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Connection, Dialect, Table, Update

    from storage.rows import Values


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
        self.body = _insert(dialect, tables.body, ("sha256", "length", "extent_id", "offset"))
        self.extent = insert(tables.extent).returning(tables.extent.c.id)
        self._mark = "%s" if dialect.name == "postgresql" else "?"
        self.event = _insert(dialect, tables.event)
        self.closed = _compile(
            update(tables.session).where(tables.session.c.id == bindparam("key")),
            dialect,
            ("at_end", "ending", "reason", "client_bytes", "server_bytes"),
            ("key",),
        )

    def known(self, connection: Connection, hashes: list[bytes]) -> Iterable[tuple[bytes, int]]:
        """Those of the hashes of which there are bodies, with their keys."""
        marks = ", ".join([self._mark] * len(hashes))
        sql = f"SELECT sha256, id FROM body WHERE sha256 IN ({marks})"  # noqa: S608  (marks only)
        return ((row[0], row[1]) for row in connection.exec_driver_sql(sql, tuple(hashes)))


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
