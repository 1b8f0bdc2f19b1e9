"""What a cassette says, as the records that the wire would make of it.

Where a session tells its bytes only, or its events too, the language hears them again and says what exchanges they
are, masking secrets. Where it tells everything, what it tells is passed on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from proxy.imap.conversation import Conversation
from proxy.imap.letters.policy import Bodies
from proxy.imap.transcript import (
    Direction,
    Ending,
    Event,
    EventKind,
    Exchange,
    Layer,
    LiteralPart,
    Piece,
    Record,
    SessionClosed,
    SessionOpened,
    Span,
)
from storage.cassette.errors import WrongError
from storage.cassette.leaving import Leaving, leaves_out
from storage.cassette.values import Answered, Begun, Body, Hole, Over, Own, Said, Told, Unkept
from storage.cassette.words import REASON
from storage.left_out import LeftOut

if TYPE_CHECKING:
    from collections.abc import Iterable

    from storage.cassette.values import Statement

_TOGETHER: Final = 64 * 1024
_FILLER: Final = b"x" * (1 << 20)
_UNKEPT_MOST: Final = 1 << 36
_WITHOUT = "Leave --bodies out, and anonymise the recording at --level bodies"
_EVERYTHING = "Say so where the session begins: session tells=everything"


class Hearing:
    """Hears one session. `take` the records after each statement, or after several."""

    def __init__(self, begun: Begun, wall: int, bodies: Bodies = Bodies.FULL) -> None:
        """`wall` is when it was opened, if the cassette does not say so; `bodies` is what is kept of letters.

        Where not everything is, the language says what is of a letter, so that it hears all sessions.
        """
        self.told = begun.told
        self._session = begun.number
        opened = begun.wall if begun.wall is not None else wall
        first = SessionOpened(begun.number, opened, begun.client, begun.listen, begun.upstream)
        self._records: list[Record | LeftOut] = [first]
        given = begun.told is Told.EVERYTHING and bodies is Bodies.FULL
        self._ear = _Given(begun.number) if given else _Heard(begun, bodies)
        self._parts: list[bytes] = []
        self._size = 0
        self._key: tuple[Direction, int, Layer] | None = None
        self._now = 0
        self.over = False
        """Whether its end was told."""

    def take(self) -> list[Record | LeftOut]:
        """The records made since the last time."""
        records, self._records = self._records, []
        return records

    def hear(self, statement: Statement) -> None:
        """Go on with a statement of this session. Raises WrongError where it does not fit."""
        if isinstance(statement, Said):
            self._said(statement)
            return
        self._pass_on()
        self._records += self._happened(statement)

    def close(self) -> None:
        """The cassette ends, or goes on with another session."""
        if not self.over:
            self.hear(Over(self._now, Ending.CLIENT, REASON))

    def _said(self, said: Said) -> None:
        key = (said.direction, said.at, said.layer)
        if key != self._key or self._size > _TOGETHER:
            self._pass_on()
            self._key = key
        offset = self._ear.received(said.direction) + self._size
        for name, start, length in said.varies:
            place = (said.direction, offset + start, length)
            self._records.append(Event(self._session, said.at, EventKind.VARIES, name, "", *place))
        self._parts.append(said.data)
        self._size += len(said.data)
        self._now = said.at

    def _pass_on(self) -> None:
        """What was gathered of one chunk is heard."""
        if self._key is not None and self._size:
            direction, at, layer = self._key
            self._records += self._ear.receive(direction, b"".join(self._parts), at, layer)
        self._parts, self._size, self._key = [], 0, None

    def _happened(self, statement: Statement) -> Iterable[Record | LeftOut]:
        match statement:
            case Event():
                return [self._ear.event(statement)]
            case Unkept():
                self._now = statement.chunks[-1][1]
                return self._ear.unkept(statement)
            case Over():
                self.over = True
                return self._ear.close(statement)
            case _:
                return self._ear.other(statement)


class _Heard:
    """Has the bytes understood again."""

    def __init__(self, begun: Begun, bodies: Bodies) -> None:
        self._session = begun.number
        self._conversation = Conversation(begun.number, recorded=True, bodies=bodies)
        self._leaving = None if bodies is Bodies.FULL else Leaving(bodies)
        self._told = begun.told
        self._unkept: dict[Direction, tuple[int, int]] = {}
        """Where the literals lie that were not kept last: from where to where."""

    def received(self, direction: Direction) -> int:
        return self._conversation.received(direction)

    def event(self, event: Event) -> Event:
        """An event that is told."""
        return self._leaving.told(event) if self._leaving else event

    def receive(self, direction: Direction, data: bytes, at: int, layer: Layer) -> list[Record]:
        due = self._leaving.due(at) if self._leaving else []
        self._conversation.receive(direction, data, at, layer)
        return [*due, *self._take()]

    def other(self, statement: Statement) -> list[Record]:
        match statement:
            case Own():
                if not (statement.line.isascii() and statement.line.strip()):
                    raise WrongError(1, "a command of imaptap's own is not empty, and ASCII", "It was STARTTLS so far.")
                self._conversation.proxy_command(statement.line.encode(), statement.at)
            case Answered():
                tag, status, text = statement.tag.encode(), statement.status, statement.text
                self._conversation.answer(tag, status, text, statement.at)
            case Body():
                pass
            case Exchange() | Span() if self._told is Told.EVERYTHING:
                pass  # they follow from the bytes, as what is left out does
            case Hole() if self._told is Told.EVERYTHING:
                raise WrongError(1, "where bytes were lost, nobody knows what is of a letter", _WITHOUT)
            case _:
                raise WrongError(1, "a session that does not tell everything cannot say this", _EVERYTHING)
        return self._take()

    def unkept(self, unkept: Unkept) -> list[Record | LeftOut]:
        """The language hears any bytes in their place; none of those are put on record."""
        if unkept.length > _UNKEPT_MOST:  # the language hears it byte by byte
            raise WrongError(1, f"a literal of {unkept.length:,} bytes was never recorded", "Say a length that can be")
        records: list[Record | LeftOut] = [*self._take()]
        start = self.received(unkept.direction)
        self._unkept[unkept.direction] = (start, start + unkept.length)
        for length, at in unkept.chunks:
            for begin in range(0, length, len(_FILLER)):
                data = _FILLER[: length - begin]
                self._conversation.receive(unkept.direction, data, at, unkept.layer)
                records += self._take()
        if self._leaving and not self._leaving.hashes:
            unkept = unkept._replace(sha256=b"")
        return [*records, left_out(self._session, unkept, start)]

    def close(self, over: Over) -> list[Record]:
        self._conversation.close(over.at, over.ending, over.reason)
        records = [_counted(each, over) if isinstance(each, SessionClosed) else each for each in self._take()]
        return [*(self._leaving.due(over.at + 1) if self._leaving else ()), *records]

    def _take(self) -> list[Record]:
        return [each for each in self._conversation.take() if self._wanted(each)]

    def _wanted(self, record: Record) -> bool:
        if isinstance(record, Event):
            if self._leaving and leaves_out(record):
                self._leaving.heard(record)
                return False
            return self._told is Told.BYTES
        if isinstance(record, Piece) and record.direction in self._unkept:
            start, end = self._unkept[record.direction]
            first, last = record.offset, record.offset + len(record.data)
            outside = record.literal is None or not start <= first <= last <= end
            if first < end and last > start and outside:
                what = "the bytes that were not kept are not those of a literal"
                literal = "A literal of 4096 bytes or more may be left out, as a whole."
                raise WrongError(1, what, _WITHOUT if self._told is Told.EVERYTHING else literal)
            return not start <= first < end
        return True


class _Given:
    """Passes on what is told."""

    def __init__(self, session: int) -> None:
        self._session = session
        self._received = dict.fromkeys(Direction, 0)
        self._literals: dict[Direction, LiteralPart] = {}

    def received(self, direction: Direction) -> int:
        return self._received[direction]

    def event(self, event: Event) -> Event:
        return event

    def receive(self, direction: Direction, data: bytes, at: int, layer: Layer) -> list[Record]:
        pieces: list[Record] = []
        while data:
            offset = self._received[direction]
            literal = self._literals.get(direction)
            size = len(data)
            if literal is not None:
                size = min(size, literal.start + literal.length - offset)
            piece = Piece(self._session, direction, offset, at, layer, data[:size], (), literal)
            pieces.append(piece)
            self._advance(direction, size)
            data = data[size:]
        return pieces

    def other(self, statement: Statement) -> list[Record]:
        match statement:
            case Exchange() | Span():
                return [statement]
            case Body():
                start, length, _ = statement.literal
                if not start <= self._received[statement.direction] < start + length:
                    here = self._received[statement.direction]
                    what = f"byte {here}, where the stream is, does not lie in this body"
                    raise WrongError(1, what, "A body begins where its first byte is said.")
                self._literals[statement.direction] = statement.literal
            case Hole():
                self._advance(statement.direction, statement.length)
            case Own() | Answered():
                pass
            case _:
                raise WrongError(1, "this does not belong into a session", "")
        return []

    def unkept(self, unkept: Unkept) -> list[Record | LeftOut]:
        start = self._received[unkept.direction]
        self._advance(unkept.direction, unkept.length)
        return [left_out(self._session, unkept, start)]

    def close(self, over: Over) -> list[Record]:
        counts = self._received[Direction.CLIENT], self._received[Direction.SERVER]
        return [_counted(SessionClosed(self._session, over.at, over.ending, over.reason, *counts), over)]

    def _advance(self, direction: Direction, size: int) -> None:
        self._received[direction] += size
        literal = self._literals.get(direction)
        if literal is not None and self._received[direction] >= literal.start + literal.length:
            del self._literals[direction]


def left_out(session: int, unkept: Unkept, start: int) -> LeftOut:
    """The record of a literal that was not kept."""
    _, at = unkept.chunks[0]
    place = (session, unkept.direction, start, at, unkept.layer, unkept.literal, unkept.length)
    return LeftOut(*place, unkept.chunks, unkept.sha256, unkept.length)


def _counted(closed: SessionClosed, over: Over) -> SessionClosed:
    client = closed.client_bytes if over.client_bytes is None else over.client_bytes
    server = closed.server_bytes if over.server_bytes is None else over.server_bytes
    return closed._replace(client_bytes=client, server_bytes=server)
