"""Rows from values and values from rows. Tuples follow the order of the table's columns (without a numbered `id`).

Enums are looked up in tables of plain strings: the drivers are many times slower with subclasses of str and int.
"""

from __future__ import annotations

import functools
import json
from typing import TYPE_CHECKING, Any, Final, ParamSpec, TypeVar

from proxy.imap.transcript import (
    Certainty,
    Direction,
    Ending,
    Event,
    EventKind,
    Exchange,
    Layer,
    LiteralPart,
    Origin,
    Outcome,
    Piece,
    SessionClosed,
    SessionOpened,
    Span,
)
from storage import tables
from storage.chunks import pack_chunks, unpack_chunks
from storage.errors import StorageError
from storage.values import Note, Recording, Session, StoredExchange, StoredPiece

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Row

    from storage.bodies import Segment
    from storage.left_out import LeftOut

Values = tuple[Any, ...]
P = ParamSpec("P")
V = TypeVar("V")

NO_EXCHANGE: Final = 0
"""`span.exchange` of spans that belong to no exchange: it is part of the key, so it cannot be null."""

_ORIGIN: Final = {origin: str(origin.value) for origin in Origin}
_OUTCOME: Final = {outcome: str(outcome.value) for outcome in Outcome}
_CERTAINTY: Final = {certainty: str(certainty.value) for certainty in Certainty}
_KIND: Final = {kind: str(kind.value) for kind in EventKind}
_ENDING: Final = {ending: str(ending.value) for ending in Ending}

_EXCHANGE_COLUMNS: Final = len(tables.exchange.columns)

# Back again, without asking the class each time: it is as slow as the rest of a row.
_to_origin = functools.cache(Origin)
_to_outcome = functools.cache(Outcome)
_to_certainty = functools.cache(Certainty)
_to_direction = functools.cache(Direction)
_to_layer = functools.cache(Layer)


def opened_row(opened: SessionOpened, recording: int) -> Values:
    """For `session`: recording_id, number, wall, client, listen, upstream."""
    return (recording, opened.session, opened.wall, opened.client, opened.listen, opened.upstream)


def closed_row(closed: SessionClosed, session: int) -> Values:
    """For an update of `session`: at_end, ending, reason, client_bytes, server_bytes, id."""
    return (closed.at, _ENDING[closed.ending], closed.reason, closed.client_bytes, closed.server_bytes, session)


def exchange_row(exchange: Exchange, session: int) -> Values:
    """For `exchange`."""
    return (
        session,
        exchange.number,
        exchange.tag,
        exchange.command,
        exchange.arguments,
        exchange.mailbox,
        _ORIGIN[exchange.origin],
        _OUTCOME[exchange.outcome],
        exchange.status,
        exchange.code,
        exchange.text,
        exchange.started,
        exchange.ended,
        exchange.client_bytes,
        exchange.server_bytes,
        _counts(exchange.responses) if exchange.responses else None,
        json.dumps(exchange.marks) if exchange.marks else None,
    )


@functools.lru_cache(maxsize=1024)  # mostly the same few: making JSON costs more than all other columns together
def _counts(responses: tuple[tuple[str, int], ...]) -> str:
    return json.dumps(dict(responses))


def span_row(span: Span, session: int) -> Values:
    """For `span`."""
    return (
        session,
        span.exchange or NO_EXCHANGE,
        1 if span.direction else 0,
        span.start,
        span.end,
        span.first_at,
        span.last_at,
        span.units,
        _CERTAINTY[span.certainty],
        json.dumps(span.open) if span.open else None,
    )


def piece_row(piece: Piece, session: int) -> Values:
    """For `piece` without `left_out`, with the bytes in the row itself."""
    start, length = (piece.literal.start, piece.literal.length) if piece.literal else (None, None)
    chunks = pack_chunks(piece.chunks, piece.at) if piece.chunks else None
    layer = piece.layer._value_
    side = 1 if piece.direction else 0
    return (session, side, piece.offset, len(piece.data), piece.at, layer, chunks, start, length, None, piece.data)


def segment_row(segment: Segment, session: int, body: int) -> Values:
    """For `piece` without `left_out`, with the bytes in a body."""
    chunks = pack_chunks(segment.chunks, segment.at)
    literal = (segment.literal.start, segment.literal.length)
    place = (session, int(segment.direction), segment.start, segment.length, segment.at, int(segment.layer))
    return (*place, chunks, *literal, body, None)


def left_out_row(left_out: LeftOut, session: int) -> Values:
    """For `piece`, without the bytes."""
    chunks = pack_chunks(left_out.chunks, left_out.at)
    literal = (left_out.literal.start, left_out.literal.length)
    place = (session, int(left_out.direction), left_out.start, left_out.length, left_out.at, int(left_out.layer))
    return (*place, chunks, *literal, None, None, left_out.sha256)


def event_row(event: Event, number: int, recording: int, session: int | None) -> Values:
    """For `event`."""
    side = None if event.direction is None else int(event.direction)
    words = (_KIND[event.kind], event.name, event.text)
    place = (side, event.offset, event.length)
    return (recording, number, session, event.at, *words, *place, event.received, event.sent)


def _sound(make: Callable[P, V]) -> Callable[P, V]:
    """The same; a row that nobody can have written is said to be damaged (SQLite keeps anything in any column)."""

    @functools.wraps(make)
    def made(*args: P.args, **kwargs: P.kwargs) -> V:
        try:
            return make(*args, **kwargs)
        except (ValueError, TypeError, AttributeError, OverflowError) as error:
            kind = make.__name__.removeprefix("to_")
            raise StorageError(
                f"The database is damaged: its table {kind} has a row that makes no sense ({error}).",
                "`imaptap check` looks for more. Recover what can be read: sqlite3 FILE .recover | sqlite3 NEW.",
            ) from error

    return made


@_sound
def to_recording(row: Row[Any], *, interrupted: bool) -> Recording:
    """From all columns of `recording`."""
    when = (row.started, row.ended, row.seen)
    return Recording(row.id, row.name, *when, row.host, row.pid, row.version, row.settings, interrupted)


@_sound
def to_session(row: Row[Any], recording: Recording) -> Session:
    """From all columns of `session`."""
    ending = None if row.ending is None else Ending(row.ending)
    who = (row.client, row.listen, row.upstream)
    end = (ending, row.reason, row.client_bytes, row.server_bytes)
    return Session(row.id, recording, row.number, row.wall, row.at_end, *who, *end)


@_sound
def to_exchange(row: Row[Any], session: int) -> StoredExchange:
    """From all columns of `exchange`, and perhaps others behind them; `session` is the session's number."""
    # All at once: to ask a row for each column takes as long as all else.
    columns: tuple[Any, ...] = tuple(row)[:_EXCHANGE_COLUMNS]
    key, session_id, number, tag, command, arguments, mailbox, origin, outcome, *rest = columns
    *others, packed, marks = rest
    responses = _responses(packed) if packed else ()
    words = tuple(json.loads(marks)) if marks else ()
    status, code, text, started, ended, client_bytes, server_bytes = others
    exchange = Exchange(
        session, number, tag, command, arguments, mailbox, _to_origin(origin), _to_outcome(outcome), status, code, text,
        started, ended, client_bytes, server_bytes, responses, words,
    )  # fmt: skip
    return StoredExchange(key, session_id, exchange)


@functools.lru_cache(1024)
def _responses(packed: str) -> tuple[tuple[str, int], ...]:
    """Counts by kind; most exchanges have the same few."""
    return tuple(json.loads(packed).items())


@_sound
def to_span(row: Row[Any], session: int) -> Span:
    """From all columns of `span`; `session` is the session's number."""
    columns: tuple[Any, ...] = tuple(row)
    _, exchange, direction, start, end, first_at, last_at, units, certainty, others = columns
    open_now = tuple(json.loads(others)) if others else ()
    place = (_to_direction(direction), start, end, first_at, last_at, units, _to_certainty(certainty))
    return Span(session, exchange or None, *place, open_now)


@_sound
def to_event(row: Row[Any], session: int | None) -> Event:
    """From all columns of `event`; `session` is the session's number."""
    direction = None if row.direction is None else Direction(row.direction)
    place = (direction, row.offset, row.length)
    return Event(session, row.at, EventKind(row.kind), row.name, row.text, *place, row.received, row.sent)


@_sound
def to_piece(row: Row[Any]) -> StoredPiece:
    """From all columns of `piece` and `blake3` of the body."""
    literal = None if row.literal_start is None else LiteralPart(row.literal_start, row.literal_length)
    chunks = unpack_chunks(row.chunks, row.length, row.at)
    blake3, left_out = (None if digest is None else bytes(digest).hex() for digest in (row.blake3, row.left_out))
    data = None if row.data is None else bytes(row.data)
    return StoredPiece(row.offset, row.length, row.at, _to_layer(row.layer), chunks, literal, blake3, data, left_out)


@_sound
def to_note(row: Row[Any]) -> Note:
    """From all columns of `note`."""
    return Note(row.id, row.recording_id, row.session_id, row.exchange_id, row.written, row.text)
