"""Whose the units are, and the spans that units of one owner in a row make (M 3.6)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from proxy.imap.transcript import Certainty, Direction, Record, Span

if TYPE_CHECKING:
    from proxy.imap.exchanges import OpenExchange


class Attribution(NamedTuple):
    """Whose a server unit is: the exchange (None: nobody's), how sure that is, and what else was open."""

    exchange: OpenExchange | None
    certainty: Certainty
    open: tuple[int, ...] = ()


NOBODY = Attribution(None, Certainty.UNSOLICITED)


class Spans:
    """Joins consecutive units of one direction with the same attribution into spans."""

    def __init__(self, session: int, direction: Direction, put: Callable[[Record], None]) -> None:
        self._session, self._direction, self._put = session, direction, put
        self._exchange: OpenExchange | None = None
        self._certainty = Certainty.SURE
        self._open: tuple[int, ...] = ()
        self._start = self._end = self._first_at = self._last_at = self._units = 0

    def add(self, whose: Attribution, start: int, end: int, first_at: int, last_at: int) -> None:
        """A unit start..end belongs to `whose`."""
        self.add_to(whose.exchange, start, end, first_at, last_at, whose.certainty, whose.open)

    def add_to(
        self, exchange: OpenExchange | None, start: int, end: int, first_at: int, last_at: int,
        certainty: Certainty = Certainty.SURE, others: tuple[int, ...] = (),
    ) -> None:  # fmt: skip
        """A unit start..end belongs to `exchange`."""
        known = exchange is self._exchange and certainty is self._certainty and others == self._open
        if known and self._units and self._end == start:
            self._units += 1
        else:
            self.flush()
            self._exchange, self._certainty, self._open = exchange, certainty, others
            self._start, self._first_at, self._units = start, first_at, 1
        self._end, self._last_at = end, last_at

    def flush(self) -> None:
        """Put the span that is being collected on record."""
        if self._units:
            exchange, units = self._exchange, self._units
            self._exchange, self._units = None, 0
            self._put(
                Span(
                    self._session, exchange.number if exchange else None, self._direction, self._start, self._end,
                    self._first_at, self._last_at, units, self._certainty, self._open,
                )
            )  # fmt: skip
