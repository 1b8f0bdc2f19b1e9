"""The words of exchanges in the index: FTS5 in SQLite, tsvector with a GIN index in PostgreSQL.

Both are given words that were cut and folded here, in their order, and are asked for such words: neither's own idea of
language, case or stop words has any part in it.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from sqlalchemy import TEXT, BigInteger, column, literal, select, table
from sqlalchemy.dialects.postgresql import TSQUERY

from storage import tables
from storage.filter.words import split
from storage.tables import FILTER_TEXT

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection, FromClause, Select

    from storage.filter.tree import Word

_sqlite = table(FILTER_TEXT, column("rowid", BigInteger), column(FILTER_TEXT, TEXT))
_postgresql = table(FILTER_TEXT, column("exchange_id", BigInteger), column("words"))


def there(connection: Connection) -> bool:
    """Whether this database can search words."""
    if connection.dialect.name == "postgresql":
        return True
    query = (
        "SELECT (SELECT 1 FROM pragma_module_list WHERE name = 'fts5') AND (SELECT 1 FROM sqlite_schema WHERE name = ?)"
    )
    return bool(connection.exec_driver_sql(query, (FILTER_TEXT,)).scalar())


def add(connection: Connection, said: list[tuple[int, list[str]]]) -> None:
    """Index the words of exchanges, by their ids."""
    if not said:
        return
    if connection.dialect.name == "postgresql":
        rows = [(key, _vector(words)) for key, words in said]
        connection.exec_driver_sql("INSERT INTO filter_text (exchange_id, words) VALUES (%s, %s::tsvector)", rows)
    elif there(connection):
        rows = [(key, " ".join(words)) for key, words in said]
        connection.exec_driver_sql("INSERT INTO filter_text (rowid, words) VALUES (?, ?)", rows)


def clear(connection: Connection) -> None:
    """Forget all words."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("TRUNCATE filter_text")
    elif there(connection):
        connection.exec_driver_sql("INSERT INTO filter_text (filter_text) VALUES ('delete-all')")


def matching(dialect: str, leaf: Word) -> Select[int]:
    """The ids of exchanges in which these words were said in this order."""
    if dialect == "postgresql":
        return select(_postgresql.c.exchange_id).where(_said_postgresql(leaf))
    return select(_sqlite.c.rowid).where(_said_sqlite(leaf))


def leading(leaf: Word) -> tuple[FromClause, ColumnElement[bool], ColumnElement[int]]:
    """For SQLite: `filter_row` reached from the words, which are sorted as it is; the condition; the key.

    Where a word was said in most exchanges this takes half as long as to put all their ids aside first (`matching`).
    """
    source = _sqlite.join(tables.filter_row, tables.filter_row.c.exchange_id == _sqlite.c.rowid)
    return source, _said_sqlite(leaf), _sqlite.c.rowid


def _said_sqlite(leaf: Word) -> ColumnElement[bool]:
    return _sqlite.c[FILTER_TEXT].op("MATCH")(_phrase(leaf))


def _phrase(leaf: Word) -> str:
    # Words are letters and digits, so nothing in them means anything to FTS5.
    return f'"{" ".join(split(leaf.pattern[0]))}"{" *" if len(leaf.pattern) > 1 else ""}'


def _said_postgresql(leaf: Word) -> ColumnElement[bool]:
    quoted = [f"'{word}'" for word in split(leaf.pattern[0])]
    if len(leaf.pattern) > 1:
        quoted[-1] += ":*"
    return _postgresql.c.words.op("@@")(literal(" <-> ".join(quoted), TEXT).cast(TSQUERY))


def _vector(words: list[str]) -> str:
    places = defaultdict[str, list[str]](list)
    for position, word in enumerate(words, 1):
        places[word].append(str(position))
    return " ".join(f"'{word}':{','.join(positions)}" for word, positions in places.items())
