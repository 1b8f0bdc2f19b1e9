"""The exchanges of a session and the spans that say which bytes are theirs: numbered, ended, inside the streams."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import func, select

from proxy.imap.transcript import Certainty, Direction, Origin, Outcome
from storage import tables
from storage.rows import NO_EXCHANGE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection, Row

_AT_ONCE: Final = 500
_exchange, _span = tables.exchange.c, tables.span.c
_OUTCOMES: Final = {str(outcome.value) for outcome in Outcome}
_ORIGINS: Final = {str(origin.value) for origin in Origin}
_CERTAINTIES: Final = {str(certainty.value) for certainty in Certainty}

FlawedExchange = tuple[int, str]
"""The number of an exchange, and what is wrong with it."""
FlawedSpan = tuple[Direction, int, str]
"""Direction and offset where a span begins, and what is wrong with it."""


def exchange_flaws(connection: Connection, session: int, *, over: bool, holed: bool) -> Iterator[FlawedExchange]:
    """What is wrong with the exchanges of the session with this key.

    `over`: it has ended, so none may be open. `holed`: some records of it were lost, so numbers may be missing.
    """
    number = 0
    query = select(tables.exchange).where(_exchange.session_id == session).order_by(_exchange.number)
    for row in connection.execution_options(yield_per=_AT_ONCE).execute(query):
        if row.number != number + 1 and not holed:
            yield row.number, f"it follows exchange {number}: what was between them is missing"
        number = row.number
        if row.outcome == Outcome.OPEN.value and over:
            yield number, "it is still open, though its session has ended"
        yield from ((number, text) for text in _own(row))


def _own(row: Row[Any]) -> Iterator[str]:
    if row.outcome not in _OUTCOMES or row.origin not in _ORIGINS:
        yield "its outcome or its origin is none that imaptap knows"
    if row.ended is not None and row.ended < row.started:
        yield "it ended before it began"
    if not (_is_json(row.responses, dict) and _is_json(row.marks, list)):
        yield "its responses or its marks are not as imaptap writes them"


def _is_json(text: str | None, kind: type) -> bool:
    try:
        return text is None or isinstance(json.loads(text), kind)
    except ValueError:
        return False


def count_flaws(connection: Connection, session: int, *, whole: bool) -> Iterator[FlawedExchange]:
    """Exchanges that are over and whose byte counts are not those of their spans.

    `whole`: the session came to its own end without a loss, so they are the same; else a span that was being
    collected may be missing, but none may be too much.
    """
    over = _exchange.session_id == session, _exchange.outcome != Outcome.OPEN.value
    for direction, column in zip(Direction, (_exchange.client_bytes, _exchange.server_bytes), strict=True):
        mine = _span.session_id == session, _span.exchange == _exchange.number, _span.direction == int(direction)
        told = select(func.coalesce(func.sum(_span.end - _span.start), 0)).where(*mine).scalar_subquery()
        wrong = told != column if whole else told > column
        query = select(_exchange.number, column.label("said"), told.label("told"))
        for row in connection.execute(query.where(*over, wrong).order_by(_exchange.number)):
            side = direction.name.lower()
            yield row.number, f"it has {row.said} bytes of the {side}, but its spans have {row.told}"


def span_flaws(
    connection: Connection, session: int, ends: dict[Direction, int], *, holed: bool
) -> Iterator[FlawedSpan]:
    """What is wrong with the spans of the session with this key, whose streams have the lengths `ends`."""
    last = dict.fromkeys(Direction, 0)
    there = select(_exchange.id).where(_exchange.session_id == session, _exchange.number == _span.exchange).exists()
    query = select(tables.span, there.label("there")).where(_span.session_id == session)
    rows = connection.execution_options(yield_per=_AT_ONCE).execute(query.order_by(_span.direction, _span.start))
    for row in rows:
        if row.direction not in {0, 1}:
            yield Direction.CLIENT, row.start, f"the span has direction {row.direction}"
            continue
        direction = Direction(row.direction)
        if not 0 <= row.start < row.end <= ends[direction]:
            yield direction, row.start, f"the span up to {row.end} is not inside the stream of {ends[direction]} bytes"
        if row.start < last[direction]:
            yield direction, row.start, f"the span overlaps the one before it by {last[direction] - row.start} bytes"
        last[direction] = max(last[direction], row.end)
        if row.exchange != NO_EXCHANGE and not row.there and not holed:
            yield direction, row.start, f"the span belongs to exchange {row.exchange}, which is not there"
        if row.units < 1 or row.last_at < row.first_at or row.certainty not in _CERTAINTIES:
            yield direction, row.start, "the span's units, times or certainty cannot be"
