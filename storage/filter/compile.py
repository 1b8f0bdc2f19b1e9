"""A tree as SQL over the index: one condition on `filter_row`, in which nothing is ever null and all values are bound.

Words are compared here, not by the database: it is asked for the keys of those kinds that are meant. So what a word is
like does not depend on the database, and a filter reads one narrow table once, whatever it asks for.
"""

from __future__ import annotations

import operator
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import and_, any_, bindparam, false, func, not_, or_, select, true
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import BigInteger

from storage import tables
from storage.filter import amounts, blocks, text
from storage.filter.entries import NONE, to_words
from storage.filter.facts import FACTS, Place
from storage.filter.holds import word_holds
from storage.filter.tree import And, Not, Number, Or, When, Word, leaves
from storage.filter.words import fold, folded, sql_pattern

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from sqlalchemy import ColumnElement, Connection, FromClause

    from storage.filter.blocks import Said
    from storage.filter.describe import Words
    from storage.filter.tree import Leaf, Node

_FEW: Final = 50
_UNHEARD_OF: Final = re.compile("[\\0\ud800-\udfff]")
"""What no column has in it (`readable`), and no database may be asked for: NUL, and what stands for no UTF-8."""
_row, _uid, _date = tables.filter_row.c, tables.filter_uid.c, tables.filter_date.c
_COLUMNS: Final = {Place.EXCHANGE: _row.kind_id, Place.MAILBOX: _row.mailbox_id, Place.FLAGS: _row.flags_id}
_AMOUNTS: Final = {
    "ms": _row.took,
    "bytes": _row.client_bytes + _row.server_bytes,
    "client_bytes": _row.client_bytes,
    "server_bytes": _row.server_bytes,
}
_EXTREMES: Final = {"uid": (_row.uid_low, _row.uid_high), "internaldate": (_row.date_first, _row.date_last)}
_COMPARED: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "=": operator.eq, ">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Dictionary:
    """What a filter needs to know: kinds, by what they are about, with keys and words; the recordings' names; and where
    something was said, in PostgreSQL."""

    dialect: str
    kinds: tuple[tuple[Place, int, Words], ...]
    recordings: tuple[tuple[int, str], ...]
    said: Mapping[Node, Said]


def look_up(connection: Connection, node: Node, finder: blocks.Finder | None = None) -> Dictionary:
    """All kinds that `node` may be about. A `finder` is one that knows some texts already."""
    places = {FACTS[leaf.fact].place for leaf in leaves(node) if isinstance(leaf, Word)}
    columns = tables.filter_kind.c
    wanted = [place.value for place in places]
    found = connection.execute(select(tables.filter_kind).where(columns.about.in_(wanted))) if wanted else ()
    kinds = tuple((Place(row.about), row.id, to_words(row.facts)) for row in found)
    names = connection.execute(select(tables.recording.c.id, tables.recording.c.name)).all()
    dialect = connection.dialect.name
    said: dict[Node, Said] = {}
    if dialect == "postgresql" and (texts := set(_of_texts(node))):
        finder = finder or blocks.Finder(connection)
        said = {each: finder.find(each) for each in texts}
    return Dictionary(dialect, kinds, tuple((row.id, fold(row.name)) for row in names), said)


def _of_texts(node: Node) -> Iterator[Node]:
    """The largest parts that ask for texts and nothing else."""
    if all(isinstance(leaf, Word) and leaf.fact == "text" for leaf in leaves(node)):
        yield node
    elif isinstance(node, Not):
        yield from _of_texts(node.part)
    elif isinstance(node, (And, Or)):
        for part in node.parts:
            yield from _of_texts(part)


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of `filter_row`: where to find them, under which conditions, and the column that orders them."""

    source: FromClause
    which: tuple[ColumnElement[bool], ...]
    key: ColumnElement[int]


def matching_rows(node: Node, known: Dictionary, now: int) -> Rows:
    """All rows for which `node` holds; `now` is microseconds since 1970 UTC."""
    if known.dialect != "sqlite":
        return Rows(tables.filter_row, (condition(node, known, now),), _row.exchange_id)
    parts = node.parts if isinstance(node, And) else (node,)  # none: all rows
    said = [part for part in parts if text.asks_words(part)]
    if not said:
        return Rows(tables.filter_row, tuple(condition(part, known, now) for part in parts), _row.exchange_id)
    unsaid = [part.part for part in parts if isinstance(part, Not) and text.asks_words(part.part)]
    source, spoken, key = text.leading(said, unsaid)
    others = (part for part in parts if part not in said and not (isinstance(part, Not) and part.part in unsaid))
    return Rows(source, (spoken, *(condition(part, known, now) for part in others)), key)


def condition(node: Node, known: Dictionary, now: int) -> ColumnElement[bool]:
    """What must be true of a row of `filter_row`; `now` is microseconds since 1970 UTC."""
    if said := known.said.get(node):
        return said.condition()
    if known.dialect == "sqlite" and text.asks_words(node):
        return _row.exchange_id.in_(text.matching(node))
    if isinstance(node, And):
        return and_(*(condition(part, known, now) for part in node.parts))
    if isinstance(node, Or):
        return or_(*(condition(part, known, now) for part in node.parts))
    if isinstance(node, Not):
        return not_(condition(node.part, known, now))
    return _leaf(node, known, now)


def _leaf(leaf: Leaf, known: Dictionary, now: int) -> ColumnElement[bool]:
    if isinstance(leaf, When):
        return _when(leaf, now)
    if isinstance(leaf, Number):
        return _number(leaf)
    place = FACTS[leaf.fact].place
    if place is Place.ROW:
        return _like(_row.tag, leaf)
    if place is Place.RECORDING:
        keys = [key for key, name in known.recordings if word_holds(leaf, (("recording", name),))]
        return among(_row.recording_id, keys, known.dialect)
    keys = [key for whose, key, words in known.kinds if whose is place and word_holds(leaf, words)]
    return _session(leaf, keys, known) if place is Place.SESSION else among(_COLUMNS[place], keys, known.dialect)


def _session(leaf: Word, keys: list[int], known: Dictionary) -> ColumnElement[bool]:
    if leaf.fact != "client":
        # Where all sessions are meant, or none, none needs to be looked up.
        if not keys:
            return false()
        if len(keys) == sum(place is Place.SESSION for place, _, _ in known.kinds):
            return true()
    mine = tables.filter_session.c
    which = among(mine.kind_id, keys, known.dialect)
    if leaf.fact == "client":
        which = or_(which, _like(mine.address, leaf), _like(mine.host, leaf))
    return _row.session_id.in_(select(mine.session_id).where(which))


def _like(column: ColumnElement[str], leaf: Word) -> ColumnElement[bool]:
    if _UNHEARD_OF.search("".join(leaf.pattern)):
        return false()
    first, *rest = folded(leaf.pattern)
    return column.like(sql_pattern((first, *rest)), escape="!") if rest else column == first


def _number(leaf: Number) -> ColumnElement[bool]:
    compared = _COMPARED[leaf.operator]
    if leaf.fact == "uid":
        if leaf.operator != "=":
            return _extreme(leaf, leaf.value)
        mine = _uid.low <= leaf.value, _uid.high >= leaf.value
        return _row.exchange_id.in_(select(_uid.exchange_id).where(*mine))
    if leaf.fact == "session":
        sessions = tables.session.c
        return _row.session_id.in_(select(sessions.id).where(compared(sessions.number, leaf.value)))
    holds: ColumnElement[bool] = compared(_AMOUNTS[leaf.fact], leaf.value)
    return and_(_row.took >= 0, holds) if leaf.fact == "ms" else holds


def _when(leaf: When, now: int) -> ColumnElement[bool]:
    start, end = amounts.period(leaf.moment, now)
    last = max(start, end - 1)
    if leaf.operator == "=":
        if leaf.fact == "internaldate":
            return _row.exchange_id.in_(select(_date.exchange_id).where(_date.at.between(start, last)))
        return _row.at.between(start, last)
    bound = last if leaf.operator in {">", "<="} else start
    if leaf.fact == "internaldate":
        return _extreme(leaf, bound)
    which: ColumnElement[bool] = _COMPARED[leaf.operator](_row.at, bound)
    return which


def _extreme(leaf: Number | When, bound: int) -> ColumnElement[bool]:
    """Any is larger if the largest is, and smaller if the smallest is."""
    lowest, highest = _EXTREMES[leaf.fact]
    column = highest if leaf.operator.startswith(">") else lowest
    return and_(column != NONE, _COMPARED[leaf.operator](column, bound))


def among(column: ColumnElement[int], keys: list[int], dialect: str) -> ColumnElement[bool]:
    """Whether a column is one of `keys`, however many these are."""
    if not keys:
        return false()
    if len(keys) <= _FEW:
        return column.in_(keys)
    if dialect == "postgresql":
        return column == any_(bindparam(None, keys, type_=ARRAY(BigInteger)))
    listed = func.json_each(str(keys)).table_valued("value")
    return column.in_(select(listed.c.value))
