"""What a recorder writes, as it writes it: for `tail`, from another process too.

Exchanges get their ids in the order in which they begin, and become visible in that order, since the writers of a
recording take turns (`storage.sharing`). So what is new lies behind the highest id seen; those seen while still open
are asked for again until they end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import func, select

from proxy.imap.transcript import Outcome
from storage import read, tables

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import ColumnElement, Connection, Row, Select

    from storage.store import Store
    from storage.values import Recording, Session, StoredExchange

_AT_ONCE: Final = 500

_session, _exchange = tables.session.c, tables.exchange.c


class Follower:
    """Made by `Store.follow`. `recording` is how the recording stood at the last `poll`."""

    def __init__(self, store: Store, recording: Recording, *, from_start: bool) -> None:
        self.recording = recording
        self._store = store
        self._sessions: dict[int, Session] = {}
        self._open: set[int] = set()
        self._last = 0
        if not from_start:
            with store.reading() as connection:
                self._last = connection.execute(select(func.max(_exchange.id))).scalar() or 0
                self._open = set(connection.execute(self._mine(_exchange.outcome == Outcome.OPEN.value)).scalars())

    def poll(self) -> list[tuple[Session, StoredExchange]]:
        """The exchanges that have ended since the last time, as they began. Empty with `recording.live` false: all."""
        with self._store.reading() as connection:
            self.recording = read.find_recording(connection, str(self.recording.id))
            rows = sorted([*self._ended(connection), *self._new(connection)], key=lambda row: row.id)
            return [self._value(connection, row) for row in rows]

    def _mine(self, which: ColumnElement[bool]) -> Select[int]:
        joined = select(_exchange.id).select_from(tables.exchange.join(tables.session))
        return joined.where(_session.recording_id == self.recording.id, which)

    def _ended(self, connection: Connection) -> Iterator[Row[Any]]:
        waiting = sorted(self._open)
        for first in range(0, len(waiting), _AT_ONCE):
            query = select(tables.exchange).where(_exchange.id.in_(waiting[first : first + _AT_ONCE]))
            for row in connection.execute(query).all():
                if self._is_over(row):
                    self._open.discard(row.id)
                    yield row

    def _new(self, connection: Connection) -> Iterator[Row[Any]]:
        while True:
            query = select(tables.exchange).where(_exchange.id.in_(self._mine(_exchange.id > self._last)))
            found = connection.execute(query.order_by(_exchange.id).limit(_AT_ONCE)).all()
            for row in found:
                self._last = row.id
                if self._is_over(row):
                    yield row
                else:
                    self._open.add(row.id)
            if len(found) < _AT_ONCE:
                return

    def _is_over(self, row: Row[Any]) -> bool:
        return row.outcome != Outcome.OPEN.value or not self.recording.live

    def _value(self, connection: Connection, row: Row[Any]) -> tuple[Session, StoredExchange]:
        session = self._sessions.get(row.session_id)
        if session is None or session.recording != self.recording:
            mine = select(tables.session).where(_session.id == row.session_id)
            session = read.session_value(connection, connection.execute(mine).one(), self.recording)
            self._sessions[row.session_id] = session
        return session, read.exchange_value(connection, row, session)
