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
        self._whose: Attribution | None = None
        self._start = self._end = self._first_at = self._last_at = self._units = 0

    def add(self, whose: Attribution, start: int, end: int, first_at: int, last_at: int) -> None:
        """A unit start..end belongs to `whose`."""
        run = self._whose
        if run is not None and self._end == start and (run is whose or run == whose):
            self._units += 1
        else:
            self.flush()
            self._whose, self._start, self._first_at, self._units = whose, start, first_at, 1
        self._end, self._last_at = end, last_at

    def flush(self) -> None:
        """Put the span that is being collected on record."""
        whose = self._whose
        if whose is not None:
            self._whose = None
            self._put(
                Span(
                    self._session, whose.exchange.number if whose.exchange else None, self._direction, self._start,
                    self._end, self._first_at, self._last_at, self._units, whose.certainty, whose.open,
                )
            )  # fmt: skip
