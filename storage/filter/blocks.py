"""The words of exchanges in PostgreSQL: blocks of postings (`postings`), in two tables that are read in Python.

PostgreSQL's own way, a tsvector and a GIN index, knows which exchanges have a word, but has to look at each of them,
and at its words again for a phrase: half a second where a million exchanges have it. Here a word that all exchanges
have is some KiB for a thousand of them, and what was found is put to the rows as a bit for each.
"""

from __future__ import annotations

import functools
import itertools
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sqlalchemy import TEXT, BigInteger, LargeBinary, any_, bindparam, column, delete, false, func, insert, select
from sqlalchemy import table as named
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.exc import DBAPIError

from storage import tables
from storage.filter.postings import Wanted, ends_behind, pack, phrase, ranks
from storage.filter.tree import And, Not, Or, Word
from storage.filter.words import split
from storage.tables import FILTER_BLOCK, FILTER_OWN, FILTER_TEXT

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from sqlalchemy import ColumnElement, Connection

    from storage.filter.tree import Node

_FULL: Final = 64 * 1024
"""Places at which a block ends; with the longest exchange behind it, it has 80 Ki at most."""
_SMALL: Final = 8 * 1024
"""A last block with fewer places is kept as words, so that more can come into it: filters that are asked again and
again while something is recorded shall not leave as many blocks."""
_FEW: Final = 1000
"""So many exchanges are named one by one; then they need not be looked for in all rows."""
_LETTER_LAST: Final = "\U0010ffff"

_LAST: Final = "SELECT first, ends, words FROM filter_block ORDER BY first DESC LIMIT 1"
_ENDS: Final = "SELECT first, ends FROM filter_block WHERE first = ANY(%s)"
_BLOCKS: Final = "SELECT first FROM filter_block"
_EXCHANGES: Final = "SELECT first, exchanges FROM filter_block WHERE first = ANY(%s)"
_STANDING: Final = "SELECT block, key, places FROM filter_text WHERE key = %s"
_BEGINNING: Final = "SELECT block, key, places FROM filter_text WHERE (key = %s OR key BETWEEN %s AND %s)"
_STRETCHES: Final = "SELECT recording_id, low, high FROM filter_stretch ORDER BY low"
_STRETCH: Final = """INSERT INTO filter_stretch VALUES (%s, %s, %s) ON CONFLICT (recording_id) DO UPDATE
    SET low = LEAST(filter_stretch.low, excluded.low), high = GREATEST(filter_stretch.high, excluded.high)"""

_block = named(
    FILTER_BLOCK,
    column("first", BigInteger), column("ends", LargeBinary), column("exchanges", ARRAY(BigInteger)),
    column("words", TEXT),
)  # fmt: skip
_text = named(FILTER_TEXT, column("key", TEXT), column("block", BigInteger), column("places", LargeBinary))


class Said(NamedTuple):
    """Exchanges in which something was said: few by their ids, else as bits for `filter_row.place`."""

    exchanges: list[int]
    ends: bytes

    def condition(self) -> ColumnElement[bool]:
        """What must be true of a row of `filter_row`."""
        row = tables.filter_row.c
        if self.ends:
            return func.get_bit(bindparam(None, self.ends, LargeBinary), row.place) == 1
        if not self.exchanges:
            return false()
        return row.exchange_id == any_(bindparam(None, self.exchanges, type_=ARRAY(BigInteger)))


class _Open(NamedTuple):
    """A block that is being filled."""

    first: int
    exchanges: list[int]
    said: list[list[str]]


def add(connection: Connection, recording: int, said: Iterable[tuple[int, list[str]]]) -> dict[int, int]:
    """Index the words of a recording's exchanges, by their ids. Gives the place of each exchange's end."""
    connection.exec_driver_sql(f"LOCK TABLE {FILTER_BLOCK} IN SHARE ROW EXCLUSIVE MODE")  # one at a time gives places
    found: dict[int, int] = {}
    block = _last(connection)
    place = 8 * block.first + sum(len(words) + 1 for words in block.said)
    for exchange, words in said:
        block.exchanges.append(exchange)
        block.said.append(words)
        place += len(words) + 1
        found[exchange] = place - 1
        if place - 8 * block.first >= _FULL:
            block = _Open(_write(connection, block), [], [])
            place = 8 * block.first
    if place - 8 * block.first >= _SMALL:
        _write(connection, block)
    elif block.said:
        _leave_open(connection, block)
    if found:
        connection.exec_driver_sql(_STRETCH, (recording, min(found.values()), max(found.values())))
    return found


def _last(connection: Connection) -> _Open:
    """The last block, if it is open still, else the one behind it."""
    columns = _block.c
    last = connection.execute(select(_block).order_by(columns.first.desc()).limit(1)).one_or_none()
    if last is None:
        return _Open(0, [], [])
    if last.words is None:
        return _Open(last.first + len(last.ends), [], [])
    connection.execute(delete(_block).where(columns.first == last.first))
    return _Open(last.first, list(last.exchanges), _lines(last.words))


def _lines(words: str) -> list[list[str]]:
    return [line.split() for line in words.split("\n")]


def _write(connection: Connection, block: _Open) -> int:
    """Write a block. Gives the first byte behind it."""
    packed = pack(block.said)
    values = {"first": block.first, "ends": packed.ends, "exchanges": block.exchanges, "words": None}
    connection.execute(insert(_block), values)
    rows = [{"key": key, "block": block.first, "places": places} for key, places in packed.places.items()]
    if rows:
        connection.execute(insert(_text), rows)
    return block.first + len(packed.ends)


def _leave_open(connection: Connection, block: _Open) -> None:
    words = "\n".join(" ".join(words) for words in block.said)
    values = {"first": block.first, "ends": pack(block.said).ends, "exchanges": block.exchanges, "words": words}
    connection.execute(insert(_block), values)


def hold(connection: Connection) -> None:
    """Keep `clear` waiting until this transaction ends."""
    connection.exec_driver_sql(f"LOCK TABLE {', '.join(FILTER_OWN)} IN ACCESS SHARE MODE")


def clear(connection: Connection) -> None:
    """Forget all words."""
    connection.exec_driver_sql(f"TRUNCATE {', '.join(FILTER_OWN)}")


class Finder:
    """Finds exchanges by their words, for one question; what it read of blocks it keeps until then."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        last = _fetched(connection, _LAST)
        self._opened = {first: pack(_lines(said)) for first, _, said in last if said is not None}
        self._size = sum(first + len(ends) for first, ends, _ in last)
        self._ends: dict[int, bytes] = {}
        self._known: dict[Node, dict[int, int]] = {}

    def find(self, node: Node) -> Said:
        """The exchanges for which that holds: a tree of texts and nothing else."""
        chosen = self._of_blocks(node)
        if sum(found.bit_count() for found in chosen.values()) <= _FEW:
            rows = _fetched(self._connection, _EXCHANGES, list(chosen))
            named = ((theirs, ranks(chosen[first], self._ends[first])) for first, theirs in rows)
            return Said([theirs[rank] for theirs, these in named for rank in these], b"")
        return Said([], self._joined(chosen))

    def counts(self, node: Node) -> dict[int, int] | None:
        """How many of a recording's exchanges those are. None where recordings have places among each other's."""
        stretches: list[tuple[int, int, int]] = _fetched(self._connection, _STRETCHES)
        if any(before[2] >= after[1] for before, after in itertools.pairwise(stretches)):
            return None
        whole = self._joined(self._of_blocks(node))
        return {key: _between(whole, low, high).bit_count() for key, low, high in stretches}

    def _of_blocks(self, node: Node) -> dict[int, int]:
        return {first: found for first, found in self._chosen(node).items() if found}

    def _joined(self, chosen: dict[int, int]) -> bytes:
        bits = bytearray(self._size)
        for first, found in chosen.items():
            end = first + len(self._ends[first])
            bits[first:end] = found.to_bytes(end - first, "little")
        return bytes(bits)

    def _chosen(self, node: Node) -> dict[int, int]:
        """Of each block, the ends of these exchanges. Asked for again, as they are under `not`, they are known."""
        if node not in self._known:
            self._known[node] = self._ends_where(node)
        return self._known[node]

    def _ends_where(self, node: Node) -> dict[int, int]:
        if isinstance(node, Not):
            without = self._chosen(node.part)
            whole = self._ends_of(self._all)
            return {first: int.from_bytes(ends, "little") ^ without.get(first, 0) for first, ends in whole.items()}
        if isinstance(node, (And, Or)):
            joined: Callable[[int, int], int] = int.__and__ if isinstance(node, And) else int.__or__
            sets = [self._chosen(part) for part in node.parts]
            some = {first for found in sets for first in found}
            return {first: functools.reduce(joined, (found.get(first, 0) for found in sets)) for first in some}
        return self._saying(node) if isinstance(node, Word) else {}

    def _saying(self, leaf: Word) -> dict[int, int]:
        words = split(leaf.pattern[0])
        goes_on = len(leaf.pattern) > 1
        wanted = [Wanted(word, goes_on and index == len(words)) for index, word in enumerate(words, 1)]
        places = {each: self._places(each) for each in wanted}
        some = [first for first in places[wanted[0]] if all(first in found for found in places.values())]
        found = {first: phrase(places[each][first] for each in wanted) for first in some}
        there = {first: bits for first, bits in found.items() if bits}
        return {first: ends_behind(there[first], ends) for first, ends in self._ends_of(there).items()}

    def _places(self, wanted: Wanted) -> dict[int, int]:
        """Where a word stands, by blocks; in one that is open, too."""
        rows = _fetched(self._connection, _STANDING, wanted.whole) if wanted.whole else []
        statement, keys = _elsewhere(wanted)
        if rows:
            statement += " AND block = ANY(%s)"
            keys = (*keys, list(self._all - {first for first, _, _ in rows}))
        rows += _fetched(self._connection, statement, *keys)
        rows += [(first, *listed) for first, packed in self._opened.items() for listed in packed.places.items()]
        found: dict[int, int] = {}
        for first, key, places in rows:
            if wanted.stands_under(key) and (bits := wanted.bits(key, places)):
                found[first] = found.get(first, 0) | bits
        return found

    @functools.cached_property
    def _all(self) -> set[int]:
        return {first for (first,) in _fetched(self._connection, _BLOCKS)}

    def _ends_of(self, blocks: Collection[int]) -> dict[int, bytes]:
        unknown = [first for first in blocks if first not in self._ends]
        if unknown:
            self._ends.update(_fetched(self._connection, _ENDS, unknown))
        return {first: self._ends[first] for first in blocks}


def _between(bits: bytes, low: int, high: int) -> int:
    """The bits from one place to another, both included."""
    found = int.from_bytes(bits[low // 8 : high // 8 + 1], "little")
    return found >> low % 8 & (1 << high - low + 1) - 1


def _elsewhere(wanted: Wanted) -> tuple[str, tuple[Any, ...]]:
    """How to find its places in blocks where they have no bitmap of their own."""
    if wanted.goes_on:
        return _BEGINNING, (wanted.shared, wanted.word, f"{wanted.word}{_LETTER_LAST}")
    return _STANDING, (wanted.shared,)


def _fetched(connection: Connection, statement: str, *values: Any) -> list[Any]:
    """Rows as tuples. In binary form, which SQLAlchemy cannot ask for: hexadecimal digits take three times as long."""
    driver: Any = connection.connection.driver_connection
    try:
        found: list[Any] = driver.execute(statement, values, binary=True).fetchall()
    except connection.dialect.loaded_dbapi.Error as error:
        raise DBAPIError(statement, None, error) from error
    return found
