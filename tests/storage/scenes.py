"""Small conversations as the records that the wire would make of them."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from proxy.imap.transcript import (
    Certainty,
    Direction,
    Ending,
    Event,
    EventKind,
    Exchange,
    Layer,
    LiteralPart,
    Origin,
    Outcome,
    Piece,
    Record,
    SessionClosed,
    SessionOpened,
    Span,
)
from storage import Writer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from storage import Session, Store

C, S = Direction.CLIENT, Direction.SERVER
WALL = 1_700_000_000_000_000


def eventually(true: Callable[[], object], seconds: float = 20.0) -> None:
    """Wait until `true()` is; fail when that takes too long."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.005)


def opened(session: int = 1) -> SessionOpened:
    return SessionOpened(session, WALL, "127.0.0.1:50000", "imaps://127.0.0.1:993", "imaps://mail.example:993")


def exchange(number: int = 1, session: int = 1, **changes: Any) -> Exchange:
    whole = Exchange(
        session=session,
        number=number,
        tag=f"a{number}",
        command="UID FETCH",
        arguments="1:* (FLAGS)",
        mailbox="INBOX",
        origin=Origin.CLIENT,
        outcome=Outcome.COMPLETED,
        status="OK",
        code="HIGHESTMODSEQ 5",
        text="Fetch completed.",
        started=1000 * number,
        ended=1000 * number + 350,
        client_bytes=25,
        server_bytes=80,
        responses=(("EXISTS", 1), ("FETCH", 3)),
        marks=("tag reused",),
    )
    return whole._replace(**changes)


def begun(number: int = 1, session: int = 1, **changes: Any) -> Exchange:
    nothing: dict[str, Any] = {"status": None, "code": None, "text": None, "ended": None, "responses": (), "marks": ()}
    return exchange(number, session, **{"outcome": Outcome.OPEN, "server_bytes": 0, **nothing, **changes})


def rewrite(offset: int, received: bytes, sent: bytes, direction: Direction = S) -> Event:
    place = (direction, offset, len(received))
    return Event(1, 5, EventKind.REWRITE, "capability", "hidden", *place, received, sent)


@dataclass
class Wire:
    """One direction of one session: says what it is told and knows what the stream must be."""

    session: int = 1
    direction: Direction = S
    stream: bytearray = field(default_factory=bytearray)
    at: int = 0

    def say(self, data: bytes, literal: LiteralPart | None = None) -> Piece:
        self.at += 10
        piece = Piece(self.session, self.direction, len(self.stream), self.at, Layer.TLS, data, (), literal)
        self.stream += data
        return piece

    def literal(self, data: bytes, chunk: int = 16384) -> list[Piece]:
        part = LiteralPart(len(self.stream), len(data))
        return [self.say(data[first : first + chunk], part) for first in range(0, len(data), chunk)]

    def span(self, start: int, exchange: int | None = 1) -> Span:
        return Span(
            self.session, exchange, self.direction, start, len(self.stream), 10, self.at, 1, Certainty.LIKELY, (1, 2)
        )

    def closed(self, other: int = 0) -> SessionClosed:
        counts = (other, len(self.stream)) if self.direction is S else (len(self.stream), other)
        return SessionClosed(self.session, self.at + 10, Ending.CLIENT, "client said goodbye", *counts)


def record(store: Store, records: Iterable[Record], name: str | None = None) -> Session:
    """Record a whole recording; its first session."""
    writer = Writer(store, name)
    for each in records:
        writer.put(each)
    writer.close()
    assert not writer.failed
    return next(store.sessions(store.recording(str(writer.recording.id))))


def together(blocks: Iterable[bytes]) -> bytes:
    return b"".join(blocks)
