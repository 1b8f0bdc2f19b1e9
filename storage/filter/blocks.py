"""The words of exchanges in PostgreSQL: blocks of postings (`postings`), in two tables that are read in Python.

PostgreSQL's own way, a tsvector and a GIN index, knows which exchanges have a word, but has to look at each of them,
and at its words again for a phrase: half a second where a million exchanges have it. Here a word that all exchanges
have is some KiB for a thousand of them, and what was found is put to the rows as a bit for each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sqlalchemy import TEXT, BigInteger, LargeBinary, any_, bindparam, column, delete, false, func, insert, or_, select
from sqlalchemy import table as named
from sqlalchemy.dialects.postgresql import ARRAY

from storage import tables
from storage.filter.postings import Places, Wanted, ends_behind, pack, phrase, ranks
from storage.filter.words import split
from storage.tables import FILTER_BLOCK, FILTER_TEXT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import ColumnElement, Connection, Select

    from storage.filter.tree import Word

_FULL: Final = 32 * 1024
"""Places at which a block ends; with the longest exchange behind it, it has 48 Ki at most."""
_SMALL: Final = 8 * 1024
"""A last block with fewer places is kept as words, so that more can come into it: filters that are asked again and
again while something is recorded shall not leave as many blocks."""
_FEW: Final = 1000
"""So many exchanges are named one by one; then they need not be looked for in all rows."""
_LAST: Final = "\U0010ffff"

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


def add(connection: Connection, said: Iterable[tuple[int, list[str]]]) -> dict[int, int]:
    """Index the words of exchanges, by their ids. Gives the place of each exchange's end."""
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


def clear(connection: Connection) -> None:
    """Forget all words."""
    connection.exec_driver_sql(f"TRUNCATE {FILTER_BLOCK}, {FILTER_TEXT}")


def find(connection: Connection, leaf: Word) -> Said:
    """The exchanges in which these words were said in this order."""
    words = split(leaf.pattern[0])
    goes_on = len(leaf.pattern) > 1
    wanted = [Wanted(word, goes_on and index == len(words)) for index, word in enumerate(words, 1)]
    columns = _block.c.first, _block.c.ends, _block.c.words
    blocks = connection.execute(select(*columns).order_by(_block.c.first)).all()
    ends = b"".join([block.ends for block in blocks])
    opened = {block.first: pack(_lines(block.words)) for block in blocks[-1:] if block.words is not None}
    places = {each: Places(each, len(ends)) for each in wanted}
    for each, found in places.items():
        for row in connection.execute(_standing(each)):
            found.add(row.block, row.key, row.places)
        for first, packed in opened.items():
            for key in filter(each.stands_under, packed.places):
                found.add(first, key, packed.places[key])
    chosen = ends_behind(phrase(places[each].bits() for each in wanted), ends)
    bits = chosen.to_bytes(len(ends), "little")
    if chosen.bit_count() > _FEW:
        return Said([], bits)
    return Said(_exchanges(connection, bits, {block.first: block.ends for block in blocks}), b"")


def _standing(wanted: Wanted) -> Select[Any]:
    key = _text.c.key
    theirs = key.between(wanted.word, f"{wanted.word}{_LAST}") if wanted.goes_on else key == wanted.word
    return select(_text).where(or_(key == wanted.shared, theirs))


def _exchanges(connection: Connection, chosen: bytes, blocks: dict[int, bytes]) -> list[int]:
    """The ids of the exchanges that have these ends."""
    theirs = {first: chosen[first : first + len(ends)] for first, ends in blocks.items()}
    some = [first for first, bits in theirs.items() if any(bits)]
    which = _block.c.first == any_(bindparam(None, some, type_=ARRAY(BigInteger)))
    found = connection.execute(select(_block.c.first, _block.c.exchanges).where(which))
    return [row.exchanges[rank] for row in found for rank in ranks(theirs[row.first], blocks[row.first])]
