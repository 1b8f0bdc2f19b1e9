"""Recorders that died: which recordings they left, and what can still be said about their open ends.

A recorder that is killed writes no endings. Whoever opens the store to record writes them afterwards (`recover`);
readers work out the same values without writing (`cut_session`, `cut_exchange`).
"""

from __future__ import annotations

import os
import socket
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import func, select, update

from proxy.imap.transcript import Direction, Ending, Outcome
from storage import rows, tables
from storage.chunks import unpack_chunks
from storage.clock import wall

if TYPE_CHECKING:
    from collections.abc import Container

    from sqlalchemy import Connection, Select

    from storage.values import Recording, Session, StoredExchange

SILENT_MICROSECONDS: Final = 30_000_000
"""A recorder that has given no sign of life for so long is taken for dead; it gives one every 5 seconds."""

_session, _exchange, _span, _piece = tables.session.c, tables.exchange.c, tables.span.c, tables.piece.c


def is_dead(host: str, pid: int, seen: int) -> bool:
    """Whether the recorder with process number `pid` on `host`, last seen at `seen`, is no more."""
    if wall() - seen > SILENT_MICROSECONDS:
        return True
    if host != socket.gethostname():
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except OSError:  # it is there, and belongs to somebody else
        return False
    return False


def recover(connection: Connection, *, only: int | None = None) -> None:
    """Write the endings that dead recorders did not write; with `only`, those of that recording, dead or not."""
    column = tables.recording.c
    for row in connection.execute(select(tables.recording).where(column.ended.is_(None))).all():
        if row.id != only and (only is not None or not is_dead(row.host, row.pid, row.seen)):
            continue
        recording = rows.to_recording(row, interrupted=True)
        for session_row in connection.execute(_unended(recording.id)).all():
            _end(connection, cut_session(connection, rows.to_session(session_row, recording)))
        ended = wall() if row.id == only else row.seen
        connection.execute(update(tables.recording).where(column.id == row.id).values(ended=ended, seen=ended))


def cut(connection: Connection, recording: Recording, numbers: Container[int], reason: str) -> int:
    """Write the endings of those of these sessions that are still open: whoever recorded them is no more. How many."""
    found = connection.execute(_unended(recording.id)).all()
    sessions = [rows.to_session(row, recording) for row in found if row.number in numbers]
    for session in sessions:
        _end(connection, replace(cut_session(connection, session), reason=reason))
    return len(sessions)


def _unended(recording: int) -> Select[Any]:
    return select(tables.session).where(_session.recording_id == recording, _session.ending.is_(None))


def _end(connection: Connection, session: Session) -> None:
    still_open = select(tables.exchange).where(
        _exchange.session_id == session.id, _exchange.outcome == Outcome.OPEN.value
    )
    found = [rows.to_exchange(row, session.number) for row in connection.execute(still_open)]
    for stored in [cut_exchange(connection, stored) for stored in found]:  # all are counted before any is closed
        cut = stored.exchange
        values = {"outcome": cut.outcome.value, "client_bytes": cut.client_bytes, "server_bytes": cut.server_bytes}
        connection.execute(update(tables.exchange).where(_exchange.id == stored.id).values(values))
    ending = {"ending": Ending.CUT.value, "reason": session.reason, "at_end": session.at_end}
    counts = {"client_bytes": session.client_bytes, "server_bytes": session.server_bytes}
    connection.execute(update(tables.session).where(_session.id == session.id).values({**ending, **counts}))


def cut_session(connection: Connection, session: Session) -> Session:
    """A session without an ending, with the ending it must have had: cut, at its last byte."""
    name = f"process {session.recording.pid} on {session.recording.host}"
    return replace(
        session,
        ending=Ending.CUT,
        reason=f"the recorder ({name}) stopped while the session was open",
        at_end=_last_moment(connection, session.id),
        client_bytes=stream_end(connection, session.id, Direction.CLIENT),
        server_bytes=stream_end(connection, session.id, Direction.SERVER),
    )


def stream_end(connection: Connection, session: int, direction: Direction) -> int:
    """The offset behind the last recorded byte of one direction."""
    mine = _piece.session_id == session, _piece.direction == int(direction)
    last = select(_piece.offset + _piece.length).where(*mine).order_by(_piece.offset.desc()).limit(1)
    return connection.execute(last).scalar() or 0


def _last_moment(connection: Connection, session: int) -> int:
    last = (
        select(func.max(_span.last_at)).where(_span.session_id == session),
        select(func.max(_exchange.ended)).where(_exchange.session_id == session),
    )
    moments = [connection.execute(query).scalar() or 0 for query in last]
    return max(*moments, *(_last_chunk(connection, session, direction) for direction in Direction))


def _last_chunk(connection: Connection, session: int, direction: Direction) -> int:
    mine = _piece.session_id == session, _piece.direction == int(direction)
    last = select(_piece.chunks, _piece.length, _piece.at).where(*mine).order_by(_piece.offset.desc()).limit(1)
    row = connection.execute(last).first()
    return unpack_chunks(row.chunks, row.length, row.at)[-1][1] if row else 0


def cut_exchange(connection: Connection, stored: StoredExchange) -> StoredExchange:
    """An open exchange as it stands for ever: incomplete, with the bytes that were recorded of it."""
    was = stored.exchange
    client, server = (_recorded(connection, stored, direction) for direction in Direction)
    client, server = max(was.client_bytes, client), max(was.server_bytes, server)
    cut = was._replace(outcome=Outcome.INCOMPLETE, client_bytes=client, server_bytes=server)
    return replace(stored, exchange=cut)


def _recorded(connection: Connection, stored: StoredExchange, direction: Direction) -> int:
    """Bytes of an open exchange in one direction: its spans, and what came behind all spans, if that is its own.

    A span is written when it ends, so the newest bytes have none. Those of the client are taken to belong to the
    newest open exchange, those of the server to the oldest.
    """
    session = stored.session_id
    side = _span.session_id == session, _span.direction == int(direction)
    mine = select(func.sum(_span.end - _span.start)).where(*side, _span.exchange == stored.exchange.number)
    total = int(connection.execute(mine).scalar() or 0)
    pick = func.max if direction is Direction.CLIENT else func.min
    still_open = _exchange.session_id == session, _exchange.outcome == Outcome.OPEN.value
    if connection.execute(select(pick(_exchange.number)).where(*still_open)).scalar() != stored.exchange.number:
        return total
    spanned = connection.execute(select(func.max(_span.end)).where(*side)).scalar() or 0
    return total + _behind(connection, stored, direction, spanned + _claimed(connection, stored, direction))


def _claimed(connection: Connection, stored: StoredExchange, direction: Direction) -> int:
    """Bytes that are known to be those of other open exchanges though their span is not written: they came first."""
    others = _exchange.session_id == stored.session_id, _exchange.outcome == Outcome.OPEN.value
    count = _exchange.client_bytes if direction is Direction.CLIENT else _exchange.server_bytes
    claims = {
        row.number: int(row.bytes)
        for row in connection.execute(select(_exchange.number, count.label("bytes")).where(*others))
        if row.number != stored.exchange.number and row.bytes
    }
    side = _span.session_id == stored.session_id, _span.direction == int(direction)
    told = select(_span.exchange, func.sum(_span.end - _span.start).label("bytes")).where(*side)
    spans = {row.exchange: int(row.bytes) for row in connection.execute(told.group_by(_span.exchange))}
    return sum(max(0, bytes_ - spans.get(number, 0)) for number, bytes_ in claims.items())


def _behind(connection: Connection, stored: StoredExchange, direction: Direction, spanned: int) -> int:
    """Bytes from offset `spanned` on that came since the exchange began: what came before cannot be an answer to it."""
    mine = _piece.session_id == stored.session_id, _piece.direction == int(direction)
    columns = select(_piece.offset, _piece.length, _piece.at, _piece.chunks)
    count = 0
    for row in connection.execute(columns.where(*mine, _piece.offset + _piece.length > spanned)):
        end = row.offset
        for length, at in unpack_chunks(row.chunks, row.length, row.at):
            end += length
            count += max(0, min(length, end - spanned)) if at >= stored.exchange.started else 0
    return count
