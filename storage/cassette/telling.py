"""A stored session as the statements of a cassette, both sides in the order of time."""

from __future__ import annotations

import heapq
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from proxy.imap.transcript import Direction, Ending, EventKind, Origin, Outcome
from storage.cassette.values import Answered, Begun, Body, Header, Hole, Over, Own, Said, Told, Unkept
from storage.recover import cut_exchange, cut_session

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from proxy.imap.transcript import Event, Exchange
    from storage.cassette.values import Statement
    from storage.store import Store
    from storage.values import Recording, Session, StoredPiece

_ANSWERED: Final = "answered by imaptap"
_STILL_OPEN: Final = "it was open when it was exported"

Timed = tuple[int, list["Statement"]]
"""Statements that belong to one moment."""


def told_recording(recording: Recording) -> Header:
    """What is said of the recording as a whole."""
    ended = recording.ended if recording.ended is not None else recording.seen
    return Header(recording.started, ended, recording.version, recording.settings)


def ended(store: Store, session: Session) -> Session:
    """The session with an ending: one that is still open is cut here."""
    if session.ending is not None:
        return session
    with store.reading() as connection:
        return replace(cut_session(connection, session), ending=Ending.CUT, reason=_STILL_OPEN)


def told_session(store: Store, session: Session, told: Told) -> Iterator[Statement]:
    """All that there is to say of a session that has ended (`ended`). Placeholders are events, too."""
    yield Begun(session.number, session.wall, session.client, session.listen, session.upstream, told)
    happened = heapq.merge(_events(store, session), _own(store, session, told), key=_moment)
    waiting = next(happened, None)
    for at, statements in _streams(store, session):
        while waiting is not None and waiting[0] < at:
            yield from waiting[1]
            waiting = next(happened, None)
        yield from statements
    if waiting is not None:
        yield from waiting[1]
    for _, statements in happened:
        yield from statements
    if told is Told.EVERYTHING:
        yield from exchanges(store, session)
        yield from store.spans(session)
    yield _over(session, told)


def _moment(timed: Timed) -> int:
    return timed[0]


def _over(session: Session, told: Told) -> Over:
    everything = told is Told.EVERYTHING
    counts = (session.client_bytes, session.server_bytes) if everything else (None, None)
    return Over(session.at_end or 0, session.ending or Ending.CUT, session.reason or "", *counts)


def exchanges(store: Store, session: Session) -> Iterator[Exchange]:
    """Those of a session by number; what is still open is told as it stands."""
    for stored in store.exchanges(session):
        if stored.exchange.outcome is not Outcome.OPEN:
            yield stored.exchange
            continue
        with store.reading() as connection:
            yield cut_exchange(connection, stored).exchange


def _events(store: Store, session: Session) -> Iterator[Timed]:
    """In their order; one that is told late stays behind those told before it."""
    newest = 0
    for event in store.events(session):
        newest = max(newest, event.at)
        yield newest, [event]


def _own(store: Store, session: Session, told: Told) -> Iterator[Timed]:
    """What imaptap itself said, which no stream has: the language has to hear it to understand the rest."""
    if told is Told.EVERYTHING:
        return
    said: list[Timed] = []
    for exchange in exchanges(store, session):
        if exchange.origin is Origin.PROXY:
            said.append((exchange.started, [Own(exchange.started, _line(exchange))]))
        elif _ANSWERED in exchange.marks and exchange.ended is not None:
            words = exchange.tag, exchange.status or "", exchange.text or ""
            said.append((exchange.ended, [Answered(exchange.ended, *words)]))
    yield from sorted(said, key=_moment)


def _line(exchange: Exchange) -> str:
    return " ".join(word for word in (exchange.tag, exchange.command, exchange.arguments) if word)


def _streams(store: Store, session: Session) -> Iterable[Timed]:
    return heapq.merge(*(_stream(store, session, direction) for direction in Direction), key=_moment)


def _stream(store: Store, session: Session, direction: Direction) -> Iterator[Timed]:
    """One side, a chunk or a part of one at a time."""
    position, literal = 0, None
    for piece in store.pieces(session, direction):
        before: list[Statement] = []
        if piece.offset > position:
            before.append(Hole(direction, piece.offset - position))
        if piece.literal is not None and piece.literal != literal:
            before.append(Body(direction, piece.literal))
        position, literal = piece.end, piece.literal
        for at, statement in _parts(store, direction, piece):
            yield at, [*before, statement]
            before = []


def _parts(store: Store, direction: Direction, piece: StoredPiece) -> Iterator[tuple[int, Statement]]:
    if piece.left_out is not None and piece.literal is not None:
        sha256 = bytes.fromhex(piece.left_out)
        _, at = piece.chunks[0]
        yield at, Unkept(direction, at, piece.layer, piece.length, piece.chunks, piece.literal, sha256)
        return
    data = store.body(piece.blake3 or "") if piece.data is None else piece.data
    start = 0
    for length, at in piece.chunks:
        yield at, Said(direction, at, piece.layer, data[start : start + length])
        start += length


def placeholders(store: Store, session: Session) -> list[Event]:
    """The places of a session that vary."""
    return list(store.events(session, EventKind.VARIES))
