"""A recording, written as a cassette.

Each session is heard again first (`storage.cassette.hearing`), to know how much has to be told: mostly its bytes and
events suffice, and its exchanges and spans follow from them. Where they do not, because bytes are missing or were
understood with more knowledge than they hold themselves, everything is told. Neither pass needs much memory.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from proxy.imap.transcript import Direction, Exchange, LiteralPart, Outcome, Piece, SessionClosed, Span
from storage.cassette.errors import WrongError
from storage.cassette.hearing import Hearing
from storage.cassette.telling import ended, exchanges, placeholders, told_recording, told_session
from storage.cassette.values import Begun, Body, Hole, Said, Told, Unkept
from storage.cassette.writer import CassetteWriter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from proxy.imap.transcript import Layer, Record
    from storage.left_out import LeftOut
    from storage.store import Store
    from storage.values import Recording, Session

_WAITING_MOST: Final = 10_000


def export_cassette(
    store: Store, recording: Recording, write: Callable[[str], object], session: Session | None = None
) -> None:
    """Write a recording, or one `session` of it, in lines given to `write`. Raises StorageError."""
    writer = CassetteWriter(write)
    writer.tell(told_recording(recording))
    if session is None:
        for event in store.recording_events(recording):
            writer.tell(event)
    for each in store.sessions(recording) if session is None else (session,):
        _export_session(store, ended(store, each), writer)


def export_more(store: Store, sessions: Iterable[Session], write: Callable[[str], object]) -> None:
    """Write these sessions, in lines that go behind those of a cassette. Raises StorageError."""
    writer = CassetteWriter(write, more=True)
    for each in sessions:
        _export_session(store, ended(store, each), writer)


def _export_session(store: Store, session: Session, writer: CassetteWriter) -> None:
    told = Told.EVENTS if follows(store, session) else Told.EVERYTHING
    for statement in told_session(store, session, told):
        if isinstance(statement, Begun):
            writer.begin(statement, placeholders(store, session))
        else:
            writer.tell(statement)


def follows(store: Store, session: Session) -> bool:
    """Whether the exchanges, spans and bodies of a session that has ended are what its bytes say by themselves."""
    hearing: Hearing | None = None
    comparison = _Comparison(store, session)
    for statement in told_session(store, session, Told.EVENTS):
        if isinstance(statement, Begun):
            hearing = Hearing(statement, 0)
            continue
        if isinstance(statement, Hole) or hearing is None:
            return False
        comparison.told(statement)
        try:
            hearing.hear(statement)
        except WrongError:  # what was not kept is not heard as a literal
            return False
        for record in hearing.take():
            comparison.heard(record)
        if not comparison.equal:
            return False
    return comparison.complete()


class _Comparison:
    """Compares what is heard of a session with what is stored, as it comes."""

    def __init__(self, store: Store, session: Session) -> None:
        self.equal = True
        self._session = session
        self._exchanges = exchanges(store, session)
        self._waiting: dict[int, Exchange] = {}
        """Exchanges that have ended before others that were begun earlier."""
        self._next = next(self._exchanges, None)
        self._spans = {direction: store.stream_spans(session, direction) for direction in Direction}
        self._bytes = {direction: (_Side(), _Side()) for direction in Direction}

    def told(self, statement: object) -> None:
        """What the store has of a stream."""
        if isinstance(statement, Said):
            side = self._bytes[statement.direction][0]
            side.take(statement.data, [(len(statement.data), statement.at)], statement.layer)
        elif isinstance(statement, Body):
            self._bytes[statement.direction][0].literal(statement.literal)
        elif isinstance(statement, Unkept):
            self._bytes[statement.direction][1].literal(statement.literal)

    def heard(self, record: Record | LeftOut) -> None:
        """What was understood."""
        if isinstance(record, Piece):
            side = self._bytes[record.direction][1]
            if record.literal is not None:
                side.literal(record.literal)
            side.take(record.data, record.chunks or [(len(record.data), record.at)], record.layer)
        elif isinstance(record, Span):
            self.equal &= next(self._spans[record.direction], None) == record
        elif isinstance(record, Exchange) and record.outcome is not Outcome.OPEN:
            self._exchange(record)
        elif isinstance(record, SessionClosed):
            counts = self._session.client_bytes, self._session.server_bytes
            self.equal &= (record.client_bytes, record.server_bytes) == counts

    def _exchange(self, exchange: Exchange) -> None:
        self._waiting[exchange.number] = exchange
        while self._next is not None and (mine := self._waiting.pop(self._next.number, None)) is not None:
            self.equal &= mine == self._next
            self._next = next(self._exchanges, None)
        self.equal &= len(self._waiting) < _WAITING_MOST

    def complete(self) -> bool:
        """Whether all of it was equal, and nothing is left over on either side."""
        left = self._next is not None or bool(self._waiting)
        left |= any(next(spans, None) is not None for spans in self._spans.values())
        same = all(stored.digest() == heard.digest() for stored, heard in self._bytes.values())
        return self.equal and same and not left


class _Side:
    """The bytes of one side, their chunks, and where in them bodies lie, as hashes."""

    def __init__(self) -> None:
        self._data, self._chunks, self._literals = hashlib.sha256(), hashlib.sha256(), hashlib.sha256()
        self._size = 0
        self._chunk: tuple[int, Layer] | None = None
        self._last: LiteralPart | None = None

    def take(self, data: bytes | memoryview, chunks: Iterable[tuple[int, int]], layer: Layer) -> None:
        self._data.update(data)
        for length, at in chunks:
            if (at, layer) != self._chunk:
                self._chunk = at, layer
                self._chunks.update(f"{self._size} {at} {layer};".encode())
            self._size += length

    def literal(self, literal: LiteralPart) -> None:
        if literal != self._last:
            self._last = literal
            self._literals.update(repr(tuple(literal)).encode())

    def digest(self) -> bytes:
        return self._data.digest() + self._chunks.digest() + self._literals.digest()
