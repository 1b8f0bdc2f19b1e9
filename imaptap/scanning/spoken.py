"""Passwords that a recording has in clear: what was said is heard once more as if it were being recorded (M 7.2-7.6).

What the recorder would have masked, and what is there nevertheless, was written by hand, or by something else.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from proxy.imap.transcript import Direction, Event, EventKind, Layer, Piece
from storage.cassette import WrongError
from storage.cassette.hearing import Hearing
from storage.cassette.values import Answered, Begun, Hole, Own, Said, Told, Unkept

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from storage.cassette.values import Statement

_FILLER: Final = b"x" * (1 << 20)
_FILLED_MOST: Final = 1 << 30
"""Bytes of a session that may be missing."""
_SAID: Final = {"login": "LOGIN", "authenticate": "SASL answer", "sasl": "SASL answer", "echo": "password said again"}
"""By the class of what the recorder would mask. A server's challenges are no passwords."""
_AGAIN_LEAST: Final = 4
"""A shorter one is also a word like any other."""


class Spoken(NamedTuple):
    """Bytes start..end of one side of a session, and what they are in."""

    session: int
    side: Direction
    start: int
    end: int
    what: str


def spoken(statements: Iterable[Statement]) -> Iterator[Spoken]:
    """All passwords that are told in these statements and are no masks, roughly in their order."""
    listener: _Listener | None = None
    for statement in statements:
        if isinstance(statement, Begun):
            if listener is not None:
                yield from listener.close()
            listener = _Listener(statement)
        elif listener is not None:
            yield from listener.hear(statement)
    if listener is not None:
        yield from listener.close()


@dataclass
class _Side:
    """One stream of a session. `said` is what the language has heard and not told yet; `position` where that begins."""

    position: int = 0
    said: bytearray = field(default_factory=bytearray)
    secrets: list[Event] = field(default_factory=list[Event])
    holes: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])

    @property
    def end(self) -> int:
        return self.position + len(self.said)

    def lost(self, start: int, end: int) -> bool:
        """Whether nobody knows what was said there."""
        return any(first < end and start < last for first, last in self.holes)


class _Listener:
    """Hears one session, and compares what was said with what would be recorded of it."""

    def __init__(self, begun: Begun) -> None:
        # All follows from the bytes here, whatever else the session tells: that may be wrong.
        self._hearing = Hearing(begun._replace(told=Told.BYTES), 0)
        self._session = begun.number
        self._sides = {side: _Side() for side in Direction}
        self._last = 0, Layer.PLAIN
        self._room = _FILLED_MOST

    def hear(self, statement: Statement) -> Iterator[Spoken]:
        """Go on with a statement. Where more is missing than there can be, nothing that follows is heard."""
        if self._room < 0 or (isinstance(statement, Hole | Unkept) and statement.length > self._room):
            self._room = -1
        elif isinstance(statement, Said):
            self._last = statement.at, statement.layer
            yield from self._hear(statement)
        elif isinstance(statement, Hole | Unkept):
            yield from self._fill(statement)
        elif isinstance(statement, Own | Answered):
            with contextlib.suppress(WrongError):
                self._hearing.hear(statement)
            yield from self._told()

    def close(self) -> Iterator[Spoken]:
        """The session is over."""
        self._hearing.close()
        yield from self._told()

    def _hear(self, said: Said) -> Iterator[Spoken]:
        self._sides[said.direction].said += said.data
        self._hearing.hear(said)
        yield from self._told()

    def _fill(self, missing: Hole | Unkept) -> Iterator[Spoken]:
        """Something as long is heard in place of what is not there."""
        side, (at, layer) = self._sides[missing.direction], self._last
        self._room -= missing.length
        if isinstance(missing, Hole):
            side.holes.append((side.end, side.end + missing.length))
        for begin in range(0, missing.length, len(_FILLER)):
            yield from self._hear(Said(missing.direction, at, layer, _FILLER[: missing.length - begin]))

    def _told(self) -> Iterator[Spoken]:
        for record in self._hearing.take():
            if isinstance(record, Event) and record.kind is EventKind.SECRET and record.direction is not None:
                self._sides[record.direction].secrets.append(record)
            elif isinstance(record, Piece):
                yield from self._compared(record)

    def _compared(self, piece: Piece) -> Iterator[Spoken]:
        """The secrets of this piece that are there: of what is masked now, bytes that were no masks before."""
        side = self._sides[piece.direction]
        said, masked = bytes(side.said[: len(piece.data)]), bytes(piece.data) if side.secrets else b""
        del side.said[: len(piece.data)]
        side.position += len(said)
        open_still = list[Event]()
        for event in side.secrets:
            start, end = event.offset or 0, (event.offset or 0) + (event.length or 0)
            first, last = max(0, start - piece.offset), end - piece.offset
            clear = said[first:last].lower() != masked[first:last] and not side.lost(start, end)
            if clear and (what := _what(event, piece.direction)):
                yield Spoken(self._session, piece.direction, start, end, what)
            elif end > side.position:
                open_still.append(event)
        side.secrets = open_still
        side.holes = [hole for hole in side.holes if hole[1] > side.position]


def _what(event: Event, side: Direction) -> str | None:
    again = event.name == "echo"
    if (again and (event.length or 0) < _AGAIN_LEAST) or (event.name == "sasl" and side is Direction.SERVER):
        return None
    return _SAID.get(event.name)
