"""What a session says itself that it lacks: its gap events, as ranges of offsets."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

from sqlalchemy import select

from proxy.imap.transcript import Direction, EventKind
from storage import tables

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection

_event = tables.event.c


class Gaps:
    """The ranges of one direction that were never recorded."""

    def __init__(self, ranges: Iterable[tuple[int, int]]) -> None:
        """`ranges` are first offset and the one behind the last, in any order; they may overlap."""
        self._ranges: list[tuple[int, int]] = []
        for start, end in sorted(ranges):
            if self._ranges and start <= self._ranges[-1][1]:
                first, last = self._ranges.pop()
                self._ranges.append((first, max(last, end)))
            else:
                self._ranges.append((start, end))

    @property
    def end(self) -> int:
        """The offset behind the last byte that is known to be missing."""
        return self._ranges[-1][1] if self._ranges else 0

    def cover(self, start: int, end: int) -> bool:
        """Whether all bytes from `start` up to `end` are said to be missing."""
        before = bisect_right(self._ranges, start, key=lambda each: each[0])
        return start >= end or (before > 0 and end <= self._ranges[before - 1][1])


def gaps_of(connection: Connection, session: int) -> tuple[bool, dict[Direction, Gaps]]:
    """Whether the session of this id lacks anything, be it bytes or records; and the bytes, by direction."""
    columns = select(_event.direction, _event.offset, _event.length)
    rows = connection.execute(columns.where(_event.session_id == session, _event.kind == EventKind.GAP.value)).all()
    placed = [row for row in rows if row.offset is not None and row.length is not None]
    sides = ((side, (row for row in placed if row.direction == side)) for side in Direction)
    return bool(rows), {side: Gaps((row.offset, row.offset + row.length) for row in mine) for side, mine in sides}
