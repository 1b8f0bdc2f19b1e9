"""Recordings sent through a cassette and back, and what has to be equal then."""

from __future__ import annotations

import io
import itertools
from typing import TYPE_CHECKING, Any

from proxy.imap.transcript import Direction, Record, SessionOpened
from storage import Recording, Store, Writer
from storage.cassette import export_cassette, import_cassette
from storage.cassette.telling import ended, exchanges
from tests.storage.scenes import WALL

if TYPE_CHECKING:
    from collections.abc import Iterable

    from storage import Session


def record(
    store: Store, records: Iterable[Record], *, opened: bool = False, max_literal: int | None = None
) -> Recording:
    """A recording of these records; with `opened`, they lack the beginning of their one session."""
    writer = Writer(store, version="0.1.0", settings="of ours", max_literal=max_literal)
    if opened:
        writer.put(SessionOpened(1, WALL, "127.0.0.1:50000", "imaps://localhost:993", "imaps://mail.example:993"))
    for each in records:
        writer.put(each)
    writer.close()
    assert not writer.failed
    return store.recording(str(writer.recording.id))


def exported(store: Store, recording: Recording) -> str:
    """The whole cassette."""
    lines: list[str] = []
    export_cassette(store, recording, lines.append)
    return "".join(lines)


def imported(store: Store, text: str) -> Recording:
    """What a cassette holds, recorded."""
    return import_cassette(store, io.BytesIO(text.encode()))


def trip(store: Store, recording: Recording) -> str:
    """Export, import, export: both cassettes are equal, and so are both recordings. The cassette."""
    text = exported(store, recording)
    again = imported(store, text)
    assert exported(store, again) == text
    assert facts(store, again) == facts(store, recording)
    return text


def facts(store: Store, recording: Recording) -> list[Any]:
    """All that a cassette keeps of a recording."""
    whole = [recording.started, recording.ended or recording.seen, recording.version, recording.settings]
    events = [tuple(event) for event in store.recording_events(recording)]
    return [whole, events, *(_session(store, ended(store, each)) for each in store.sessions(recording))]


def _session(store: Store, session: Session) -> list[Any]:
    who = (session.number, session.wall, session.client, session.listen, session.upstream)
    end = (session.ending, session.reason, session.at_end, session.client_bytes, session.server_bytes)
    index = [list(exchanges(store, session)), list(store.spans(session)), list(store.events(session))]
    return [who, end, *index, *(_stream(store, session, direction) for direction in Direction)]


def _stream(store: Store, session: Session, direction: Direction) -> list[Any]:
    """The bytes of one side by chunk, and where its bodies lie."""
    runs: list[Any] = []
    bodies: list[Any] = []
    for piece in store.pieces(session, direction):
        bodies += [(piece.literal, piece.left_out)] if piece.literal else []
        data = None if piece.left_out else piece.data or store.body(piece.blake3 or "")
        start = 0
        for length, at in piece.chunks:
            part = None if data is None else data[start : start + length]
            runs.append(((at, piece.layer, data is None), piece.offset + start, length, part))
            start += length
    return [list(_joined(runs)), [body for body, _ in itertools.groupby(bodies)]]


def _joined(runs: list[Any]) -> Iterable[Any]:
    """What adjoins and came at one time is one chunk."""
    joined: list[Any] = []
    for key, offset, length, data in runs:
        if joined and joined[-1][0] == key and joined[-1][1] + joined[-1][2] == offset and data is not None:
            before = joined.pop()
            joined.append((key, before[1], before[2] + length, before[3] + data))
        else:
            joined.append((key, offset, length, data))
    return joined
