"""Statistics of what is in a store: rows by session and exchange, a page at a time, given to a `Tally`."""

from __future__ import annotations

import itertools
from array import array
from bisect import bisect_left
from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sqlalchemy import func, select, tuple_

from proxy.imap.transcript import BODY_MIN, Direction, Origin
from storage import read, tables
from storage.rows import NO_EXCHANGE
from storage.statistics.tally import Tally
from storage.statistics.values import Fact, Letter, Told

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from sqlalchemy import ColumnElement, Connection

    from storage.statistics.values import Statistics
    from storage.store import Store
    from storage.values import Session, StoredExchange

_PAGE: Final = 1000
_SESSIONS: Final = 200

_exchange, _span, _piece = tables.exchange.c, tables.span.c, tables.piece.c
_Key = tuple[int, int]
"""`session.id` and number of an exchange."""


def statistics(
    store: Store, sessions: Iterable[Session], chosen: Mapping[int, array[int]] | None = None, *,
    top: int = 10, by_session: bool = False,
) -> Statistics:  # fmt: skip
    """Count these sessions. `chosen` are the keys of the exchanges to count, rising, by `session.id`; None: all.

    Commands that imaptap sent itself are not counted. `top` of the slowest are kept. Memory does not grow with the
    number of exchanges (docs/cli.md). Raises StorageError.
    """
    tally = Tally(top=top, by_session=by_session)
    wanted = (each for each in sessions if chosen is None or each.id in chosen)
    while some := {each.id: each for each in itertools.islice(wanted, _SESSIONS)}:
        for told in _told(store, dict(sorted(some.items())), chosen):
            tally.add(told)
    return tally.statistics()


def _told(store: Store, sessions: dict[int, Session], chosen: Mapping[int, array[int]] | None) -> Iterator[Told]:
    """The sessions by `id`, those without exchanges too."""
    news = _news(store, sessions)
    waiting = iter(sessions.values())
    for key, facts in itertools.groupby(_facts(store, sessions, chosen), key=lambda each: each.session_id):
        for session in waiting:
            if session.id == key:
                yield Told(session, (each.fact for each in facts), news.get(key, ()), session.at_end)
                break
            yield Told(session, (), (), session.at_end)
    yield from (Told(session, (), (), session.at_end) for session in waiting)


class _Found(NamedTuple):
    session_id: int
    fact: Fact


def _facts(store: Store, sessions: dict[int, Session], chosen: Mapping[int, array[int]] | None) -> Iterator[_Found]:
    after = (min(sessions), 0)
    while True:
        with store.reading() as connection:
            page = _page(connection, after, max(sessions))
            stored = [
                read.exchange_value(connection, row, sessions[row.session_id])
                for row in page
                if row.session_id in sessions and row.origin == Origin.CLIENT.value
            ]
            found = _with_spans(connection, stored, chosen)
        yield from found
        if len(page) < _PAGE:
            return
        after = page[-1].session_id, page[-1].number


def _page(connection: Connection, after: _Key, last: int) -> Sequence[Any]:
    behind = tuple_(_exchange.session_id, _exchange.number) > tuple_(*after)
    query = select(tables.exchange).where(behind, _exchange.session_id <= last)
    return connection.execute(query.order_by(_exchange.session_id, _exchange.number).limit(_PAGE)).all()


def _is_chosen(stored: StoredExchange, chosen: Mapping[int, array[int]] | None) -> bool:
    if chosen is None:
        return True
    keys = chosen[stored.session_id]
    index = bisect_left(keys, stored.id)
    return index < len(keys) and keys[index] == stored.id


def _with_spans(
    connection: Connection, stored: Sequence[StoredExchange], chosen: Mapping[int, array[int]] | None
) -> list[_Found]:
    if not stored:
        return []
    keys = [(each.session_id, each.exchange.number) for each in stored]
    said = _client_side(connection, keys)
    fetching = any(each.exchange.server_bytes >= BODY_MIN for each in stored)
    letters = _letters(connection, keys) if fetching else {}
    found = list[_Found]()
    for key, each in zip(keys, stored, strict=True):
        sent, units = said.get(key, (each.exchange.started, 1))
        fact = Fact(each.exchange, sent, units, letters.get(key, ()), _is_chosen(each, chosen))
        found.append(_Found(each.session_id, fact))
    return found


def _between(keys: Sequence[_Key]) -> tuple[ColumnElement[bool], ...]:
    """Spans of all exchanges from the first key to the last."""
    key = tuple_(_span.session_id, _span.exchange)
    return key >= tuple_(*keys[0]), key <= tuple_(*keys[-1])


def _client_side(connection: Connection, keys: Sequence[_Key]) -> dict[_Key, tuple[int, int]]:
    """When the last byte of each came, and in how many units."""
    columns = _span.session_id, _span.exchange
    query = select(*columns, func.max(_span.last_at), func.sum(_span.units))
    query = query.where(*_between(keys), _span.direction == int(Direction.CLIENT)).group_by(*columns)
    return {(session, number): (at, int(units)) for session, number, at, units in connection.execute(query)}


def _letters(connection: Connection, keys: Sequence[_Key]) -> dict[_Key, tuple[Letter, ...]]:
    """The large literals that servers sent in these, as far as they came whole."""
    server = int(Direction.SERVER)
    inside = (_piece.session_id == _span.session_id) & (_piece.direction == server)
    inside &= (_piece.offset >= _span.start) & (_piece.offset < _span.end)
    kept = _piece.body_id.is_not(None) | _piece.left_out.is_not(None)
    query = select(
        _span.session_id, _span.exchange, _piece.literal_start, _piece.literal_length, _piece.length, _piece.body_id,
        _piece.left_out,
    ).select_from(tables.span.join(tables.piece, inside))  # fmt: skip
    query = query.where(*_between(keys), _span.direction == server, _span.end - _span.start >= BODY_MIN, kept)
    found = defaultdict[_Key, list[Letter]](list)
    rows = connection.execute(query.order_by(_span.session_id, _span.exchange, _piece.offset))
    for (session, number, _), parts in itertools.groupby(rows, key=lambda row: row[:3]):
        letter = _letter(list(parts))
        if letter is not None:
            found[session, number].append(letter)
    return {key: tuple(each) for key, each in found.items()}


def _letter(parts: Sequence[Any]) -> Letter | None:
    length = parts[0].literal_length
    if sum(part.length for part in parts) != length:
        return None
    if any(part.left_out is not None and not part.left_out for part in parts):  # nobody knows whether it is another's
        return None
    what = tuple(part.body_id if part.left_out is None else bytes(part.left_out) for part in parts)
    return Letter(hash(what), length)


def _news(store: Store, sessions: dict[int, Session]) -> dict[int, array[int]]:
    """When servers said something while no command was open, the greeting included."""
    found: dict[int, array[int]] = {}
    query = select(_span.session_id, _span.first_at).where(
        _span.session_id.in_(list(sessions)), _span.exchange == NO_EXCHANGE, _span.direction == int(Direction.SERVER)
    )
    with store.reading() as connection:
        for session, at in connection.execute(query.order_by(_span.session_id, _span.start)):
            found.setdefault(session, array("q")).append(at)
    return found
