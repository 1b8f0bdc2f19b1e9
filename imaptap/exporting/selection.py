"""What is exported: a recording, a session, an exchange, or the exchanges that a filter chose."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from proxy.imap.transcript import Direction, Span
    from storage import Recording, Session, Store, StoredExchange
    from storage.filter import Search

Range = tuple[int, int | None]
"""From which byte of a stream up to which; None: to its end."""


class Stretch(NamedTuple):
    """Bytes `start` up to `end` (None: to the end) of a stream, of one exchange, or of none."""

    start: int
    end: int | None
    exchange: int | None


class Matching(NamedTuple):
    """A filter that was put to the recording, and the keys of the exchanges that it found, by `session.id`."""

    search: Search
    keys: Mapping[int, Sequence[int]]


def _unseen(_: int) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Selection:
    """What of `store` is exported. Nothing here holds more than a page, but for numbers of exchanges."""

    store: Store
    recording: Recording
    session: Session | None = None
    exchange: StoredExchange | None = None
    matching: Matching | None = None
    progress: Callable[[int], object] = _unseen
    """To be called now and then with how many more bytes of the streams are done (see `size`)."""

    @property
    def everything(self) -> bool:
        """Whether whole sessions are wanted: greetings, what belongs to no exchange, and events too."""
        return self.exchange is None and self.matching is None

    def size(self) -> int | None:
        """How many bytes of both streams there are to do; None where nobody knows."""
        if self.exchange is not None:
            return self.exchange.exchange.client_bytes + self.exchange.exchange.server_bytes
        if self.matching is not None:
            return None
        if self.session is not None:
            return (self.session.client_bytes or 0) + (self.session.server_bytes or 0) or None
        totals = self.store.totals(self.recording)
        return totals.client_bytes + totals.server_bytes

    def sessions(self) -> Iterator[Session]:
        """The sessions of which something is wanted, by number."""
        found = self.store.sessions(self.recording) if self.session is None else iter((self.session,))
        if self.matching is None:
            yield from found
        else:
            yield from (session for session in found if session.id in self.matching.keys)

    def exchanges(self, session: Session) -> Iterator[StoredExchange]:
        """The exchanges of a session that are wanted, by number."""
        if self.exchange is not None:
            yield self.exchange
        elif self.matching is not None:
            yield from self.matching.search.exchanges(session, self.matching.keys.get(session.id, ()))
        else:
            yield from self.store.exchanges(session)

    def spans(self, session: Session, direction: Direction) -> Iterator[Span]:
        """What one side said in the exchanges that are wanted, in the order of its stream."""
        if self.exchange is not None:
            found = self.store.spans(session, self.exchange.exchange.number)
            yield from (span for span in found if span.direction is direction)
            return
        numbers = None if self.everything else array("Q", (each.exchange.number for each in self.exchanges(session)))
        for span in self.store.stream_spans(session, direction):
            if span.exchange is not None and (numbers is None or _has(numbers, span.exchange)):
                yield span

    def stretches(self, session: Session, direction: Direction) -> Iterator[Stretch]:
        """What is wanted of the stream of one side, in order, cut where units of another exchange begin."""
        if not self.everything:
            yield from (Stretch(span.start, span.end, span.exchange) for span in self.spans(session, direction))
            return
        position = 0
        for span in self.store.stream_spans(session, direction):
            if span.start > position:
                yield Stretch(position, span.start, None)
            yield Stretch(span.start, span.end, span.exchange)
            position = max(position, span.end)
        yield Stretch(position, None, None)

    def ranges(self, session: Session, direction: Direction) -> Iterator[Range]:
        """Where in the stream of one side that is what is wanted, in order; what adjoins is one range."""
        if self.everything:
            yield 0, None
            return
        begin = stop = 0
        for span in self.spans(session, direction):
            if span.start != stop:
                if stop > begin:
                    yield begin, stop
                begin = span.start
            stop = span.end
        if stop > begin:
            yield begin, stop


def _has(numbers: array[int], number: int) -> bool:
    index = bisect_left(numbers, number)
    return index < len(numbers) and numbers[index] == number
