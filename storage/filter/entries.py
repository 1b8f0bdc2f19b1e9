"""What stands in the index for some exchanges: rows of all its tables, made of what was worked out about them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sqlalchemy import delete, insert, select
from sqlalchemy.dialects import postgresql, sqlite

from proxy.imap.transcript import Direction
from storage import tables
from storage.filter import content, text
from storage.filter.describe import Described, Words, host_of, session_words, words
from storage.filter.gather import Told
from storage.filter.words import fold

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sqlalchemy import Connection, Table

    from storage.values import Recording

NONE: Final = -1
"""In the place of UIDs, which are no smaller than 0, and of dates, which are whole seconds in microseconds."""

_KEYS: Final = 500

_session, _piece = tables.session.c, tables.piece.c
_pending, _kind = tables.filter_pending.c, tables.filter_kind.c


class Batch(NamedTuple):
    """What was read up to the key `upto`: exchanges for the index, and keys of those that may still change."""

    settled: list[tuple[Told, Described]]
    unsettled: list[int]
    upto: int
    more: bool


class Entries:
    """Writes a batch, within a transaction."""

    def __init__(self, connection: Connection, recording: Recording) -> None:
        self._connection, self._recording = connection, recording

    def write(self, batch: Batch) -> None:
        """Put it into all tables."""
        settled = batch.settled
        walls = self._sessions(settled)
        kinds = self._kinds({
            pair
            for _, described in settled
            for pair in (("exchange", described.kind), ("mailbox", described.mailbox), ("flags", described.flags))
        })  # fmt: skip
        places = text.add(
            self._connection, self._recording.id, [(told.id, described.said) for told, described in settled]
        )
        found = [
            self._row(told, described, kinds, walls[told.session_id]) | {"place": places.get(told.id, 0)}
            for told, described in settled
        ]
        uids = [
            {"low": low, "high": high, "exchange_id": told.id}
            for told, described in settled
            for low, high in described.uids
        ]
        dates = [{"at": at, "exchange_id": told.id} for told, described in settled for at in described.dates]
        for table, new in ((tables.filter_row, found), (tables.filter_uid, uids), (tables.filter_date, dates)):
            if new:
                self._connection.execute(insert(table), new)
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
            "uid_low": described.uids[0][0] if described.uids else NONE,
            "uid_high": described.uids[-1][1] if described.uids else NONE,
            "date_first": described.dates[0] if described.dates else NONE,
            "date_last": described.dates[-1] if described.dates else NONE,
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
            for some in some_of([facts for (whose, _), facts in texts.items() if whose == about]):
                query = select(_kind.id, _kind.facts).where(_kind.about == about, _kind.facts.in_(some))
                known.update(((about, row.facts), row.id) for row in self._connection.execute(query))
        return known

    def _put_aside(self, settled: list[int], unsettled: list[int]) -> None:
        table = tables.filter_pending
        waited = set(pending(self._connection, self._recording.id))
        for some in some_of([key for key in settled if key in waited]):
            self._connection.execute(delete(table).where(_pending.exchange_id.in_(some)))
        mine = [{"exchange_id": key, "recording_id": self._recording.id} for key in unsettled]
        if mine:
            insert_new(self._connection, table, mine)


def known_words(connection: Connection, sessions: Iterable[int]) -> dict[int, Words]:
    """What the index knows of sessions."""
    found: dict[int, Words] = {}
    mine = tables.filter_session.c
    for some in some_of(sorted(sessions)):
        query = select(mine.session_id, _kind.facts).where(mine.session_id.in_(some), mine.kind_id == _kind.id)
        found.update((row.session_id, to_words(row.facts)) for row in connection.execute(query))
    return found


def beginnings(connection: Connection, sessions: Iterable[int]) -> dict[int, Words]:
    """What is known of sessions by their addresses and greetings."""
    found: dict[int, Words] = {}
    for some in some_of(sorted(sessions)):
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
    for some in some_of(sorted(sessions)):
        query = select(_session.id, _session.wall).where(_session.id.in_(some))
        found.update((row.id, row.wall) for row in connection.execute(query))
    return found


def _addresses(connection: Connection, sessions: Iterable[int]) -> dict[int, str]:
    found: dict[int, str] = {}
    for some in some_of(sorted(sessions)):
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


def some_of(items: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """The items, as many at a time as a statement may name."""
    for first in range(0, len(items), _KEYS):
        yield items[first : first + _KEYS]


def pending(connection: Connection, recording: int) -> list[int]:
    """Exchanges below the mark that are not in the index."""
    return list(connection.execute(select(_pending.exchange_id).where(_pending.recording_id == recording)).scalars())
