"""A filter put to a store: by the index where it goes, exchange by exchange where it does not."""

from __future__ import annotations

import contextlib
from array import array
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sqlalchemy import and_, func, or_, select

from storage import read, tables
from storage.clock import wall
from storage.errors import StorageError
from storage.filter import blocks, counting, entries, index, text
from storage.filter.compile import Rows, look_up, matching_rows
from storage.filter.describe import Place, Words, describe, facts, words
from storage.filter.gather import gather
from storage.filter.holds import holds
from storage.filter.tree import Word, leaves

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping, Sequence

    from sqlalchemy import ColumnElement, Connection

    from storage.filter.tree import Node
    from storage.store import Store
    from storage.values import Recording, Session, StoredExchange

_AT_ONCE: Final = 200

_row, _exchange, _session = tables.filter_row.c, tables.exchange.c, tables.session.c


class Match(NamedTuple):
    """The keys of an exchange that was found."""

    recording_id: int
    session_id: int
    exchange_id: int


class Matcher:
    """Says of exchanges one by one whether a filter holds. Remembers sessions, so it is for one reading only."""

    def __init__(self, store: Store, node: Node, now: int | None = None) -> None:
        self._store, self._node = store, node
        self._now = wall() if now is None else now
        self._asks_sessions = any(isinstance(leaf, Word) and leaf.fact in {"cap", "client"} for leaf in leaves(node))
        self._told: dict[int, Words] = {}

    def those(self, found: Sequence[tuple[Session, StoredExchange]]) -> list[bool]:
        """Whether it holds, for each. What a session tells of itself counts as far as it has been told by then."""
        return [
            match for first in range(0, len(found), _AT_ONCE) for match in self._some(found[first : first + _AT_ONCE])
        ]

    def _some(self, found: Sequence[tuple[Session, StoredExchange]]) -> list[bool]:
        with self._store.reading() as connection:
            self._know(connection, found)
            gathered = gather(connection, [stored for _, stored in found])
        described = [describe(told) for told in gathered]
        for told, each in zip(gathered, described, strict=True):
            self._told[told.session_id] = words((*self._told[told.session_id], *each.told))
        return [
            holds(self._node, facts(told, each, self._place(session)), self._now)
            for told, each, (session, _) in zip(gathered, described, found, strict=True)
        ]

    def _place(self, session: Session) -> Place:
        recording = session.recording
        known = self._told[session.id]
        return Place(session.id, recording.id, recording.name, session.number, session.wall, session.client, known)

    def _know(self, connection: Connection, found: Sequence[tuple[Session, StoredExchange]]) -> None:
        """What sessions that are new here have told before, in exchanges that nobody asks about."""
        new = {session.id: session for session, _ in found if session.id not in self._told}
        self._told |= entries.beginnings(connection, new)
        if self._asks_sessions:
            for session in new.values():
                self._hear(connection, session)

    def _hear(self, connection: Connection, session: Session) -> None:
        heard = set(self._told[session.id])
        after = 0
        while True:
            mine = _exchange.session_id == session.id, _exchange.number > after
            query = select(tables.exchange).where(*mine).order_by(_exchange.number).limit(_AT_ONCE)
            page = [read.exchange_value(connection, row, session) for row in connection.execute(query).all()]
            for told in gather(connection, page):
                heard |= describe(told).told
            if len(page) < _AT_ONCE:
                break
            after = page[-1].exchange.number
        self._told[session.id] = words(heard)


class Search:
    """A filter put to one recording, or to all of them. Brings the index up to date first, where it may."""

    def __init__(
        self, store: Store, node: Node, recording: Recording | None = None, *,
        now: int | None = None, progress: Callable[[int, int], None] | None = None,
    ) -> None:  # fmt: skip
        """`progress(done, all)` is told of exchanges while the index is made. Raises StorageError."""
        self._store, self._node = store, node
        self._now = wall() if now is None else now
        self._recordings = [recording] if recording else store.recordings()
        if not store.read_only:
            # Where it cannot be made, for want of rights or of room, the filter is slower, and as right.
            with contextlib.suppress(StorageError):
                index.refresh(store, self._recordings, progress)

    def counts(self) -> Mapping[int, int]:
        """How many exchanges match, by recording."""
        return self._counted(_row.recording_id, lambda match: match.recording_id, apart=True)

    def session_counts(self) -> Mapping[int, int]:
        """How many exchanges match, by `session.id`."""
        return self._counted(_row.session_id, lambda match: match.session_id)

    def matches(self) -> Mapping[int, array[int]]:
        """The keys of the exchanges that match, rising, by `session.id`."""
        found: dict[int, array[int]] = {}
        with self._store.snapshot() as connection:
            rows, fresh = self._apart(connection)
            if rows is not None:
                query = select(_row.session_id, rows.key).select_from(rows.source).where(*rows.which).order_by(rows.key)
                for session, exchange in connection.execute(query):
                    found.setdefault(session, array("q")).append(exchange)
        for match in self._fresh(fresh):
            found.setdefault(match.session_id, array("q")).append(match.exchange_id)
        return {session: array("q", sorted(found[session])) for session in sorted(found)}

    def exchanges(self, session: Session, keys: Sequence[int]) -> Iterator[StoredExchange]:
        """The exchanges of a session with these keys, as far as they are still there."""
        for first in range(0, len(keys), _AT_ONCE):
            query = select(tables.exchange).where(_exchange.id.in_(list(keys[first : first + _AT_ONCE])))
            with self._store.reading() as connection:
                found = connection.execute(query.order_by(_exchange.number)).all()
                page = [read.exchange_value(connection, row, session) for row in found]
            yield from page

    def first(self, limit: int) -> list[Match]:
        """The first exchanges that match, in the order in which they began."""
        with self._store.snapshot() as connection:
            rows, fresh = self._apart(connection)
            found: list[Match] = []
            if rows is not None:
                query = select(_row.recording_id, _row.session_id, rows.key).select_from(rows.source)
                query = query.where(*rows.which).order_by(rows.key).limit(limit)
                found = [Match(*row) for row in connection.execute(query)]
        return sorted([*found, *self._fresh(fresh)], key=lambda match: match.exchange_id)[:limit]

    def _counted(
        self, column: ColumnElement[int], key: Callable[[Match], int], *, apart: bool = False
    ) -> Mapping[int, int]:
        counted = Counter[int]()
        with self._store.snapshot() as connection:
            indexed, fresh = self._indexed(connection)
            alone = self._counted_apart(connection, indexed) if apart and indexed else None
            if alone is not None:
                counted.update({recording: count for recording, count in alone.items() if count})
            elif indexed:
                rows = self._rows(connection, indexed)
                query = select(column, func.count()).select_from(rows.source).where(*rows.which).group_by(column)
                counted.update(_numbers(connection.execute(query)))
        counted.update(key(match) for match in self._fresh(fresh))
        return counted

    def _counted_apart(self, connection: Connection, indexed: Collection[int]) -> Mapping[int, int] | None:
        """Each recording by itself; None, if that cannot be, or does not pay (`counting`)."""
        if connection.dialect.name == "postgresql":
            return self._counted_by_places(connection, indexed)
        stretches = counting.apart(index.states(connection), counting.most(self._node))
        mine = [each for each in stretches if each.recording_id in indexed]
        if not stretches:
            return None
        known = look_up(connection, self._node)
        with self._beside(connection, mine) as second:
            return counting.counted(connection, self._node, known, self._now, mine, second)

    @contextlib.contextmanager
    def _beside(
        self, connection: Connection, stretches: Sequence[counting.Stretch]
    ) -> Generator[Connection | None, None, None]:
        """Another connection that sees the same of the index, where that pays and nobody writes to it just now."""
        if not counting.pays_in_halves(stretches):
            yield None
            return
        with self._store.snapshot() as second:
            yield second if index.seen(second) == index.seen(connection) else None

    def _counted_by_places(self, connection: Connection, indexed: Collection[int]) -> Mapping[int, int] | None:
        said, other = counting.said_or(self._node)
        if said is None:
            return None
        finder = blocks.Finder(connection)
        found = finder.counts(said)
        if found is None:
            return None
        counted = Counter({recording: found.get(recording, 0) for recording in indexed})
        if other is not None:
            rows = self._rows(connection, indexed, other, finder)
            query = select(_row.recording_id, func.count()).where(*rows.which).group_by(_row.recording_id)
            counted.update(_numbers(connection.execute(query)))
        return counted

    def _apart(self, connection: Connection) -> tuple[Rows | None, list[_Fresh]]:
        """What rows of the index match, and which exchanges are not in the index, in one look."""
        indexed, fresh = self._indexed(connection)
        return self._rows(connection, indexed) if indexed else None, fresh

    def _indexed(self, connection: Connection) -> tuple[set[int], list[_Fresh]]:
        """The recordings that are in the index, and which exchanges are not."""
        text.hold(connection)
        known = index.states(connection)
        fresh: list[_Fresh] = []
        indexed = set[int]()
        for recording in self._recordings:
            state = known.get(recording.id)
            if state is not None and self._searchable(connection):
                indexed.add(recording.id)
            else:
                state = None
            if state is None or not state.complete:
                waiting = entries.pending(connection, recording.id) if state else []
                fresh.append(_Fresh(recording, state.upto if state else 0, tuple(waiting)))
        return indexed, fresh

    def _rows(
        self, connection: Connection, indexed: Collection[int], node: Node | None = None,
        finder: blocks.Finder | None = None,
    ) -> Rows:  # fmt: skip
        """What rows of these recordings match, for `node` if there is one."""
        node = node or self._node
        rows = matching_rows(node, look_up(connection, node, finder), self._now)
        if indexed != index.states(connection).keys():
            rows = replace(rows, which=(*rows.which, _row.recording_id.in_(indexed)))
        return rows

    def _searchable(self, connection: Connection) -> bool:
        asks_text = any(isinstance(leaf, Word) and leaf.fact == "text" for leaf in leaves(self._node))
        return not asks_text or text.there(connection)

    def _fresh(self, fresh: Iterable[_Fresh]) -> Iterator[Match]:
        matcher = Matcher(self._store, self._node, self._now)
        for each in fresh:
            for page in _pages(self._store, each):
                for (session, stored), match in zip(page, matcher.those(page), strict=True):
                    if match:
                        yield Match(session.recording.id, session.id, stored.id)


def _numbers(found: Iterable[Any]) -> dict[int, int]:
    return {group: count for group, count in found}  # noqa: C416  rows, which `dict` would not take for pairs


class _Fresh(NamedTuple):
    """What of a recording is not in the index: all behind `upto`, and these before it."""

    recording: Recording
    upto: int
    pending: tuple[int, ...]


def _pages(store: Store, fresh: _Fresh) -> Iterator[list[tuple[Session, StoredExchange]]]:
    mine = select(_session.id).where(_session.recording_id == fresh.recording.id)
    sessions: dict[int, Session] = {}
    last = 0
    while True:
        which = or_(_exchange.id > fresh.upto, _exchange.id.in_(fresh.pending))
        query = select(tables.exchange).where(and_(_exchange.id > last, which, _exchange.session_id.in_(mine)))
        with store.reading() as connection:
            found = connection.execute(query.order_by(_exchange.id).limit(_AT_ONCE)).all()
            page = [_value(connection, row, fresh.recording, sessions) for row in found]
        if page:
            yield page
        if len(page) < _AT_ONCE:
            return
        last = page[-1][1].id


def _value(
    connection: Connection, row: Any, recording: Recording, sessions: dict[int, Session]
) -> tuple[Session, StoredExchange]:
    session = sessions.get(row.session_id)
    if session is None:
        found = connection.execute(select(tables.session).where(_session.id == row.session_id)).one()
        session = sessions[row.session_id] = read.session_value(connection, found, recording)
    return session, read.exchange_value(connection, row, session)
