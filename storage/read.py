"""Queries: rows in, values out, a page at a time where there may be many."""

from __future__ import annotations

import functools
import sqlite3
from typing import TYPE_CHECKING, Any, Final, cast

from sqlalchemy import bindparam, func, select, tuple_

from proxy.imap.transcript import Direction, Event, EventKind, Outcome, Span
from storage import rows, tables
from storage.errors import StorageError
from storage.recover import cut_exchange, cut_session, is_dead, stream_end
from storage.values import RecordingTotals

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import ColumnElement, Connection, Row, Select

    from storage.store import Store
    from storage.values import Recording, Session, StoredExchange, StoredPiece

PAGE: Final = 500
_LARGEST: Final = 2**63 - 1
_PIECES_PAGE: Final = 64  # a piece may hold some hundred kilobytes

_recording, _session, _exchange = tables.recording.c, tables.session.c, tables.exchange.c
_span, _piece, _event = tables.span.c, tables.piece.c, tables.event.c


def recording_value(row: Row[Any]) -> Recording:
    """A recording, with whether its recorder has died."""
    return rows.to_recording(row, interrupted=row.ended is None and is_dead(row.host, row.pid, row.seen))


def find_recording(connection: Connection, address: str) -> Recording:
    """The recording that `address` means: "last", a name, or an id. Raises StorageError."""
    if address == "last":
        row = connection.execute(select(tables.recording).order_by(_recording.id.desc()).limit(1)).first()
        if row is None:
            raise StorageError("There are no recordings yet.", "Make one with `imaptap record`.")
        return recording_value(row)
    numbered = address.isdecimal()
    which = _recording.id == min(int(address), _LARGEST) if numbered else _recording.name == address
    row = connection.execute(select(tables.recording).where(which)).first()
    if row is None:
        kind = "number" if numbered else "name"
        raise StorageError(f"There is no recording with the {kind} {address!r}.", "`imaptap ls` lists those there are.")
    return recording_value(row)


def session_value(connection: Connection, row: Row[Any], recording: Recording) -> Session:
    """A session; with the ending it must have had, if its recorder has died."""
    session = rows.to_session(row, recording)
    return cut_session(connection, session) if recording.interrupted and session.ending is None else session


def exchange_value(connection: Connection, row: Row[Any], session: Session) -> StoredExchange:
    """An exchange; incomplete, if its recorder has died."""
    stored = rows.to_exchange(row, session.number)
    is_open = stored.exchange.outcome is Outcome.OPEN
    return cut_exchange(connection, stored) if is_open and session.recording.interrupted else stored


def recordings(connection: Connection) -> list[Recording]:
    """All recordings, oldest first."""
    return [recording_value(row) for row in connection.execute(select(tables.recording).order_by(_recording.id))]


def totals(connection: Connection, recording: Recording) -> RecordingTotals:
    """Counts and bytes of a recording."""
    sums = select(func.count(), func.sum(_session.client_bytes), func.sum(_session.server_bytes))
    sessions, client, server = connection.execute(sums.where(_session.recording_id == recording.id)).one()
    for open_session in connection.execute(
        select(_session.id).where(_session.recording_id == recording.id, _session.ending.is_(None))
    ).scalars():
        client = (client or 0) + stream_end(connection, open_session, Direction.CLIENT)
        server = (server or 0) + stream_end(connection, open_session, Direction.SERVER)
    counted = select(func.count()).select_from(tables.exchange.join(tables.session))
    exchanges = connection.execute(counted.where(_session.recording_id == recording.id)).scalar_one()
    return RecordingTotals(sessions, exchanges, int(client or 0), int(server or 0))


def sessions(store: Store, recording: Recording) -> Iterator[Session]:
    """The sessions of a recording by number."""
    last = 0
    while True:
        mine = _session.recording_id == recording.id, _session.number > last
        query = select(tables.session).where(*mine).order_by(_session.number).limit(PAGE)
        with store.reading() as connection:
            page = [session_value(connection, row, recording) for row in connection.execute(query).all()]
        yield from page
        if len(page) < PAGE:
            return
        last = page[-1].number


def exchanges(store: Store, session: Session, after: int) -> Iterator[StoredExchange]:
    """The exchanges of a session with numbers above `after`."""
    while True:
        with store.reading() as connection:
            found = connection.execute(_EXCHANGES, {"session": session.id, "after": after}).all()
            page = [exchange_value(connection, row, session) for row in found]
        yield from page
        if len(page) < PAGE:
            return
        after = page[-1].exchange.number


def spans(store: Store, session: Session, exchange: int | None) -> Iterator[Span]:
    """The spans of a session, or those of one exchange of it, by exchange, direction and offset."""
    query = _SPANS if exchange is None else _SPANS_OF_ONE
    place = {"session": session.id, "only": exchange, "exchange": -1, "direction": 0, "start": 0}
    while True:
        with store.reading() as connection:
            found = connection.execute(query, place).all()
        yield from (rows.to_span(row, session.number) for row in found)
        if len(found) < PAGE:
            return
        last = found[-1]
        place |= {"exchange": last.exchange, "direction": last.direction, "start": last.start}


def stream_spans(store: Store, session: Session, direction: Direction) -> Iterator[Span]:
    """The spans of one direction in the order of its stream; the connection sees one moment."""
    mine = _span.session_id == session.id, _span.direction == int(direction)
    query = select(tables.span).where(*mine).order_by(_span.start)
    with store.snapshot() as connection:
        for row in connection.execution_options(yield_per=PAGE).execute(query):
            yield rows.to_span(row, session.number)


def events(store: Store, session: Session, kinds: tuple[EventKind, ...]) -> Iterator[Event]:
    """The events of a session, of some kinds (default: all), in the order in which they were recorded."""
    return _events(store, _events_of_session(kinds), session.id, session.number)


def recording_events(store: Store, recording: Recording, kinds: tuple[EventKind, ...]) -> Iterator[Event]:
    """The same, of a recording, about no session in particular."""
    return _events(store, _events_of_recording(kinds), recording.id, None)


def _events(store: Store, query: Select[Any], owner: int, session: int | None) -> Iterator[Event]:
    last = 0
    while True:
        with store.reading() as connection:
            found = connection.execute(query, {"owner": owner, "last": last}).all()
        yield from (rows.to_event(row, session) for row in found)
        if len(found) < PAGE:
            return
        last = found[-1].number


def pieces(store: Store, session: int, direction: Direction, start: int, end: int | None) -> Iterator[StoredPiece]:
    """The pieces of one direction that hold any byte from `start` up to `end`.

    A page is looked up by where the last one ended, so it does not matter when a recorder replaces several small
    pieces by a large one meanwhile: what has been given already is not given again, at worst a piece begins earlier.
    """
    position = start
    while end is None or position < end:
        place: dict[str, int | None] = {"session": session, "direction": int(direction), "position": position}
        query = _PIECES if end is None else _PIECES_BEFORE
        with store.reading() as connection:
            page = [rows.to_piece(row) for row in connection.execute(query, place | {"end": end}).all()]
        fresh = [piece for piece in page if piece.end > position]
        yield from fresh
        if len(page) < _PIECES_PAGE or not fresh:
            return
        position = fresh[-1].end


def _pieces_from() -> Select[Any]:
    """From the piece on that holds the byte at :position."""
    mine = _piece.session_id == bindparam("session"), _piece.direction == bindparam("direction")
    holding = select(func.max(_piece.offset)).where(*mine, _piece.offset <= bindparam("position")).scalar_subquery()
    columns = [*tables.piece.columns, tables.body.c.blake3]
    query = select(*columns).select_from(tables.piece.outerjoin(tables.body)).where(*mine)
    return query.where(_piece.offset >= func.coalesce(holding, 0)).order_by(_piece.offset).limit(_PIECES_PAGE)


# Made once: to put a statement together takes longer than to answer it where sessions are small.
_EXCHANGES: Final = (
    select(tables.exchange)
    .where(_exchange.session_id == bindparam("session"), _exchange.number > bindparam("after"))
    .order_by(_exchange.number)
    .limit(PAGE)
)
_PIECES: Final = _pieces_from()
_PIECES_BEFORE: Final = _PIECES.where(_piece.offset < bindparam("end"))
_SPAN_ORDER: Final = (_span.exchange, _span.direction, _span.start)
_SPANS: Final = (
    select(tables.span)
    .where(_span.session_id == bindparam("session"))
    .where(tuple_(*_SPAN_ORDER) > tuple_(*(bindparam(each.name, type_=each.type) for each in _SPAN_ORDER)))
    .order_by(*_SPAN_ORDER)
    .limit(PAGE)
)
_SPANS_OF_ONE: Final = _SPANS.where(_span.exchange == bindparam("only"))


@functools.cache
def _events_of_session(kinds: tuple[EventKind, ...]) -> Select[Any]:
    return _events_where(_event.session_id == bindparam("owner"), kinds)


@functools.cache
def _events_of_recording(kinds: tuple[EventKind, ...]) -> Select[Any]:
    mine = (_event.recording_id == bindparam("owner")) & _event.session_id.is_(None)
    return _events_where(mine, kinds)


def _events_where(mine: ColumnElement[bool], kinds: tuple[EventKind, ...]) -> Select[Any]:
    query = select(tables.event).where(mine, _event.number > bindparam("last")).order_by(_event.number).limit(PAGE)
    if not kinds:
        return query
    names = [kind.value for kind in kinds]
    return query.where(_event.kind == names[0] if len(names) == 1 else _event.kind.in_(names))


def body(connection: Connection, blake3: str) -> bytes:
    """A body's bytes by its BLAKE3 in hex. Raises StorageError where there is none."""
    query = select(tables.body).where(tables.body.c.blake3 == bytes.fromhex(blake3))
    row = connection.execute(query).first()
    if row is None:
        raise StorageError(f"There is no body with BLAKE3 {blake3}.", "Its recording may have been removed meanwhile.")
    return body_bytes(connection, row)


def body_bytes(connection: Connection, row: Row[Any]) -> bytes:
    """The bytes of the body of which `row` has all columns. Raises StorageError where they are not there."""
    part = _slice if connection.dialect.name == "sqlite" else _substr
    data = part(connection, row.extent_id, row.offset, row.length)
    if len(data) == row.length:
        return data
    blake3 = bytes(row.blake3).hex()
    raise StorageError(f"The bytes of the body with BLAKE3 {blake3} are not there.", "`imaptap check` looks for more.")


def _slice(connection: Connection, extent: int, offset: int, length: int) -> bytes:
    """SQLite's substr() would read the whole extent each time."""
    driver = cast("sqlite3.Connection", connection.connection.driver_connection)
    try:
        with driver.blobopen("extent", "data", extent, readonly=True) as blob:
            blob.seek(offset)
            return blob.read(length)
    except (sqlite3.DatabaseError, ValueError, TypeError) as error:
        raise StorageError(f"Extent {extent} cannot be read: {error}.", "`imaptap check` looks for more.") from error


def _substr(connection: Connection, extent: int, offset: int, length: int) -> bytes:
    columns = tables.extent.c
    query = select(func.substr(columns.data, offset + 1, length)).where(columns.id == extent)
    return bytes(connection.execute(query).scalar() or b"")
