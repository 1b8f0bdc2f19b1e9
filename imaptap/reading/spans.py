"""The spans of a session in the order of their streams, and what lies behind them."""

from __future__ import annotations

import itertools
import operator
from array import array
from typing import TYPE_CHECKING

from imaptap.reading.values import ENDLESS
from proxy.imap.transcript import Certainty, Direction, EventKind, Span

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from storage import Session, Store

_CERTAINTIES = list(Certainty)
_PLACES = {certainty: place for place, certainty in enumerate(_CERTAINTIES)}


def unfinished(store: Store, session: Session, ends: Mapping[Direction, int]) -> list[Span]:
    """What no span holds yet, in a session that goes on or was torn off: the command or the answer under way.

    A span without an end for each direction, from where the others end on.
    """
    over = session.ending is not None and not session.recording.interrupted
    if over or next(store.events(session, EventKind.RAW), None):
        return []
    return [Span(session.number, None, side, start, ENDLESS, 0, 0, 0, Certainty.SURE) for side, start in ends.items()]


class Spans:
    """The spans of one session by direction and offset, for someone who takes his time: no connection stays open, which
    would keep a recorder's file growing while a person reads in a pager. 25 bytes each, of millions perhaps.
    """

    def __init__(self, store: Store, session: Session) -> None:
        self._session = session
        self.ends = dict.fromkeys(Direction, 0)
        self.newest = 0
        """The number of the newest exchange that has any."""
        self._columns = {side: (array("Q"), array("Q"), array("Q"), array("B")) for side in Direction}
        self._others: dict[tuple[Direction, int], array[int]] = {}
        for span in store.spans(session):
            number = span.exchange or 0
            starts, ends, exchanges, certainties = self._columns[span.direction]
            starts.append(span.start)
            ends.append(span.end)
            exchanges.append(number)
            certainties.append(_PLACES[span.certainty])
            self.newest = max(self.newest, number)
            if span.open and span.certainty is Certainty.AMBIGUOUS:  # else it does not matter
                self._others[span.direction, span.start] = array("Q", span.open)
        for side, (_, ends, _, _) in self._columns.items():
            self.ends[side] = max(ends, default=0)

    def of(self, direction: Direction) -> Iterator[Span]:
        """Without times and numbers of units, in the order of the stream."""
        starts, ends, exchanges, certainties = self._columns[direction]
        for index in _ascending(starts):
            start = starts[index]
            place = (self._session.number, exchanges[index] or None, direction, start, ends[index])
            others = tuple(self._others.get((direction, start), ()))
            yield Span(*place, 0, 0, 0, _CERTAINTIES[certainties[index]], others)


def _ascending(starts: array[int]) -> Iterable[int]:
    """Their places in ascending order; as a rule that is the order in which they stand there."""
    places = range(len(starts))
    sorted_already = all(map(operator.le, starts, itertools.islice(starts, 1, None)))
    return places if sorted_already else array("Q", sorted(places, key=starts.__getitem__))


class Groups:
    """Spans that come sorted by exchange, taken one exchange after the other."""

    def __init__(self, spans: Iterator[Span]) -> None:
        self._spans = itertools.dropwhile(lambda span: not span.exchange, spans)
        self._next = next(self._spans, None)

    def of(self, exchange: int) -> Iterator[Span]:
        """Those of this exchange; none before one that was asked for already."""
        while self._next is not None and (self._next.exchange or 0) <= exchange:
            if self._next.exchange == exchange:
                yield self._next
            self._next = next(self._spans, None)
