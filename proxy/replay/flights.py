"""What is in flight on one connection; and what is left to be done of that which has landed."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

from proxy.replay.flight import Flight

if TYPE_CHECKING:
    from collections.abc import Callable

    from proxy.imap.grammar import Tagged


class Flights:
    """By their tags. Those that have ended `land` together, when all that came with their answers is understood."""

    def __init__(self) -> None:
        self._count = 0
        self._under_way: dict[bytes, Flight] = {}
        self._ended: list[Flight] = []
        """Answered, and nobody has been told yet."""
        self._afterwards: deque[Callable[[], None]] = deque()

    def __bool__(self) -> bool:
        """Whether anything is in flight."""
        return bool(self._under_way)

    def begin(self, tag: bytes, start: int, newest: int) -> Flight:
        """A command is about to be sent, its first byte at `start`; `newest` is the last exchange that is on record."""
        # As the recorder counts, which may have taken a stray DONE for a command (M 4.9).
        self._count = max(self._count, newest) + 1
        flight = self._under_way[tag] = Flight(self._count, tag, start)
        return flight

    def find(self, tag: bytes) -> Flight | None:
        """The one with this tag."""
        return self._under_way.get(tag)

    def end(self, flight: Flight, completion: Tagged | None) -> None:
        """It was answered with `completion`; None: it will not be."""
        flight.completion = completion
        del self._under_way[flight.tag]
        flight.go_on(None)
        self._ended.append(flight)

    def land(self) -> None:
        """Tell everybody of those that have ended; who waits for one goes on before what was left for `afterwards`."""
        ended, self._ended = self._ended, []
        for flight in ended:
            flight.land()
        if self._afterwards:
            asyncio.get_running_loop().call_soon(self.clear_up)

    def give_up(self) -> None:
        """Nothing that is in flight will be answered any more, and so nothing is left for afterwards."""
        for flight in list(self._under_way.values()):
            self.end(flight, None)
        self.land()
        self.clear_up()

    def afterwards(self, work: Callable[[], None]) -> None:
        """Something to do about a landing that the next command need not wait for: it is done while the server works.

        To be asked for by what is called when a flight has landed.
        """
        self._afterwards.append(work)

    def clear_up(self) -> None:
        """Do now what was left for afterwards, in order."""
        while self._afterwards:
            self._afterwards.popleft()()
