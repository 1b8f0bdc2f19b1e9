"""Exchanges with what was said in them: rows of several tables and pieces of both streams, put together in batches."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sqlalchemy import BigInteger, bindparam, func, or_, select

from proxy.imap.transcript import BODY_MIN, Direction
from storage import tables

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from sqlalchemy import ColumnElement, Connection

    from proxy.imap.transcript import Exchange
    from storage.values import StoredExchange

READ_MOST: Final = 1024 * 1024
"""So many bytes of each side of an exchange are looked at, literals of BODY_MIN bytes and more not counted."""

_PAGE: Final = 64
_NEAR: Final = 16 * 1024
_DENSE: Final = 4

_span, _piece, _event, _exchange = tables.span.c, tables.piece.c, tables.event.c, tables.exchange.c


_mine = (_piece.session_id == bindparam("session"), _piece.direction == bindparam("direction"))
_start = bindparam("start", type_=BigInteger)
_small = or_(_piece.literal_start.is_(None), _piece.left_out.is_not(None) & (_piece.literal_length < BODY_MIN))
_pages = select(_piece.offset, _piece.length, _piece.data).where(*_mine, _piece.offset < bindparam("end"), _small)
_pages = _pages.order_by(_piece.offset).limit(_PAGE)
_BEHIND: Final = _pages.where(_piece.offset > _start)
_holding = select(func.max(_piece.offset)).where(*_mine, _piece.offset <= _start).scalar_subquery()
_FROM: Final = _pages.where(_piece.offset >= func.coalesce(_holding, 0))


class Told(NamedTuple):
    """An exchange, its key and its session's, the first bytes of both sides, and words about it."""

    id: int
    session_id: int
    exchange: Exchange
    client: bytes
    server: bytes
    certainties: frozenset[str]
    events: frozenset[str]


class _Wanted(NamedTuple):
    exchange: int
    direction: int
    start: int
    end: int


def gather(connection: Connection, stored: Sequence[StoredExchange]) -> list[Told]:
    """What was said in these exchanges, in their order."""
    wanted_ids = {each.id for each in stored}
    spans = [row for row in _spans(connection, wanted_ids) if row.id in wanted_ids]
    by_side = defaultdict[tuple[int, int], list[_Wanted]](list)
    certainties = defaultdict[int, set[str]](set)
    for row in spans:
        by_side[row.session_id, row.direction].append(_Wanted(row.id, row.direction, row.start, row.end))
        if row.direction == Direction.SERVER:
            certainties[row.id].add(row.certainty)
    said = defaultdict[tuple[int, int], bytearray](bytearray)
    for (session, direction), wanted in by_side.items():
        for exchange, data in _said(connection, session, direction, wanted):
            heard = said[exchange, direction]
            heard += data[: READ_MOST - len(heard)]
    events = _events(connection, {each.session_id for each in stored})
    return [
        Told(
            each.id,
            each.session_id,
            each.exchange,
            bytes(said.get((each.id, Direction.CLIENT), b"")),
            bytes(said.get((each.id, Direction.SERVER), b"")),
            frozenset(certainties[each.id]),
            frozenset(_while_open(each.exchange, events.get(each.session_id, ()))),
        )
        for each in stored
    ]


def these(keys: Collection[int]) -> ColumnElement[bool]:
    """Which exchanges have these keys; others between them too, where that is quicker to ask."""
    low, high = min(keys, default=0), max(keys, default=0)
    if high - low < _DENSE * len(keys):
        return _exchange.id.between(low, high)
    return _exchange.id.in_(keys)


def _spans(connection: Connection, exchanges: Collection[int]) -> Sequence[Any]:
    columns = (_exchange.id, _span.session_id, _span.direction, _span.start, _span.end, _span.certainty)
    mine = (_span.session_id == _exchange.session_id) & (_span.exchange == _exchange.number)
    joined = tables.exchange.join(tables.span, mine)
    query = select(*columns).select_from(joined).where(these(exchanges))
    return connection.execute(query.order_by(_span.session_id, _span.direction, _span.start)).all()


def _events(connection: Connection, sessions: set[int]) -> dict[int, list[tuple[int, str]]]:
    found = defaultdict[int, list[tuple[int, str]]](list)
    query = select(_event.session_id, _event.at, _event.kind).where(_event.session_id.in_(sessions))
    for row in connection.execute(query):
        found[row.session_id].append((row.at, row.kind))
    return found


def _while_open(exchange: Exchange, events: Iterable[tuple[int, str]]) -> Iterator[str]:
    for at, kind in events:
        if exchange.started <= at and (exchange.ended is None or at <= exchange.ended):
            yield kind


def _said(connection: Connection, session: int, direction: int, wanted: list[_Wanted]) -> Iterator[tuple[int, bytes]]:
    """The bytes of these spans, which come by offset; without those of large literals."""
    for some in _neighbours(wanted):
        offsets, pieces = list[int](), list[bytes]()
        room = READ_MOST * len(some)
        for offset, data in _pieces(connection, session, direction, some[0].start, some[-1].end):
            offsets.append(offset)
            pieces.append(data)
            room -= len(data)
            if room < 0:
                break
        for span in some:
            yield from ((span.exchange, part) for part in _between(offsets, pieces, span.start, span.end))


def _between(offsets: list[int], pieces: list[bytes], start: int, end: int) -> Iterator[bytes]:
    index = max(0, bisect_right(offsets, start) - 1)
    while index < len(offsets) and offsets[index] < end:
        offset, data = offsets[index], pieces[index]
        if part := data[max(0, start - offset) : end - offset]:
            yield part
        index += 1


def _neighbours(wanted: list[_Wanted]) -> Iterator[list[_Wanted]]:
    """Spans that are read together; a long one alone."""
    some: list[_Wanted] = []
    for span in wanted:
        long = span.end - span.start > READ_MOST
        if some and (long or span.start - some[-1].end > _NEAR or some[-1].end - some[-1].start > READ_MOST):
            yield some
            some = []
        some.append(span)
    if some:
        yield some


def _pieces(connection: Connection, session: int, direction: int, start: int, end: int) -> Iterator[tuple[int, bytes]]:
    """Offset and bytes of all pieces with any byte from `start` up to `end` that are no part of a large literal."""
    place = {"session": session, "direction": direction, "end": end}
    found = connection.execute(_FROM, {**place, "start": start}).all()
    while found:
        # What was left out of a small literal is counted all the same by whoever reads the line around it.
        yield from (
            (row.offset, b" " * min(row.length, BODY_MIN) if row.data is None else bytes(row.data)) for row in found
        )
        if len(found) < _PAGE:
            return
        found = connection.execute(_BEHIND, {**place, "start": found[-1].offset}).all()
