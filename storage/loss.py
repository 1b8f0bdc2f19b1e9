"""What could not be written: counted, so that the recording can say what it lacks as soon as it can be written again.

Records are let go here when the database has failed for so long that keeping them would mean stopping the traffic.
Openings and endings of sessions are kept, being few: a session that lives on gets its row, one whose row is there gets
its ending. All else is counted, for each session and, of its bytes, for each direction.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from proxy.imap.transcript import (
    Direction,
    Event,
    EventKind,
    Exchange,
    Piece,
    Record,
    SessionClosed,
    SessionOpened,
    Span,
)
from storage.left_out import LeftOut


@dataclass(slots=True)
class _Hole:
    """What one session lost. `ranges` are first and last offset by direction."""

    at: int | None = None
    records: int = 0
    ranges: dict[Direction, tuple[int, int]] = field(default_factory=dict[Direction, tuple[int, int]])

    def add(self, record: Record | LeftOut) -> None:
        self.records += 1
        at = _moment(record)
        if at is not None and (self.at is None or at < self.at):
            self.at = at
        if isinstance(record, Piece):
            self._add(record.direction, record.offset, record.offset + len(record.data))
        elif isinstance(record, LeftOut):
            self._add(record.direction, record.end - record.fresh, record.end)

    def _add(self, direction: Direction, start: int, end: int) -> None:
        first, last = self.ranges.get(direction, (start, end))
        self.ranges[direction] = (min(first, start), max(last, end))

    @property
    def bytes(self) -> int:
        """How many are missing, however often one of them was let go."""
        return sum(last - first for first, last in self.ranges.values())


class Loss:
    """Everything lost since `since` (microseconds since 1970 UTC) because of `reason`."""

    def __init__(self, since: int, reason: str) -> None:
        self.since = since
        self.reason = reason
        self.records = 0
        self.sessions = 0
        self._whole_bytes = 0
        self._holes: dict[int, _Hole] = {}
        self._opened: dict[int, SessionOpened] = {}
        self._closed: list[SessionClosed] = []

    def __bool__(self) -> bool:
        return bool(self.records or self.sessions or self._opened or self._closed)

    @property
    def bytes(self) -> int:
        """How many are missing, in all."""
        return self._whole_bytes + sum(hole.bytes for hole in self._holes.values())

    def take(self, record: Record | LeftOut) -> None:
        """Let `record` go, and remember that it was."""
        if isinstance(record, SessionOpened):
            self._opened[record.session] = record
        elif isinstance(record, SessionClosed):
            self._close(record)
        else:
            self._count(record)

    def _close(self, record: SessionClosed) -> None:
        if self._opened.pop(record.session, None) is None:
            self._closed.append(record)
        else:  # began and ended unseen
            hole = self._holes.pop(record.session, None)
            self._whole_bytes += hole.bytes if hole else 0
            self.sessions += 1

    def _count(self, record: Piece | LeftOut | Span | Exchange | Event) -> None:
        self.records += 1
        if record.session is not None:
            self._holes.setdefault(record.session, _Hole()).add(record)

    def summary(self) -> str:
        """One line for people."""
        sessions = f" and {self.sessions} whole sessions" if self.sessions else ""
        return f"{self.records} records with {self.bytes} bytes{sessions} were not recorded: {self.reason}"

    def testimony(self, now: int, began: int) -> list[Record]:
        """The records that say in the recording what it lacks, and the openings and endings that were kept.

        `now` and `began` (of the recording) are microseconds since 1970 UTC.
        """
        text = f"{self.summary()} From {self.since} to {now} (microseconds since 1970)."
        whole = Event(None, max(0, self.since - began), EventKind.GAP, "not recorded", text)
        holes = [event for session, hole in self._holes.items() for event in self._events(session, hole)]
        return [*self._opened.values(), whole, *holes, *self._closed]

    def _events(self, session: int, hole: _Hole) -> list[Event]:
        text = f"{hole.records} records with {hole.bytes} bytes of this session were not recorded: {self.reason}"
        about = (session, hole.at or 0, EventKind.GAP, "not recorded", text)
        if not hole.ranges:
            return [Event(*about)]
        return [Event(*about, side, first, last - first) for side, (first, last) in sorted(hole.ranges.items())]


def _moment(record: Record | LeftOut) -> int | None:
    if isinstance(record, Piece | LeftOut | Event):
        return record.at
    if isinstance(record, Exchange):
        return record.started
    return record.first_at if isinstance(record, Span) else None
