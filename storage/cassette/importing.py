"""A cassette, put into a store as a recording like any other."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, BinaryIO

from sqlalchemy import update

from proxy.imap.letters.policy import Bodies, bodies_told
from proxy.imap.transcript import Event
from storage import tables
from storage.cassette.errors import WrongError
from storage.cassette.hearing import Hearing
from storage.cassette.reader import read_cassette
from storage.cassette.telling import ended, told_recording, told_session
from storage.cassette.values import Begun, Header, Noted, Placed, Told
from storage.errors import StorageError
from storage.keeping import dated, keep

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from proxy.imap.transcript import Record
    from storage.cassette.values import Statement
    from storage.left_out import LeftOut
    from storage.store import Store
    from storage.values import Recording


def import_cassette(store: Store, file: BinaryIO, name: str | None = None, bodies: Bodies = Bodies.FULL) -> Recording:
    """Read a cassette into a new recording called `name` (default: the time), with `bodies` of its letters.

    Raises CassetteError where it is wrong; nothing of it stays then. Raises StorageError as a `Writer` does.
    """
    return import_statements(store, read_cassette(file), name, bodies)


def check_cassette(file: BinaryIO) -> None:
    """Raise CassetteError where it is wrong."""
    for _ in heard(read_cassette(file), 0):
        pass


def copy_recording(source: Store, recording: Recording, store: Store, name: str) -> Recording:
    """The same recording in another store. Raises StorageError."""
    return record_statements(store, _told(source, recording), name)


def record_statements(store: Store, statements: Iterable[Statement], name: str | None) -> Recording:
    """What these statements tell as a new recording, called `name` (default: the time). Raises StorageError."""
    return import_statements(store, (Placed(0, statement) for statement in statements), name)


def record_unsigned(store: Store, statements: Iterable[Statement], name: str | None) -> Recording:
    """The same, of nobody's machine: neither its name nor the process is told. Raises StorageError."""
    recording = record_statements(store, statements, name)
    with store.writing() as connection:
        connection.execute(update(tables.recording).where(tables.recording.c.id == recording.id).values(host="", pid=0))
    return store.recording(str(recording.id))


def _told(source: Store, recording: Recording) -> Iterator[Statement]:
    yield told_recording(recording)
    yield from source.recording_events(recording)
    for session in source.sessions(recording):
        yield from told_session(source, ended(source, session), Told.EVERYTHING)


def import_statements(
    store: Store, placed: Iterator[Placed], name: str | None = None, bodies: Bodies = Bodies.FULL
) -> Recording:
    """What a file says in statements as a new recording. Raises CassetteError, StorageError; nothing stays then."""
    first = next(placed, None)
    header = first.statement if first and isinstance(first.statement, Header) else Header()
    rest = placed if first is None or isinstance(first.statement, Header) else _behind(first, placed)
    notes: list[Noted] = []
    said = _without_notes(rest, notes)
    settings = header.settings if bodies_told(header.settings) is bodies else header.settings + bodies.told
    recording = keep(
        store, name, lambda begun: heard(said, begun.started, bodies), version=header.version, settings=settings
    )
    for note in notes:
        _note(store, recording, note)
    return dated(store, recording, header.started, header.ended)


def _without_notes(placed: Iterable[Placed], notes: list[Noted]) -> Iterator[Placed]:
    for each in placed:
        if isinstance(each.statement, Noted):
            notes.append(each.statement)
        else:
            yield each


def _note(store: Store, recording: Recording, note: Noted) -> None:
    """Write it where it belongs; where that is not there, on what is."""
    session = exchange = None
    with contextlib.suppress(StorageError):
        session = None if note.session is None else store.session(recording, note.session)
        exchange = None if session is None or note.exchange is None else store.exchange(session, note.exchange).id
    store.add_note(note.text, recording, session, exchange, note.written)


def _behind(first: Placed, rest: Iterable[Placed]) -> Iterator[Placed]:
    yield first
    yield from rest


def heard(placed: Iterable[Placed], now: int, bodies: Bodies = Bodies.FULL) -> Iterator[list[Record | LeftOut]]:
    """The records of all that is said, statement by statement; `now` is when sessions were opened that do not say."""
    hearing: Hearing | None = None
    line = 0
    for line, statement in placed:
        try:
            if isinstance(statement, Begun):
                if hearing is not None:
                    hearing.close()
                    yield hearing.take()
                hearing = Hearing(statement, now, bodies)
            elif hearing is not None:
                hearing.hear(statement)
            elif isinstance(statement, Event):
                yield [statement]
        except WrongError as error:
            raise error.at(line) from error
        if hearing is not None and (records := hearing.take()):
            yield records
    if hearing is not None:
        try:
            hearing.close()
        except WrongError as error:
            raise error.at(line) from error
        yield hearing.take()
