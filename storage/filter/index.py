"""The index for filters: made by whoever filters, up to where a recording has come, so that recording costs nothing.

It goes recording by recording, in the order of `exchange.id`, in batches: what is there is read and worked out first,
and then written in a short transaction, which a recorder beside it hardly notices. Exchanges that may still change
(open ones, and the last of an open session) are put aside as pending and looked at again the next time.

Whoever removes a recording clears the whole index, so that no word of what was removed stays behind.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sqlalchemy import delete, func, insert, inspect, select, update
from sqlalchemy.dialects import postgresql, sqlite

from proxy.imap.transcript import Direction, Outcome
from storage import rows, tables
from storage.filter import content, text
from storage.filter.describe import VERSION, Described, Words, describe, host_of, session_words, words
from storage.filter.gather import READ_MOST, gather, these
from storage.filter.words import fold

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from sqlalchemy import Connection, Select, Table

    from storage.filter.gather import Told
    from storage.store import Store
    from storage.values import Recording, StoredExchange

    Progress = Callable[[int, int], None]

_ROWS: Final = 1000
_BYTES: Final = 16 * 1024 * 1024
_KEYS: Final = 500

_exchange, _session, _piece = tables.exchange.c, tables.session.c, tables.piece.c
_state, _pending, _kind = tables.filter_state.c, tables.filter_pending.c, tables.filter_kind.c
DERIVED: Final = (
    tables.filter_row, tables.filter_uid, tables.filter_session, tables.filter_pending, tables.filter_kind,
    tables.filter_state,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class State:
    """How far the index of a recording goes. `upto` 0: there is none."""

    upto: int
    complete: bool


class _Batch(NamedTuple):
    settled: list[tuple[Told, Described]]
    unsettled: list[int]
    upto: int
    more: bool


def states(connection: Connection) -> dict[int, State]:
    """How far the index goes, by recording; what another version made counts for nothing, and so does none at all."""
    if not inspect(connection).has_table(tables.filter_state.name):
        return {}
    found = connection.execute(select(tables.filter_state).where(_state.version == VERSION))
    return {row.recording_id: State(row.upto, bool(row.complete)) for row in found}


def pending(connection: Connection, recording: int) -> list[int]:
    """Exchanges below the mark that are not in the index."""
    return list(connection.execute(select(_pending.exchange_id).where(_pending.recording_id == recording)).scalars())


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


def clear(connection: Connection) -> None:
    """Remove all of the index; the next filter makes it anew."""
    if not connection.execute(select(_state.recording_id).limit(1)).first():
        return
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA secure_delete = ON")  # what is free for new rows shall not hold old words
    text.clear(connection)
    for table in DERIVED:
        connection.execute(delete(table))


class _Indexer:
    def __init__(self, store: Store, recording: Recording, state: State | None, progress: Progress | None) -> None:
        self._store, self._recording, self._progress = store, recording, progress
        self._upto = state.upto if state else 0
        self._waiting: list[int] = []
        self._done = 0
        with store.reading() as connection:
            self._first, self._last, self._count = self._bounds(connection)
            self._waiting = pending(connection, recording.id)

    def run(self) -> None:
        more = True
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

    def _written(self, batch: _Batch) -> bool:
        with self._store.writing() as connection:
            if not self._still_ours(connection):
                return False
            _Pen(connection, self._recording).write(batch)
            over = not batch.more and self._recording.ended is not None
            complete = over and not pending(connection, self._recording.id)
            values = {"version": VERSION, "upto": batch.upto, "complete": int(complete)}
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

    def _read(self, connection: Connection) -> _Batch:
        first = max(self._upto + 1, self._first)
        query = select(_exchange.id, _exchange.client_bytes, _exchange.server_bytes)
        query = query.where(_exchange.id >= first, _exchange.id <= self._last).order_by(_exchange.id).limit(_ROWS)
        keys = list(_affordable(connection.execute(query).all()))
        parts = (*_some(self._waiting), keys)
        found = [each for part in parts for each in self._mine_of(connection, part)]
        settled, unsettled = _apart(connection, found, live=self._recording.live)
        upto = keys[-1] if keys else max(self._upto, self._last)
        more = bool(keys) and keys[-1] < self._last
        return _Batch([(told, describe(told)) for told in gather(connection, settled)], unsettled, upto, more)

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
    for some in _some(sorted(sessions)):
        query = select(_exchange.session_id, func.max(_exchange.number)).select_from(
            tables.exchange.join(tables.session)
        )
        query = query.where(_exchange.session_id.in_(some), _session.ending.is_(None)).group_by(_exchange.session_id)
        found.update((session, number) for session, number in connection.execute(query))
    return found


class _Pen:
    """Writes a batch, within a transaction."""

    def __init__(self, connection: Connection, recording: Recording) -> None:
        self._connection, self._recording = connection, recording

    def write(self, batch: _Batch) -> None:
        settled = batch.settled
        walls = self._sessions(settled)
        kinds = self._kinds({
            pair
            for _, described in settled
            for pair in (("exchange", described.kind), ("mailbox", described.mailbox), ("flags", described.flags))
        })  # fmt: skip
        found = [self._row(told, described, kinds, walls[told.session_id]) for told, described in settled]
        uids = [
            {"low": low, "high": high, "exchange_id": told.id}
            for told, described in settled
            for low, high in described.uids
        ]
        for table, new in ((tables.filter_row, found), (tables.filter_uid, uids)):
            if new:
                self._connection.execute(insert(table), new)
        text.add(self._connection, [(told.id, described.said) for told, described in settled if described.said])
        self._put_aside([told.id for told, _ in settled], batch.unsettled)

    def _row(self, told: Told, described: Described, kinds: dict[tuple[str, Words], int], wall: int) -> dict[str, Any]:
        exchange = told.exchange
        return {
            "exchange_id": told.id,
            "recording_id": self._recording.id,
            "session_id": told.session_id,
            "kind_id": kinds["exchange", described.kind],
            "mailbox_id": kinds["mailbox", described.mailbox],
            "flags_id": kinds["flags", described.flags],
            "at": wall + exchange.started,
            "took": -1 if exchange.ended is None else exchange.ended - exchange.started,
            "client_bytes": exchange.client_bytes,
            "server_bytes": exchange.server_bytes,
            "tag": fold(exchange.tag),
        }

    def _sessions(self, settled: list[tuple[Told, Described]]) -> dict[int, int]:
        """When each session opened. What the exchanges tell of them is written down."""
        told = dict[int, set[tuple[str, str]]]()
        for each, described in settled:
            told.setdefault(each.session_id, set()).update(described.told)
        known = known_words(self._connection, told)
        new = {key: found for key, found in told.items() if key not in known or not found <= set(known[key])}
        if not new:
            return _walls(self._connection, told)
        first = beginnings(self._connection, new.keys() - known.keys())
        whole = {key: words((*known.get(key, ()), *first.get(key, ()), *found)) for key, found in new.items()}
        kinds = self._kinds({("session", found) for found in whole.values()})
        addresses = _addresses(self._connection, whole)
        values = [
            {
                "session_id": key,
                "kind_id": kinds["session", found],
                "address": fold(addresses[key]),
                "host": fold(host_of(addresses[key])),
            }
            for key, found in whole.items()
        ]
        replace(self._connection, tables.filter_session, values)
        return _walls(self._connection, told)

    def _kinds(self, wanted: set[tuple[str, Words]]) -> dict[tuple[str, Words], int]:
        """The keys of sets of facts; 0 for one that is empty."""
        texts = {pair: json.dumps(pair[1], ensure_ascii=False) for pair in wanted if pair[1]}
        new = [{"about": about, "facts": texts[about, facts]} for about, facts in texts]
        known = self._known_kinds(texts)
        missing = [each for each in new if (each["about"], each["facts"]) not in known]
        if missing:
            insert_new(self._connection, tables.filter_kind, missing)
            known |= self._known_kinds(texts)
        return {pair: known[pair[0], texts[pair]] if pair in texts else 0 for pair in wanted}

    def _known_kinds(self, texts: dict[tuple[str, Words], str]) -> dict[tuple[str, str], int]:
        known: dict[tuple[str, str], int] = {}
        for about in {about for about, _ in texts}:
            for some in _some([facts for (whose, _), facts in texts.items() if whose == about]):
                query = select(_kind.id, _kind.facts).where(_kind.about == about, _kind.facts.in_(some))
                known.update(((about, row.facts), row.id) for row in self._connection.execute(query))
        return known

    def _put_aside(self, settled: list[int], unsettled: list[int]) -> None:
        table = tables.filter_pending
        waited = set(pending(self._connection, self._recording.id))
        for some in _some([key for key in settled if key in waited]):
            self._connection.execute(delete(table).where(_pending.exchange_id.in_(some)))
        mine = [{"exchange_id": key, "recording_id": self._recording.id} for key in unsettled]
        if mine:
            insert_new(self._connection, table, mine)


def known_words(connection: Connection, sessions: Iterable[int]) -> dict[int, Words]:
    """What the index knows of sessions."""
    found: dict[int, Words] = {}
    mine = tables.filter_session.c
    for some in _some(sorted(sessions)):
        query = select(mine.session_id, _kind.facts).where(mine.session_id.in_(some), mine.kind_id == _kind.id)
        found.update((row.session_id, to_words(row.facts)) for row in connection.execute(query))
    return found


def beginnings(connection: Connection, sessions: Iterable[int]) -> dict[int, Words]:
    """What is known of sessions by their addresses and greetings."""
    found: dict[int, Words] = {}
    for some in _some(sorted(sessions)):
        greetings = select(_piece.session_id, _piece.data).where(
            _piece.session_id.in_(some), _piece.direction == int(Direction.SERVER), _piece.offset == 0
        )
        first = {row.session_id: bytes(row.data or b"") for row in connection.execute(greetings)}
        who = select(_session.id, _session.upstream).where(_session.id.in_(some))
        for row in connection.execute(who):
            caps = content.announced(first.get(row.id, b"").split(b"\n", 1)[0])
            found[row.id] = words((*session_words(row.upstream), *(("cap", cap) for cap in caps)))
    return found


def to_words(facts: str) -> Words:
    """From `filter_kind.facts`."""
    return tuple((fact, word) for fact, word in json.loads(facts))


def _walls(connection: Connection, sessions: Iterable[int]) -> dict[int, int]:
    found: dict[int, int] = {}
    for some in _some(sorted(sessions)):
        query = select(_session.id, _session.wall).where(_session.id.in_(some))
        found.update((row.id, row.wall) for row in connection.execute(query))
    return found


def _addresses(connection: Connection, sessions: Iterable[int]) -> dict[int, str]:
    found: dict[int, str] = {}
    for some in _some(sorted(sessions)):
        query = select(_session.id, _session.client).where(_session.id.in_(some))
        found.update((row.id, row.client) for row in connection.execute(query))
    return found


def insert_new(connection: Connection, table: Table, values: list[dict[str, Any]]) -> None:
    """Insert what is not there yet."""
    connection.execute(_insert(connection, table).on_conflict_do_nothing(), values)


def replace(connection: Connection, table: Table, values: list[dict[str, Any]]) -> None:
    """Insert, or put in the place of what has the same key."""
    statement = _insert(connection, table)
    keys = [column.name for column in table.primary_key]
    new = {column.name: statement.excluded[column.name] for column in table.columns if column.name not in keys}
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=new), values)


def _insert(connection: Connection, table: Table) -> postgresql.Insert | sqlite.Insert:
    return (postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert)(table)


def _some(items: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for first in range(0, len(items), _KEYS):
        yield items[first : first + _KEYS]
