"""The store, opened: everything that can be read from it, and what may be changed afterwards.

Readers take a page at a time in a transaction of its own, so that they see a recorder's newest rows, never hold it up,
and need little memory for whatever was recorded.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from blake3 import blake3
from sqlalchemy import insert, select
from sqlalchemy.exc import DBAPIError

from storage import adopt, prune, read, rows, stream, tables
from storage.clock import wall
from storage.engine import UNMANAGED, WRITING
from storage.errors import StorageError
from storage.follow import Follower
from storage.recover import cut, recover
from storage.renewing import renew
from storage.trouble import explain

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Generator, Iterator, Sequence
    from typing import Self

    from sqlalchemy import Connection, Engine

    from proxy.imap.transcript import Direction, Event, EventKind, Span
    from storage.values import Digest, Note, Recording, RecordingTotals, Removed, Session, StoredExchange, StoredPiece


class Store:
    """Made by `open_store`. All methods raise StorageError when the database fails; so do the iterators they return."""

    def __init__(self, engine: Engine, where: str, *, read_only: bool, hashing: Callable[[], Digest] = blake3) -> None:
        self.engine = engine
        self.where = where
        """The path, or the URL without its password, for people."""
        self.read_only = read_only
        self.hashing = hashing
        """Makes the hash by which bodies are known: BLAKE3, or SHA-256 in an older file that may only be read."""

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextlib.contextmanager
    def reading(self) -> Generator[Connection, None, None]:
        """A connection for one short look."""
        with self._explained(), self.engine.connect() as connection:
            yield connection

    @contextlib.contextmanager
    def snapshot(self) -> Generator[Connection, None, None]:
        """A connection that sees one moment only, however many questions it is asked."""
        with self._explained(), self.engine.connect() as connection:
            if connection.dialect.name == "postgresql":
                connection.execution_options(isolation_level="REPEATABLE READ")
            yield connection

    @contextlib.contextmanager
    def writing(self) -> Generator[Connection, None, None]:
        """A connection with a transaction that is committed at the end."""
        if self.read_only:
            raise StorageError(
                f"{self.where} cannot be written to.", "Check the permissions of the file and its folder."
            )
        with self._explained(), self.engine.connect().execution_options(**WRITING) as connection, connection.begin():
            yield connection

    @contextlib.contextmanager
    def unmanaged(self) -> Generator[Connection, None, None]:
        """A connection to SQLite outside any transaction, for what must stand alone."""
        with self._explained(), self.engine.connect().execution_options(**UNMANAGED) as connection:
            yield connection

    @contextlib.contextmanager
    def _explained(self) -> Generator[None, None, None]:
        try:
            yield
        except (DBAPIError, UnicodeDecodeError) as error:
            raise explain(error, self.where) from error

    # --- recordings, sessions, exchanges ----------------------------------------------------------------------------

    def recordings(self) -> list[Recording]:
        """All recordings, oldest first."""
        with self.reading() as connection:
            return read.recordings(connection)

    def recording(self, address: str) -> Recording:
        """The recording that `address` means: "last", a name, or an id. Raises StorageError where there is none."""
        with self.reading() as connection:
            return read.find_recording(connection, address)

    def totals(self, recording: Recording) -> RecordingTotals:
        """How much a recording holds."""
        with self.reading() as connection:
            return read.totals(connection, recording)

    def sessions(self, recording: Recording) -> Iterator[Session]:
        """The sessions of a recording by number."""
        return read.sessions(self, recording)

    def session(self, recording: Recording, number: int) -> Session:
        """One session. Raises StorageError where there is none."""
        mine = tables.session.c.recording_id == recording.id, tables.session.c.number == number
        with self.reading() as connection:
            row = connection.execute(select(tables.session).where(*mine)).first()
            if row is None:
                hint = f"`imaptap ls {recording.name}` lists those there are."
                raise StorageError(f"Recording {recording.name!r} has no session {number}.", hint)
            return read.session_value(connection, row, recording)

    def exchanges(self, session: Session, *, after: int = 0) -> Iterator[StoredExchange]:
        """The exchanges of a session by number, those above `after`."""
        return read.exchanges(self, session, after)

    def exchange(self, session: Session, number: int) -> StoredExchange:
        """One exchange. Raises StorageError where there is none."""
        mine = tables.exchange.c.session_id == session.id, tables.exchange.c.number == number
        with self.reading() as connection:
            row = connection.execute(select(tables.exchange).where(*mine)).first()
            if row is None:
                hint = f"`imaptap show {session.recording.name}/{session.number}` lists those there are."
                raise StorageError(f"Session {session.number} has no exchange {number}.", hint)
            return read.exchange_value(connection, row, session)

    def spans(self, session: Session, exchange: int | None = None) -> Iterator[Span]:
        """The spans of a session by exchange, direction and offset: all, or those of the exchange with that number.

        0 asks for those that belong to no exchange.
        """
        return read.spans(self, session, exchange)

    def stream_spans(self, session: Session, direction: Direction) -> Iterator[Span]:
        """The spans of one direction in the order of its stream, as they are at this moment."""
        return read.stream_spans(self, session, direction)

    def events(self, session: Session, *kinds: EventKind) -> Iterator[Event]:
        """The events of a session, of some kinds or of all, as recorded."""
        return read.events(self, session, kinds)

    def follow(self, recording: Recording, *, from_start: bool = False) -> Follower:
        """The exchanges of a recording as they end, from now on or from its start: ask it again and again."""
        return Follower(self, recording, from_start=from_start)

    def recording_events(self, recording: Recording, *kinds: EventKind) -> Iterator[Event]:
        """The events of a recording that are about no session in particular."""
        return read.recording_events(self, recording, kinds)

    # --- bytes ------------------------------------------------------------------------------------------------------

    def pieces(
        self, session: Session, direction: Direction, start: int = 0, end: int | None = None
    ) -> Iterator[StoredPiece]:
        """The pieces that hold any byte from `start` up to `end`, with their times; bodies are not read."""
        return read.pieces(self, session.id, direction, start, end)

    def body(self, blake3: str) -> bytes:
        """A body (at most a megabyte) by its hash in hex (see `hashing`). Raises StorageError where there is none."""
        with self.snapshot() as connection:  # whoever removes recordings moves bodies that stay
            data = read.body(connection, blake3)
            renew(connection)
            return data

    def stream(self, session: Session, direction: Direction, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """Bytes `start` up to `end` (None: all there are) as received, secrets masked, in blocks of up to a megabyte.

        Raises GapError at a hole, LeftOutError (one of them) at a literal that was not kept; go on behind it with
        `start=error.end`.
        """
        return stream.received(self, session, direction, start, end)

    def stream_as_sent(
        self, session: Session, direction: Direction, start: int = 0, end: int | None = None
    ) -> Iterator[bytes]:
        """The same bytes with all rewrites that begin among them: as the other side got them. Raises as `stream`."""
        return stream.as_sent(self, session, direction, start, end)

    # --- changes ----------------------------------------------------------------------------------------------------

    def add_note(
        self,
        text: str,
        recording: Recording,
        session: Session | None = None,
        exchange: int | None = None,
        written: int | None = None,
    ) -> Note:
        """Write a remark on a recording, a session of it, or the exchange of that `id`; by default now."""
        values = {"recording_id": recording.id, "session_id": session.id if session else None}
        values |= {"exchange_id": exchange, "written": wall() if written is None else written}
        statement = insert(tables.note).values(**values, text=text).returning(*tables.note.columns)
        with self.writing() as connection:
            return rows.to_note(connection.execute(statement).one())

    def notes(self, recording: Recording) -> list[Note]:
        """All remarks on a recording and what is in it, oldest first."""
        mine = select(tables.note).where(tables.note.c.recording_id == recording.id).order_by(tables.note.c.id)
        with self.reading() as connection:
            return [rows.to_note(row) for row in connection.execute(mine)]

    def remove(self, recording: Recording) -> Removed:
        """Remove a recording and all that only it needed. Raises StorageError while it is being recorded."""
        return prune.remove(self, recording)

    def adopt(self, recording: Recording, sessions: Sequence[Session]) -> list[int]:
        """Put sessions of other recordings behind those of this one, all at once. Returns their new numbers."""
        return adopt.adopt(self, recording, sessions)

    def replace(self, old: Recording, new: Recording) -> None:
        """Have `new` be called as `old` was, and remove `old`: there is always one of that name."""
        adopt.replace(self, old, new)

    def prune(self, *, older_than: float | None = None, max_bytes: int | None = None) -> Removed:
        """Remove recordings begun more than `older_than` seconds ago, then the oldest until `max_bytes` suffice."""
        return prune.prune(self, older_than=older_than, max_bytes=max_bytes)

    def cut(self, recording: Recording, numbers: Container[int], reason: str) -> int:
        """Mark those of these sessions that are open as cut: one of the writers of a live recording died. How many."""
        with self.writing() as connection:
            return cut(connection, recording, numbers, reason)

    def recover(self) -> None:
        """Write the endings that recorders which died did not write. A `Writer` does so when it begins."""
        with self.writing() as connection:
            recover(connection)
