"""What was read from the wire, chunk by chunk, both sides in the order of time: for formats that keep times."""

from __future__ import annotations

import heapq
from bisect import bisect_left
from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from imaptap.reading.pieces import Pieces
from imaptap.reading.values import ENDLESS
from proxy.imap.transcript import Direction, EventKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imaptap.exporting.selection import Selection
    from imaptap.reading.pieces import TimedPiece
    from proxy.imap.transcript import Event
    from storage import Session


class Chunk(NamedTuple):
    """Bytes of one read, masked, from offset `start` of their stream on. `at` counts from the session's opening."""

    direction: Direction
    at: int
    start: int
    data: bytes


class Missing(NamedTuple):
    """Bytes that the recording has not: a hole, or a literal that was not kept (`left_out`: its SHA-256 or nothing)."""

    direction: Direction
    at: int
    start: int
    length: int
    left_out: str | None = None


def chunks(selection: Selection, session: Session, *, as_sent: bool | None) -> Iterator[Chunk | Missing]:
    """What is wanted of both sides of a session, as it came. Holds a page, and a megabyte of each side.

    As imaptap received it, or `as_sent` on; None: as the client saw it, who sent the one and was sent the other.
    """
    sides = (side_chunks(selection, session, side, as_sent=as_sent) for side in Direction)
    return heapq.merge(*sides, key=lambda each: each.at)


def side_chunks(
    selection: Selection, session: Session, direction: Direction, *, as_sent: bool | None
) -> Iterator[Chunk | Missing]:
    """What is wanted of one side, in the order of its stream. Tells the progress."""
    sent = direction is Direction.SERVER if as_sent is None else as_sent
    side = _Side(selection, session, direction)
    rewrites = _rewrites(selection, session, direction) if sent else []
    offsets = [event.offset or 0 for event in rewrites]
    for start, end in selection.ranges(session, direction):
        mine = rewrites[bisect_left(offsets, start) : None if end is None else bisect_left(offsets, end)]
        found = side.between(start, end)
        yield from _rewritten(found, mine, direction) if mine else found


def _rewrites(selection: Selection, session: Session, direction: Direction) -> list[Event]:
    """By offset; of the same offset in their order. There are few."""
    found = selection.store.events(session, EventKind.REWRITE)
    mine = (each for each in found if each.direction is direction and each.offset is not None)
    return sorted((each for each in mine if each.received or each.sent), key=lambda each: each.offset or 0)


def _rewritten(
    found: Iterator[Chunk | Missing], rewrites: list[Event], direction: Direction
) -> Iterator[Chunk | Missing]:
    """With the bytes that imaptap sent in place of others. What it sent of its own accord has a time of its own."""
    coming = deque(rewrites)
    position = at = 0
    for each in found:
        if isinstance(each, Missing):
            yield each
            continue
        end = each.start + len(each.data)
        position = max(position, each.start)
        while coming and (coming[0].offset or 0) < end:
            event = coming.popleft()
            offset = event.offset or 0
            if offset > position:
                yield each._replace(start=position, data=each.data[position - each.start : offset - each.start])
                at = each.at
            if event.sent:
                at = max(at, min(event.at, each.at))
                yield Chunk(direction, at, offset, event.sent)
            position = max(position, offset + len(event.received or b""))
        if position < end:
            yield each._replace(start=position, data=each.data[position - each.start :])
        at = each.at
    for event in coming:
        if event.sent:
            at = max(at, event.at)
            yield Chunk(direction, at, event.offset or 0, event.sent)


class _Side:
    def __init__(self, selection: Selection, session: Session, direction: Direction) -> None:
        self._selection, self._session, self._direction = selection, session, direction
        self._pieces = Pieces(selection.store, session, direction)
        self._at = 0

    def between(self, start: int, end: int | None) -> Iterator[Chunk | Missing]:
        position = start
        for timed in self._pieces.between(start, ENDLESS if end is None else end):
            piece = timed.piece
            if piece.offset > position:
                yield self._missing(position, piece.offset)
            begin, position = max(position, piece.offset), piece.end if end is None else min(piece.end, end)
            self._at = timed.time_of(begin)
            if piece.left_out is not None:
                yield self._missing(begin, position, piece.left_out)
            else:
                yield from self._chunks(timed, begin, position)
        stop = self._lost_at_end(position) if end is None else end
        if stop > position:
            yield self._missing(position, stop)

    def _missing(self, start: int, end: int, left_out: str | None = None) -> Missing:
        self._selection.progress(end - start)
        return Missing(self._direction, self._at, start, end - start, left_out)

    def _chunks(self, timed: TimedPiece, begin: int, stop: int) -> Iterator[Chunk]:
        piece = timed.piece
        data = piece.data if piece.data is not None else self._selection.store.body(piece.blake3 or "")
        first = piece.offset
        for length, at in piece.chunks or ((piece.length, piece.at),):
            start, end = max(begin, first), min(stop, first + length)
            first += length
            if start < end:
                self._at = at
                part = data[start - piece.offset : end - piece.offset]
                yield Chunk(self._direction, at, start, part)
                self._selection.progress(len(part))

    def _lost_at_end(self, position: int) -> int:
        """Where the stream ends, if its last bytes are among those that were lost; else `position`."""
        for gap in self._selection.store.events(self._session, EventKind.GAP):
            stop = (gap.offset or 0) + (gap.length or 0)
            if gap.direction is self._direction and gap.offset is not None and gap.offset <= position < stop:
                return stop
        return position
