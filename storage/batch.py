"""What is written in one transaction, sorted by table."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from proxy.imap.transcript import Event, Exchange, Piece, Record, SessionClosed, SessionOpened, Span
from storage.bodies import Assembler, Segment
from storage.left_out import LeftOut, Measurer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_ANY_LENGTH: Final = 2**63 - 1  # no literal is longer (RFC 9051 section 9, number64)


@dataclass(slots=True)
class Batch:
    """Records by kind. An exchange that both began and ended in one batch is there once, as it ended."""

    opened: list[SessionOpened] = field(default_factory=list[SessionOpened])
    pieces: list[Piece] = field(default_factory=list[Piece])
    segments: list[Segment] = field(default_factory=list[Segment])
    left_out: list[LeftOut] = field(default_factory=list[LeftOut])
    spans: list[Span] = field(default_factory=list[Span])
    exchanges: dict[tuple[int, int], Exchange] = field(default_factory=dict[tuple[int, int], Exchange])
    events: list[tuple[int, Event]] = field(default_factory=list[tuple[int, Event]])
    closed: list[SessionClosed] = field(default_factory=list[SessionClosed])
    seen: int | None = None

    def __bool__(self) -> bool:
        rows = self.pieces or self.segments or self.left_out or self.exchanges or self.spans or self.events
        return bool(rows or self.opened or self.closed or self.seen is not None)

    @property
    def size(self) -> int:
        """Bytes of the streams in it, those that are left out not counted."""
        return sum(len(piece.data) for piece in self.pieces) + sum(segment.length for segment in self.segments)

    def records(self) -> Iterator[Record | LeftOut]:
        """What it was made of, as far as it is not on the disk yet: for when the batch cannot be written."""
        yield from self.opened
        yield from self.pieces
        yield from (segment.rest() for segment in self.segments)
        yield from self.left_out
        yield from self.spans
        yield from self.exchanges.values()
        yield from (event for _, event in self.events)
        yield from self.closed

    def sessions(self) -> set[int]:
        """The numbers of all sessions that it is about."""
        said = (self.opened, self.pieces, self.segments, self.left_out, self.spans, self.closed)
        numbers = {each.session for kind in said for each in kind}
        numbers.update(session for session, _ in self.exchanges)
        numbers.update(event.session for _, event in self.events if event.session is not None)
        return numbers


class Sorter:
    """Makes batches of records, in the order in which they were put. Knows what literals are under way."""

    def __init__(self, event_numbers: Iterator[int], max_literal: int | None = None) -> None:
        """Of a literal longer than `max_literal` bytes, the content is left out."""
        self._assembler = Assembler()
        self._measurer = Measurer()
        self._max_literal = _ANY_LENGTH if max_literal is None else max_literal
        self._event_numbers = event_numbers

    @property
    def holding(self) -> bool:
        """Whether bytes of unfinished segments are held in memory."""
        return self._assembler.held > 0

    def sort(self, records: Sequence[Record | LeftOut], now: float, *, flush_before: float) -> Batch:
        """A batch of `records`, and of what the assembler has held since `flush_before` (seconds, clock of `now`)."""
        batch = Batch()
        for record in records:
            if isinstance(record, Exchange):
                batch.exchanges[record.session, record.number] = record
            elif isinstance(record, Span):
                batch.spans.append(record)
            elif isinstance(record, Piece):
                self._piece(batch, record, now)
            else:
                self._seldom(batch, record)
        batch.pieces.extend(self._assembler.flush(flush_before))
        batch.left_out.extend(self._measurer.news())
        return batch

    def give_up(self) -> list[Piece]:
        """All that is held, as pieces; what follows will not be joined to it."""
        self._measurer.give_up()
        return list(self._assembler.end_all())

    def _piece(self, batch: Batch, piece: Piece, now: float) -> None:
        literal = piece.literal
        if literal is None:
            if not self._assembler.awaits(piece.session, piece.direction):
                batch.pieces.append(piece)
                return
        elif literal.length > self._max_literal or literal.kept:
            self._measurer.take(piece, literal)
            return
        elif (segment := self._assembler.whole(piece, literal)) is not None:
            batch.segments.append(segment)
            return
        for result in self._assembler.take(piece, now):
            if isinstance(result, Segment):
                batch.segments.append(result)
            else:
                batch.pieces.append(result)

    def _seldom(self, batch: Batch, record: SessionOpened | Event | SessionClosed | LeftOut) -> None:
        if isinstance(record, SessionOpened):
            batch.opened.append(record)
        elif isinstance(record, LeftOut):
            batch.left_out.append(record)
        elif isinstance(record, Event):
            batch.events.append((next(self._event_numbers), record))
        else:
            batch.pieces.extend(self._assembler.end(record.session))
            self._measurer.end(record.session)
            batch.closed.append(record)
