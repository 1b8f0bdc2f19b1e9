"""What is worth a line on the terminal, gathered until somebody comes for it: never more than people can read."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from proxy.imap.transcript import Exchange, Outcome, Record, SessionClosed, SessionOpened

INTERVAL: Final = 0.1
"""Seconds: how often whoever shows the news comes for them."""

AT_ONCE: Final = 60
"""How many are kept for him; of more there is only their number."""


@dataclass(frozen=True, slots=True)
class Item:
    """A finished exchange, or one end of a session. `wall` is when that was opened, microseconds since 1970 UTC."""

    record: Exchange | SessionOpened | SessionClosed
    wall: int


class News:
    """One thread adds, one takes; neither waits."""

    def __init__(self) -> None:
        self._waiting: deque[Item] = deque()
        self._walls: dict[int, int] = {}
        self._missed = 0

    def hear(self, record: Record) -> None:
        """Add a record, if it is worth a line; cheap, called for every one."""
        if isinstance(record, Exchange):
            if record.outcome is not Outcome.OPEN:
                self.add([Item(record, self._walls.get(record.session, 0))])
        elif isinstance(record, SessionOpened):
            self._walls[record.session] = record.wall
            self.add([Item(record, record.wall)])
        elif isinstance(record, SessionClosed):
            self.add([Item(record, self._walls.pop(record.session, 0))])

    def add(self, items: Iterable[Item], missed: int = 0) -> None:
        """Add what another process has gathered, and how many it has only counted."""
        self._missed += missed
        for item in items:
            if len(self._waiting) < AT_ONCE:
                self._waiting.append(item)
            else:
                self._missed += 1

    def take(self) -> tuple[list[Item], int]:
        """All that wait, and how many were missed besides."""
        items = [self._waiting.popleft() for _ in range(len(self._waiting))]
        missed, self._missed = self._missed, 0
        return items, missed
