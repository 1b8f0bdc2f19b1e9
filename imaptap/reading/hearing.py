"""A session for the linter: the units of both directions, in the order in which they were said.

A client's unit stands where its first byte came, a server's where its last one did. Spans, pieces and exchanges are
read as they come, so that a session of any length takes little memory; its masks and rewrites are few, and kept.
"""

from __future__ import annotations

import heapq
from bisect import bisect_right
from typing import TYPE_CHECKING

from imaptap.reading.exchanges import Exchanges
from imaptap.reading.ranges import Ranges
from imaptap.reading.units import Lost, units
from proxy.imap.lint import Finding, Linter, Said
from proxy.imap.transcript import Direction, EventKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proxy.imap.cutter import CutUnit
    from proxy.imap.transcript import Layer, Span
    from storage import Session, Store

TEXT_JUDGED = 1024 * 1024
"""Bytes of a unit that are read. Longer ones are judged by their beginning, and not by the grammar."""


def findings(store: Store, session: Session) -> Iterator[Finding]:
    """All that the linter finds in a session."""
    linter = Linter()
    for heard in Hearing(store, session).whole():
        if isinstance(heard, Lost):
            linter.lose()
        else:
            yield from linter.said(heard)
    over = session.ending is not None and not session.recording.interrupted
    yield from linter.end(session.ending if over else None)


class Hearing:
    """Reads one session."""

    def __init__(self, store: Store, session: Session) -> None:
        self._store, self._session = store, session
        self._exchanges = Exchanges(store, session)
        self._masked = {side: Ranges() for side in Direction}
        self._rewrites: dict[int, bytes] = {}
        for event in store.events(session, EventKind.SECRET, EventKind.REWRITE):
            if event.direction is None or event.offset is None:
                continue
            if event.kind is EventKind.SECRET:
                self._masked[event.direction].add(event.offset, event.offset + (event.length or 0))
            elif event.direction is Direction.SERVER and event.name == "capability":
                self._rewrites[event.offset] = event.sent or b""
        self._offsets = sorted(self._rewrites)
        for ranges in self._masked.values():
            ranges.sort()

    def whole(self) -> Iterator[Said | Lost]:
        """Both directions, and where bytes are no units any more."""
        lost = (Lost(event.at) for event in self._store.events(self._session, EventKind.RAW))
        sides = (self._side(side) for side in Direction)
        return heapq.merge(*sides, lost, key=_moment)

    def _side(self, direction: Direction) -> Iterator[Said | Lost]:
        spans = self._store.stream_spans(self._session, direction)
        torn: Span | None = None
        for found in units(self._store, self._session, direction, spans, most=TEXT_JUDGED):
            if isinstance(found, Lost):
                torn = found.span
                yield found
            elif found.span is not torn:
                yield self._said(*found)

    def _said(self, cut: CutUnit, span: Span, layer: Layer) -> Said:
        unit, exchange = cut.unit, self._exchanges.of(span.exchange)
        return Said(
            span.direction, unit, cut.at, cut.ended, layer, exchange, span.certainty, cut.literals_at,
            self._masked[span.direction].between(unit.start, unit.end),
            self._rewritten(unit.start, unit.end) if span.direction is Direction.SERVER else None,
        )  # fmt: skip

    def _rewritten(self, start: int, end: int) -> bytes | None:
        index = bisect_right(self._offsets, start - 1)
        there = index < len(self._offsets) and self._offsets[index] < end
        return self._rewrites[self._offsets[index]] if there else None


def _moment(heard: Said | Lost) -> int:
    return heard.ended if isinstance(heard, Said) and heard.direction is Direction.SERVER else heard.at
