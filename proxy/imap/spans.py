"""Whose the units are, and the spans that units of one owner in a row make (M 3.6)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from proxy.imap.transcript import Certainty, Direction, Record, Span

if TYPE_CHECKING:
    from proxy.imap.exchanges import OpenExchange


@dataclass(frozen=True, slots=True)
class Attribution:
    """Whose a server unit is: the exchange (None: nobody's), how sure that is, and what else was open."""

    exchange: OpenExchange | None
    certainty: Certainty
    open: tuple[int, ...] = ()


class Spans:
    """Joins consecutive units of one direction with the same attribution into spans."""

    def __init__(self, session: int, direction: Direction, put: Callable[[Record], None]) -> None:
        self._session, self._direction, self._put = session, direction, put
        self._run: Span | None = None

    def add(self, whose: Attribution, start: int, end: int, first_at: int, last_at: int) -> None:
        """A unit start..end belongs to `whose`."""
        number = whose.exchange.number if whose.exchange else None
        run = self._run
        if run and (run.exchange, run.certainty, run.open, run.end) == (number, whose.certainty, whose.open, start):
            first_at, start, units = run.first_at, run.start, run.units + 1
        else:
            self.flush()
            units = 1
        self._run = Span(
            self._session, number, self._direction, start, end, first_at, last_at, units, whose.certainty, whose.open
        )

    def flush(self) -> None:
        """Put the span that is being collected on record."""
        if self._run:
            self._put(self._run)
            self._run = None
