"""One batch into the database, in one transaction: all of it or nothing, and twice is as good as once.

There is no memory of bodies already stored: another program may remove one at any time. Each batch asks once for all
its hashes, inside its transaction.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import case, delete, func, select, update

from proxy.imap.transcript import Direction, Outcome, SessionOpened
from storage import rows, tables
from storage.clock import wall
from storage.engine import WRITING
from storage.extents import SHORT, Packing
from storage.renewing import renew
from storage.statements import WriteStatements, some

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from contextlib import AbstractContextManager

    from sqlalchemy import ColumnElement, Connection, Engine

    from storage.batch import Batch
    from storage.bodies import Segment
    from storage.extents import Packed

_piece, _extent = tables.piece.c, tables.extent.c
_exchange, _span = tables.exchange.c, tables.span.c

Parts = tuple[bytes | memoryview, ...]
"""The bytes of one body, in order."""


class Last(NamedTuple):
    """The extent that was written last, and how long it is."""

    id: int
    length: int


class Ledger:
    """Writes the batches of one recording, each within a `turn()`. Not for two threads at once."""

    def __init__(self, engine: Engine, recording: int, turn: Callable[[], AbstractContextManager[object]]) -> None:
        self._engine = engine
        self._recording = recording
        self._turn = turn
        self._statements = WriteStatements(engine.dialect)
        self._ids: dict[int, int] = {}
        self._last: Last | None = None
        self._written_last: Last | None = None
        """What will be `_last`, should all be written."""

    def write(self, batch: Batch) -> None:
        """Raises what SQLAlchemy raises; nothing of the batch is written then, and it can be written again."""
        with self._turn(), self._engine.connect().execution_options(**WRITING) as connection:
            with connection.begin():
                ids = self._sessions(connection, batch)
                self._rows(connection, batch, ids)
                self._segments(connection, batch.segments, ids)
                self._endings(connection, batch, ids)
                if batch.seen is not None:
                    self._still_here(connection, batch.seen)
            for closed in batch.closed:
                ids.pop(closed.session, None)
            self._ids = ids
            self._last = self._written_last
            renew(connection)

    def _sessions(self, connection: Connection, batch: Batch) -> dict[int, int]:
        """The key of every session that the batch is about, by its number."""
        unknown = batch.sessions() - self._ids.keys()
        if not unknown:
            return self._ids
        new = [rows.opened_row(opened, self._recording) for opened in batch.opened]
        self._statements.session.run(connection, new)
        ids = self._ids | self._find(connection, unknown)
        if strays := unknown - ids.keys():  # nobody said that they opened: better an odd row than a lost word
            odd = (SessionOpened(number, wall(), "unknown", "unknown", "unknown") for number in sorted(strays))
            self._statements.session.run(connection, [rows.opened_row(opened, self._recording) for opened in odd])
            ids |= self._find(connection, strays)
        return ids

    def _find(self, connection: Connection, numbers: Iterable[int]) -> dict[int, int]:
        columns = tables.session.c
        found: dict[int, int] = {}
        for few in some(list(numbers)):
            mine = columns.recording_id == self._recording, columns.number.in_(few)
            query = select(columns.number, columns.id).where(*mine)
            found.update((row.number, row.id) for row in connection.execute(query))
        return found

    def _rows(self, connection: Connection, batch: Batch, ids: dict[int, int]) -> None:
        run, make = self._statements, rows
        run.exchange.run(connection, [make.exchange_row(e, ids[e.session]) for e in batch.exchanges.values()])
        run.span.run(connection, [make.span_row(span, ids[span.session]) for span in batch.spans])
        run.piece.run(connection, [make.piece_row(piece, ids[piece.session]) for piece in batch.pieces])
        run.left_out.run(connection, [make.left_out_row(each, ids[each.session]) for each in batch.left_out])
        events = (
            make.event_row(event, number, self._recording, None if event.session is None else ids[event.session])
            for number, event in batch.events
        )
        run.event.run(connection, list(events))

    def _segments(self, connection: Connection, segments: list[Segment], ids: dict[int, int]) -> None:
        """Bodies for whole segments, and pieces that point to them instead of what was flushed before."""
        if not segments:
            return
        bodies = self._statements.known(connection, {segment.blake3 for segment in segments})
        new: dict[bytes, tuple[int, Parts]] = {}
        for segment in segments:
            if segment.blake3 not in bodies and segment.blake3 not in new:
                parts = self._whole(connection, segment, ids[segment.session])
                if parts is not None:
                    new[segment.blake3] = segment.length, parts
        if new:
            bodies |= self._bodies(connection, new)
        pieces: list[rows.Values] = []
        for segment in segments:
            body, session = bodies.get(segment.blake3), ids[segment.session]
            if body is not None:
                pieces.append(rows.segment_row(segment, session, body))
                if segment.flushed:
                    self._forget_flushed(connection, segment, session)
        self._statements.piece.run(connection, pieces)

    def _bodies(self, connection: Connection, new: dict[bytes, tuple[int, Parts]]) -> dict[bytes, int]:
        """Bodies that were not there before, in extents. Returns their keys by their hashes."""
        last = self._last_extent(connection)
        packing = Packing(last.length if last else 0)
        places = [(blake3, length, *packing.add(parts, length)) for blake3, (length, parts) in new.items()]
        packed = packing.packed()
        extents = self._write_extents(connection, packed, last)
        self._written_last = Last(extents[-1], packed[-1].length)
        # All recorders in one order: two that insert the same ones crosswise would wait for each other (PostgreSQL).
        places.sort()
        made = [(blake3, length, extents[number], offset) for blake3, length, number, offset in places]
        return self._statements.add_bodies(connection, made)

    def _last_extent(self, connection: Connection) -> Last | None:
        """The extent that was written last, if it is short, and still as we left it."""
        last = self._last
        # In PostgreSQL, where short rows leave no room unused, it would be a whole row more each time.
        if last is None or last.length >= SHORT or connection.dialect.name != "sqlite":
            return None
        length = select(func.length(_extent.data)).where(_extent.id == last.id)
        return last if connection.execute(length).scalar() == last.length else None

    def _write_extents(self, connection: Connection, packed: list[Packed], last: Last | None) -> list[int]:
        """Write them, the first one behind what `last` has. Returns their keys."""
        if last is None:
            return [self._statements.add_extent(connection, each) for each in packed]
        # Not `data || ...`: SQLite makes text of that, which ends at the first NUL.
        this = _extent.id == last.id
        before: bytes = connection.execute(select(_extent.data).where(this)).scalar_one()
        connection.execute(update(tables.extent).where(this).values(data=b"".join((before, *packed[0].parts))))
        return [last.id, *(self._statements.add_extent(connection, each) for each in packed[1:])]

    def _whole(self, connection: Connection, segment: Segment, session: int) -> Parts | None:
        """All bytes of a segment; None where rows written before have been lost since."""
        if not segment.flushed:
            return segment.parts
        flushed = select(_piece.data).where(*self._flushed(segment, session)).order_by(_piece.offset)
        parts = (*connection.execute(flushed).scalars(), *segment.parts)
        return parts if sum(map(len, parts)) == segment.length else None

    def _forget_flushed(self, connection: Connection, segment: Segment, session: int) -> None:
        connection.execute(delete(tables.piece).where(*self._flushed(segment, session)))

    def _flushed(self, segment: Segment, session: int) -> Iterator[ColumnElement[bool]]:
        yield _piece.session_id == session
        yield _piece.direction == int(segment.direction)
        yield _piece.offset >= segment.start
        yield _piece.offset < segment.start + segment.flushed

    def _endings(self, connection: Connection, batch: Batch, ids: dict[int, int]) -> None:
        """Sessions' ends. What is still open in them lost its end in a gap; it has as many bytes as its spans."""
        if not batch.closed:
            return
        self._statements.closed.run(connection, [rows.closed_row(c, ids[c.session]) for c in batch.closed])
        for few in some([ids[closed.session] for closed in batch.closed]):
            still_open = _exchange.session_id.in_(few), _exchange.outcome == Outcome.OPEN.value
            values = {"outcome": Outcome.INCOMPLETE.value, **_counted()}
            connection.execute(update(tables.exchange).where(*still_open).values(values))

    def _still_here(self, connection: Connection, seen: int) -> None:
        # `ended` too: another recorder may have taken us for dead while this machine slept.
        mine = tables.recording.c.id == self._recording
        connection.execute(update(tables.recording).where(mine).values(seen=seen, ended=None))


def _counted() -> dict[str, ColumnElement[int]]:
    """The byte counts of an exchange, or those of its spans where they are more."""
    counts: dict[str, ColumnElement[int]] = {}
    for direction, column in zip(Direction, (_exchange.client_bytes, _exchange.server_bytes), strict=True):
        mine = _span.session_id == _exchange.session_id, _span.exchange == _exchange.number
        whole = select(func.coalesce(func.sum(_span.end - _span.start), 0)).where(*mine, _span.direction == direction)
        told = whole.scalar_subquery()
        counts[column.name] = case((told > column, told), else_=column)
    return counts
