"""A conversation played into the language, cut as you like, and what was heard of it.

Time stands still while one side speaks: all chunks of a turn get the same `at`, so that the records of two runs
that differ only in their cuts can be compared whole.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from proxy.imap.conversation import Conversation
from proxy.imap.transcript import (
    Direction,
    Ending,
    Event,
    EventKind,
    Exchange,
    Layer,
    Piece,
    Record,
    SessionClosed,
    Span,
)
from proxy.imap.units import Boundary, UnitReader

CLIENT, SERVER = Direction.CLIENT, Direction.SERVER
Cut = Callable[[bytes], Iterable[bytes]]


@dataclass(frozen=True, slots=True)
class Said:
    """Bytes that one side sends."""

    direction: Direction
    data: bytes
    layer: Layer = Layer.PLAIN


@dataclass(frozen=True, slots=True)
class Secured:
    """TLS begins here."""


Turn = Said | Secured


def client(data: bytes) -> Said:
    """The client sends these bytes."""
    return Said(CLIENT, data)


def server(data: bytes) -> Said:
    """The server sends these bytes."""
    return Said(SERVER, data)


def lines(*texts: str) -> list[Turn]:
    """`lines("C: a NOOP", "S: a OK")`: one line each, CRLF added, characters up to U+00FF as bytes."""
    sides = {"C: ": CLIENT, "S: ": SERVER}
    return [Said(sides[text[:3]], text[3:].encode("latin-1") + b"\r\n") for text in texts]


def whole(data: bytes) -> list[bytes]:
    """Not cut at all."""
    return [data]


def bytewise(data: bytes) -> Iterator[bytes]:
    """Cut after every byte."""
    return (data[i : i + 1] for i in range(len(data)))


def after_cr(data: bytes) -> list[bytes]:
    """Cut between CR and LF."""
    return [part for part in data.replace(b"\r", b"\r\0CUT").split(b"\0CUT") if part]


def at_random(seed: int) -> Cut:
    """Cut at random, in parts short and long."""
    dice = random.Random(seed)  # noqa: S311 - no secret hangs on it

    def cut(data: bytes) -> Iterator[bytes]:
        pos = 0
        while pos < len(data):
            length = dice.choice((1, 2, 3, 7, 64, 1400))
            yield data[pos : pos + length]
            pos += length

    return cut


def turns(said: Iterable[Turn]) -> Iterator[Turn]:
    """What one side says without the other between, joined: the coarsest cut there is."""
    for kind, run in itertools.groupby(said, key=lambda x: (x.direction, x.layer) if isinstance(x, Said) else None):
        if kind is None:
            yield from run
        else:
            yield Said(kind[0], b"".join(x.data for x in run if isinstance(x, Said)), kind[1])


@dataclass(frozen=True, slots=True)
class Heard:
    """All records of a session."""

    records: list[Record]

    @property
    def exchanges(self) -> list[Exchange]:
        """Every exchange as last told, by number."""
        last = {x.number: x for x in self.records if isinstance(x, Exchange)}
        return [last[number] for number in sorted(last)]

    @property
    def secrets(self) -> list[Event]:
        """The events of masked secrets."""
        return [x for x in self.records if isinstance(x, Event) and x.kind is EventKind.SECRET]

    @property
    def events(self) -> list[Event]:
        """All other events."""
        return [x for x in self.records if isinstance(x, Event) and x.kind is not EventKind.SECRET]

    @property
    def closed(self) -> SessionClosed:
        """The session's end."""
        (closed,) = (x for x in self.records if isinstance(x, SessionClosed))
        return closed

    def pieces(self, direction: Direction) -> list[Piece]:
        """The pieces of one direction as they came."""
        return [x for x in self.records if isinstance(x, Piece) and x.direction is direction]

    def spans(self, direction: Direction) -> list[Span]:
        """The spans of one direction as they came."""
        return [x for x in self.records if isinstance(x, Span) and x.direction is direction]

    def stream(self, direction: Direction) -> bytes:
        """One direction, masked, put together from its pieces."""
        return b"".join(x.data for x in self.pieces(direction))

    def layers(self, direction: Direction) -> list[tuple[Layer, int]]:
        """How many bytes of one direction came in which layer, in order."""
        runs = itertools.groupby(self.pieces(direction), key=lambda x: x.layer)
        return [(layer, sum(len(x.data) for x in run)) for layer, run in runs]

    @property
    def facts(self) -> list[object]:
        """All that must not depend on how the streams were cut."""
        streams = [(self.stream(d), self.layers(d)) for d in Direction]
        rest = [x for x in self.records if not isinstance(x, Piece | Exchange)]
        # How often an open exchange is told depends on how often somebody looks.
        return [*streams, *self.exchanges, *rest]

    @property
    def but_for_secrets(self) -> list[object]:
        """The same without the events that say where secrets were masked; the streams show it."""
        return [x for x in self.facts if x not in self.secrets]


def play(
    said: Iterable[Turn],
    cut: Cut = whole,
    *,
    between: Callable[[Conversation], None] | None = None,
    ending: Ending = Ending.CLIENT,
    decode: bool = True,
) -> Heard:
    """Play a session to its end. `between` is called after every chunk."""
    conversation = Conversation(1, decode=decode)
    heard: list[Record] = []
    at = 0
    for turn in turns(said):
        at += 1000
        if isinstance(turn, Secured):
            conversation.secured()
            continue
        for chunk in cut(turn.data):
            conversation.receive(turn.direction, chunk, at, turn.layer)
            if between:
                between(conversation)
            heard += conversation.take()
    conversation.close(at + 1000, ending, "")
    return Heard(heard + conversation.take())


def sent(said: Iterable[Turn], direction: Direction) -> bytes:
    """All that one side has sent."""
    return b"".join(x.data for x in said if isinstance(x, Said) and x.direction is direction)


def cut_spans(stream: bytes, direction: Direction, spans: Iterable[Span]) -> Iterator[tuple[int, int, Span]]:
    """Where the units of these spans of a stream begin and end, each with its span."""
    for span in spans:
        reader, start, pos = UnitReader(direction), span.start, span.start
        while pos < span.end:
            boundary, pos = reader.read(stream[: span.end], pos)
            if boundary is Boundary.UNIT:
                reader.take_unit()
                yield start, pos, span
                start = pos
        if start < span.end:
            yield start, span.end, span
