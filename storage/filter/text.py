"""The words of exchanges in the index: FTS5 in SQLite, postings of our own in PostgreSQL (`blocks`).

Both are given words that were cut and folded here, in their order, and are asked for such words: neither's own idea of
language, case or stop words has any part in it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import TEXT, BigInteger, column, select, table

from storage import tables
from storage.filter import blocks
from storage.filter.words import split
from storage.tables import FILTER_TEXT

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection, FromClause, Select

    from storage.filter.tree import Word

_sqlite = table(FILTER_TEXT, column("rowid", BigInteger), column(FILTER_TEXT, TEXT))


def there(connection: Connection) -> bool:
    """Whether this database can search words."""
    if connection.dialect.name == "postgresql":
        return True
    query = (
        "SELECT (SELECT 1 FROM pragma_module_list WHERE name = 'fts5') AND (SELECT 1 FROM sqlite_schema WHERE name = ?)"
    )
    return bool(connection.exec_driver_sql(query, (FILTER_TEXT,)).scalar())


def add(connection: Connection, said: list[tuple[int, list[str]]]) -> dict[int, int]:
    """Index the words of exchanges, by their ids. Gives what has to stand in `filter_row.place`, in PostgreSQL."""
    if connection.dialect.name == "postgresql":
        return blocks.add(connection, said)
    rows = [(key, " ".join(words)) for key, words in said if words]
    if rows and there(connection):
        connection.exec_driver_sql("INSERT INTO filter_text (rowid, words) VALUES (?, ?)", rows)
    return {}


def clear(connection: Connection) -> None:
    """Forget all words."""
    if connection.dialect.name == "postgresql":
        blocks.clear(connection)
    elif there(connection):
        connection.exec_driver_sql("INSERT INTO filter_text (filter_text) VALUES ('delete-all')")


def matching(leaf: Word) -> Select[int]:
    """For SQLite: the ids of exchanges in which these words were said in this order."""
    return select(_sqlite.c.rowid).where(_said(leaf))


def leading(leaf: Word) -> tuple[FromClause, ColumnElement[bool], ColumnElement[int]]:
    """For SQLite: `filter_row` reached from the words, which are sorted as it is; the condition; the key.

    Where a word was said in most exchanges this takes half as long as to put all their ids aside first (`matching`).
    """
    source = _sqlite.join(tables.filter_row, tables.filter_row.c.exchange_id == _sqlite.c.rowid)
    return source, _said(leaf), _sqlite.c.rowid


def _said(leaf: Word) -> ColumnElement[bool]:
    return _sqlite.c[FILTER_TEXT].op("MATCH")(_phrase(leaf))


def _phrase(leaf: Word) -> str:
    # Words are letters and digits, so nothing in them means anything to FTS5.
    return f'"{" ".join(split(leaf.pattern[0]))}"{" *" if len(leaf.pattern) > 1 else ""}'
