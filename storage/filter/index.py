"""The index for filters: made by whoever filters, up to where a recording has come, so that recording costs nothing.

It goes recording by recording, in the order of `exchange.id`, in batches: what is there is read and worked out first,
and then written in a short transaction, which a recorder beside it hardly notices. Exchanges that may still change
(open ones, and the last of an open session) are put aside as pending and looked at again the next time.

Whoever removes a recording clears the whole index (`clearing`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import func, select, update

from proxy.imap.transcript import Outcome
from storage import rows, tables
from storage.filter.clearing import clear
from storage.filter.describe import VERSION, describe
from storage.filter.entries import Batch, Entries, insert_new, pending, some_of
from storage.filter.gather import READ_MOST, gather, these

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from sqlalchemy import Connection, Select

    from storage.store import Store
    from storage.values import Recording, StoredExchange

    Progress = Callable[[int, int], None]

_ROWS: Final = 1000
_BYTES: Final = 16 * 1024 * 1024
_PATIENCE: Final = 100
"""So many hundredths of a second a recorder that is writing is waited for; then the index stays as it is this time."""

_exchange, _session, _state = tables.exchange.c, tables.session.c, tables.filter_state.c


@dataclass(frozen=True, slots=True)
class State:
    """How far the index of a recording goes: from which exchange to which. `upto` 0: there is none."""

    first: int
    upto: int
    complete: bool


def states(connection: Connection) -> dict[int, State]:
    """How far the index goes, by recording; what another version made counts for nothing."""
    found = connection.execute(select(tables.filter_state).where(_state.version == VERSION))
    return {row.recording_id: State(row.first, row.upto, bool(row.complete)) for row in found}


def seen(connection: Connection) -> tuple[dict[int, State], set[int]]:
    """What tells the index from one of another moment: how far it goes, and what is missing from it before that."""
    return states(connection), set(connection.execute(select(tables.filter_pending.c.exchange_id)).scalars())


def refresh(store: Store, wanted: Iterable[Recording], progress: Progress | None = None) -> None:
    """Bring the index of these recordings up to date. `progress(done, all)` is told of exchanges, now and then."""
    with store.reading() as connection:
        known = states(connection)
        outdated = connection.execute(select(_state.recording_id).where(_state.version != VERSION).limit(1)).first()
    if outdated:
        with store.writing() as connection:
            clear(connection)
        known = {}
    for recording in wanted:
        state = known.get(recording.id)
        if state is None or not state.complete or recording.ended is None:
            _Indexer(store, recording, state, progress).run()


def all_written(connection: Connection) -> bool:
    """Whether all exchanges can be seen whose ids are smaller than any that was seen before this was asked.

    In PostgreSQL several recorders write at once: one that got a smaller id may be committed later, and would never be
    looked at. So whoever is writing now is waited for, but not for long; others may begin meanwhile.
    """
    if connection.dialect.name != "postgresql":
        return True
    writers = _writers(connection)
    for _ in range(_PATIENCE):
        if not writers:
            return True
        connection.exec_driver_sql("SELECT pg_sleep(0.01)")
        writers &= _writers(connection)
    return not writers


def _writers(connection: Connection) -> set[str]:
    """Transactions that have written exchanges, or are about to. They hold this lock when they get an id."""
    query = (
        "SELECT virtualtransaction FROM pg_locks WHERE mode = 'RowExclusiveLock' AND relation = 'exchange'::regclass"
        " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    )
    return set(connection.exec_driver_sql(query).scalars())


class _Indexer:
    def __init__(self, store: Store, recording: Recording, state: State | None, progress: Progress | None) -> None:
        self._store, self._recording, self._progress = store, recording, progress
        self._upto = state.upto if state else 0
        self._waiting: list[int] = []
        self._done = 0
        with store.reading() as connection:
            self._first, self._last, self._count = self._bounds(connection)
            self._waiting = pending(connection, recording.id)
            self._all_there = all_written(connection)

    def run(self) -> None:
        more = self._all_there
        while more:
            with self._store.reading() as connection:
                batch = self._read(connection)
            more = batch.more
            if (batch.settled or more or not self._upto) and not self._written(batch):
                return  # somebody else is at it, or has removed the recording
            self._upto, self._waiting = batch.upto, []
            self._done += len(batch.settled)
            if self._progress and self._count:
                self._progress(self._done, self._count)

    def _written(self, batch: Batch) -> bool:
        with self._store.writing() as connection:
            if not self._still_ours(connection):
                return False
            Entries(connection, self._recording).write(batch)
            over = not batch.more and self._recording.ended is not None
            complete = over and not pending(connection, self._recording.id)
            values = {"version": VERSION, "upto": batch.upto, "complete": int(complete)}
            if not self._upto:
                values["first"] = self._first
            connection.execute(update(tables.filter_state).where(self._mine()).values(values))
        return True

    def _mine(self) -> Any:
        return _state.recording_id == self._recording.id

    def _still_ours(self, connection: Connection) -> bool:
        if not self._upto:
            there = select(tables.recording.c.id).where(tables.recording.c.id == self._recording.id)
            if connection.execute(there).first() is None:
                return False
            values = {"recording_id": self._recording.id, "version": VERSION, "upto": 0, "complete": 0}
            insert_new(connection, tables.filter_state, [values])
        query = select(_state.upto).where(self._mine(), _state.version == VERSION).with_for_update()
        return connection.execute(query).scalar() == self._upto

    def _bounds(self, connection: Connection) -> tuple[int, int, int]:
        """From which exchange to which, and how many there are, where that is not known by half."""
        if self._upto:
            return self._upto + 1, connection.execute(select(func.max(_exchange.id))).scalar() or 0, 0
        mine = select(_session.id).where(_session.recording_id == self._recording.id)
        ids = select(func.min(_exchange.id), func.max(_exchange.id), func.count()).where(_exchange.session_id.in_(mine))
        first, last, count = connection.execute(ids).one()
        return first or 0, last or 0, count

    def _read(self, connection: Connection) -> Batch:
        first = max(self._upto + 1, self._first)
        query = select(_exchange.id, _exchange.client_bytes, _exchange.server_bytes)
        query = query.where(_exchange.id >= first, _exchange.id <= self._last).order_by(_exchange.id).limit(_ROWS)
        keys = list(_affordable(connection.execute(query).all()))
        parts = (*some_of(self._waiting), keys)
        found = [each for part in parts for each in self._mine_of(connection, part)]
        settled, unsettled = _apart(connection, found, live=self._recording.live)
        upto = keys[-1] if keys else max(self._upto, self._last)
        more = bool(keys) and keys[-1] < self._last
        return Batch([(told, describe(told)) for told in gather(connection, settled)], unsettled, upto, more)

    def _mine_of(self, connection: Connection, keys: Sequence[int]) -> list[StoredExchange]:
        if not keys:
            return []
        wanted = set(keys)
        joined = select(*tables.exchange.columns, _session.number.label("session_number"))
        joined = joined.select_from(tables.exchange.join(tables.session)).where(these(keys))
        joined = joined.where(_session.recording_id == self._recording.id).order_by(_exchange.id)
        found = (each for each in _all(connection, joined) if each.id in wanted)
        return [rows.to_exchange(each, each.session_number) for each in found]


def _all(connection: Connection, query: Select[Any]) -> Sequence[Any]:
    return connection.execute(query).all()


def _affordable(found: Sequence[Any]) -> Iterator[int]:
    room = _BYTES
    for row in found:
        room -= min(row.client_bytes, READ_MOST) + min(row.server_bytes, READ_MOST)
        if room < 0:
            yield row.id
            return
        yield row.id


def _apart(
    connection: Connection, found: list[StoredExchange], *, live: bool
) -> tuple[list[StoredExchange], list[int]]:
    """Those that will not change any more, and the ids of the others."""
    last = _last_of_open_sessions(connection, {each.session_id for each in found}) if live else {}
    settled: list[StoredExchange] = []
    unsettled: list[int] = []
    for each in found:
        is_open = each.exchange.outcome is Outcome.OPEN
        if is_open or last.get(each.session_id) == each.exchange.number:
            unsettled.append(each.id)
        else:
            settled.append(each)
    return settled, unsettled


def _last_of_open_sessions(connection: Connection, sessions: set[int]) -> dict[int, int]:
    """An exchange that was answered before it was sent whole is told twice: it is the last of its session then."""
    found: dict[int, int] = {}
    for some in some_of(sorted(sessions)):
        query = select(_exchange.session_id, func.max(_exchange.number)).select_from(
            tables.exchange.join(tables.session)
        )
        query = query.where(_exchange.session_id.in_(some), _session.ending.is_(None)).group_by(_exchange.session_id)
        found.update((session, number) for session, number in connection.execute(query))
    return found
