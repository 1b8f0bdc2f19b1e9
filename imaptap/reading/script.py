"""A session as a script: each exchange with its lines, and what else was said or happened, in the order of time."""

from __future__ import annotations

import heapq
import itertools
from typing import TYPE_CHECKING

from imaptap.reading.spans import Groups, unfinished
from imaptap.reading.values import ENDLESS, Entry, Line, Rest, Skipped
from imaptap.reading.wire import Wire
from proxy.imap.transcript import Direction, EventKind, Exchange

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from proxy.imap.transcript import Event, Span
    from storage import Session, Store

_SHOWN = [kind for kind in EventKind if kind is not EventKind.SECRET]


class Script:
    """Reads one session. With `bodies`, the contents of literals too; `most` is how many lines `whole` has of each."""

    def __init__(self, store: Store, session: Session, *, bodies: bool = False, most: int | None = None) -> None:
        self._store, self._session, self._bodies, self._most = store, session, bodies, most
        self._wires = [Wire(store, session, direction, bodies=bodies) for direction in Direction]
        self._loose = [Wire(store, session, direction, bodies=bodies) for direction in Direction]
        self._told = dict.fromkeys(Direction, 0)

    def whole(self) -> Iterator[Entry]:
        """All of it: each exchange is followed by its lines; what belongs to none stands where it was said."""
        asides = _Asides(heapq.merge(self._lines_of_nobody(), self._unfinished(), self._events(), key=_at))
        spans = Groups(self._store.spans(self._session))
        for stored in self._store.exchanges(self._session):
            yield from asides.before(stored.exchange.started)
            yield stored.exchange
            lines = self._lines(spans.of(stored.exchange.number))
            for line in lines if self._most is None else _shortened(lines, stored.exchange.number, self._most):
                yield from asides.before(line.at)
                yield line
        yield from asides.rest()
        yield from self._rest()

    def exchange(self, exchange: Exchange) -> Iterator[Entry]:
        """One exchange, and what happened while it was open."""
        events = (e for e in self._events() if exchange.started <= e.at <= (exchange.ended or e.at))
        asides = _Asides(events)
        yield exchange
        for line in self._lines(self._store.spans(self._session, exchange.number)):
            yield from asides.before(line.at)
            yield line
        yield from asides.rest()

    def _lines(self, spans: Iterable[Span]) -> Iterator[Line]:
        sides: tuple[list[Span], list[Span]] = ([], [])
        for span in spans:
            sides[span.direction].append(span)
            self._told[span.direction] += span.end - span.start
        lines = (wire.lines(mine) for wire, mine in zip(self._wires, sides, strict=True))
        return heapq.merge(*lines, key=_at)

    def _lines_of_nobody(self) -> Iterator[Line]:
        sides = (wire.lines(self._spans_of_nobody(side)) for wire, side in zip(self._loose, Direction, strict=True))
        return heapq.merge(*sides, key=_at)

    def _spans_of_nobody(self, direction: Direction) -> Iterator[Span]:
        for span in self._store.spans(self._session, 0):
            if span.direction is direction:
                self._told[direction] += span.end - span.start
                yield span

    def _unfinished(self) -> Iterator[Line]:
        ends = dict.fromkeys(Direction, 0)
        for span in self._store.spans(self._session):
            ends[span.direction] = max(ends[span.direction], span.end)
        return heapq.merge(*map(self._lines_from, unfinished(self._store, self._session, ends)), key=_at)

    def _lines_from(self, span: Span) -> Iterator[Line]:
        for line in Wire(self._store, self._session, span.direction, bodies=self._bodies).lines([span]):
            self._told[span.direction] = ENDLESS
            yield line

    def _events(self) -> Iterator[Event]:
        return self._store.events(self._session, *_SHOWN)

    def _rest(self) -> Iterator[Rest]:
        """How much was not shown, for want of lines: other protocols, and what came just before a crash."""
        counts = zip(Direction, (self._session.client_bytes, self._session.server_bytes), strict=True)
        client, server = (max(0, (count or 0) - self._told[side]) for side, count in counts)
        if client or server:
            yield Rest(client, server)


class _Asides:
    """Lines and events in the order of time, to be taken up to a moment."""

    def __init__(self, entries: Iterable[Line | Event]) -> None:
        self._entries = iter(entries)
        self._next = next(self._entries, None)

    def before(self, at: int) -> Iterator[Line | Event]:
        while self._next is not None and self._next.at < at:
            yield self._next
            self._next = next(self._entries, None)

    def rest(self) -> Iterator[Line | Event]:
        if self._next is not None:
            yield self._next
            yield from self._entries


def _shortened(lines: Iterator[Line], exchange: int, most: int) -> Iterator[Line | Skipped]:
    """The first lines of an exchange and its last one, `most` together; a single one is not left out."""
    yield from itertools.islice(lines, most - 1)
    skipped = -1
    before = last = None
    for line in lines:
        before, last = last, line
        skipped += 1
    if skipped > 1 and last is not None:
        yield Skipped(last.at, skipped, exchange)
    elif before is not None:
        yield before
    if last is not None:
        yield last


def _at(entry: Line | Event) -> int:
    return entry.at
