"""The words of exchanges in the index: FTS5 in SQLite, postings of our own in PostgreSQL (`blocks`).

Both are given words that were cut and folded here, in their order, and are asked for such words: neither's own idea of
language, case or stop words has any part in it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import TEXT, BigInteger, column, func, select, table

from storage import tables
from storage.filter import blocks
from storage.filter.tree import And, Or, Word
from storage.filter.words import split
from storage.tables import FILTER_TEXT

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import ColumnElement, Connection, FromClause, Select

    from storage.filter.tree import Node

_sqlite = table(FILTER_TEXT, column("rowid", BigInteger), column(FILTER_TEXT, TEXT))


def there(connection: Connection) -> bool:
    """Whether this database can search words."""
    if connection.dialect.name == "postgresql":
        return True
    query = (
        "SELECT (SELECT 1 FROM pragma_module_list WHERE name = 'fts5') AND (SELECT 1 FROM sqlite_schema WHERE name = ?)"
    )
    return bool(connection.exec_driver_sql(query, (FILTER_TEXT,)).scalar())


def hold(connection: Connection) -> None:
    """Keep words from being forgotten (`clear`) until this transaction ends. It must not have read anything yet.

    PostgreSQL's TRUNCATE empties a table for those, too, who see everything else as it was before.
    """
    if connection.dialect.name == "postgresql":
        blocks.hold(connection)


def add(connection: Connection, recording: int, said: list[tuple[int, list[str]]]) -> dict[int, int]:
    """Index the words of a recording's exchanges, by their ids. Gives, in PostgreSQL, `filter_row.place` of each."""
    if connection.dialect.name == "postgresql":
        return blocks.add(connection, recording, said)
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


def asks_words(node: Node) -> bool:
    """Whether it asks for words and nothing else, and for none that shall be missing."""
    if isinstance(node, (And, Or)):
        return bool(node.parts) and all(map(asks_words, node.parts))
    return isinstance(node, Word) and node.fact == "text"


def matching(node: Node, first: int | None = None, last: int | None = None) -> Select[int]:
    """For SQLite: the ids of exchanges for which that holds, which `asks_words`; with `first`, from there to `last`."""
    query = select(_sqlite.c.rowid).where(_matches(_expression(node)))
    return query if first is None else query.where(_sqlite.c.rowid.between(first, last))


def counting_words(node: Node, first: int, last: int) -> Select[int]:
    """For SQLite: how many exchanges from one id to another have what `node` asks for, which `asks_words`."""
    mine = _sqlite.c.rowid.between(first, last)
    return select(func.count()).select_from(_sqlite).where(_matches(_expression(node)), mine)


def leading(said: Sequence[Node], unsaid: Sequence[Node]) -> tuple[FromClause, ColumnElement[bool], ColumnElement[int]]:
    """For SQLite: `filter_row` reached from the words, which are sorted as it is; the condition; the key.

    All of `said` hold and none of `unsaid`; each `asks_words`. Where a word was said in most exchanges this takes half
    as long as to put all their ids aside first (`matching`).
    """
    source = _sqlite.join(tables.filter_row, tables.filter_row.c.exchange_id == _sqlite.c.rowid)
    expression = _joined(" AND ", said)
    if unsaid:
        expression = f"{expression} NOT {_joined(' OR ', unsaid)}"
    return source, _matches(expression), _sqlite.c.rowid


def _matches(expression: str) -> ColumnElement[bool]:
    return _sqlite.c[FILTER_TEXT].op("MATCH")(expression)


def _expression(node: Node) -> str:
    if isinstance(node, (And, Or)):
        return _joined(" AND " if isinstance(node, And) else " OR ", node.parts)
    if not isinstance(node, Word):
        raise TypeError(node)
    # Words are letters and digits, so nothing in them means anything to FTS5.
    return f'"{" ".join(split(node.pattern[0]))}"{" *" if len(node.pattern) > 1 else ""}'


def _joined(sign: str, nodes: Iterable[Node]) -> str:
    return f"({sign.join(map(_expression, nodes))})"
