"""Who waited for whom: the time of a session divided, each moment once, while its exchanges come in their order.

What is held are the ends of the exchanges that are in flight, of which the language allows ten thousand.
"""

from __future__ import annotations

import enum
import heapq
from typing import TYPE_CHECKING

from storage.statistics.values import Division, Pipelining

if TYPE_CHECKING:
    from storage.statistics.values import Fact


class _Change(enum.IntEnum):
    SENT = 0
    ENDED = 1
    IDLED = 2


class Timeline:
    """Takes the exchanges of one session in the order in which they began."""

    def __init__(self) -> None:
        self._now = self._sending = self._waiting = self._idling = self._most = self._area = self._busy = 0
        self._begun = False
        self._opening = self._server = self._sent = self._idle = self._client = 0
        self._ahead: list[tuple[int, _Change]] = []
        self._last = 0

    def add(self, fact: Fact) -> None:
        """An exchange. One without an end is in flight until the session ends."""
        exchange = fact.exchange
        self._go_to(exchange.started)
        self._begun = True
        ended = exchange.ended
        self._last = max(self._last, fact.sent, exchange.started, ended or 0)
        if exchange.command == "IDLE":
            self._idling += 1
            self._plan(ended, _Change.IDLED)
            return
        self._sending += 1
        self._most = max(self._most, self._sending + self._waiting)
        self._plan(fact.sent if ended is None else min(fact.sent, ended), _Change.SENT)
        self._plan(ended, _Change.ENDED)

    def close(self, end: int | None) -> tuple[Division, Pipelining]:
        """The session ended then; None: it is open, and counted up to the last that was said in an exchange."""
        self._go_to(self._last if end is None else max(end, self._now))
        division = Division(self._opening, self._server, self._sent, self._idle, self._client)
        return division, Pipelining(self._most, self._area, self._busy)

    def _plan(self, at: int | None, change: _Change) -> None:
        if at is not None:
            heapq.heappush(self._ahead, (at, change))

    def _go_to(self, moment: int) -> None:
        while self._ahead and self._ahead[0][0] <= moment:
            at, change = heapq.heappop(self._ahead)
            self._pass(at)
            if change is _Change.SENT:
                self._sending -= 1
                self._waiting += 1
            elif change is _Change.ENDED:
                self._waiting -= 1
            else:
                self._idling -= 1
        self._pass(moment)

    def _pass(self, moment: int) -> None:
        """Time goes by as things are."""
        took = moment - self._now
        if took <= 0:
            return
        self._now = moment
        in_flight = self._sending + self._waiting
        self._area += in_flight * took
        self._busy += took if in_flight else 0
        if self._waiting:
            self._server += took
        elif self._sending:
            self._sent += took
        elif self._idling:
            self._idle += took
        elif self._begun:
            self._client += took
        else:
            self._opening += took
