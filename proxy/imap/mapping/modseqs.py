"""Modification sequences of one mailbox: of two servers' counters only the order can be compared (RFC 7162, M 8)."""

from __future__ import annotations

from bisect import bisect_left, bisect_right


class ModSeqs:
    """Pairs of values that stand for the same moment, ascending on both sides."""

    def __init__(self) -> None:
        self._recorded: list[int] = []
        self._replayed: list[int] = []

    def learn(self, recorded: int, replayed: int) -> None:
        """These two are the same moment. The newest is believed: pairs that would turn the order around go."""
        at = bisect_left(self._recorded, recorded)
        start = bisect_left(self._replayed, replayed, 0, at)
        stop = max(bisect_right(self._recorded, recorded), bisect_right(self._replayed, replayed))
        self._recorded[start:stop] = [recorded]
        self._replayed[start:stop] = [replayed]

    def replayed(self, recorded: int) -> int | None:
        """The target's value for a recorded one; between two that are paired, the lower one's.

        With it a client is told of too much rather than of too little. 0 and 1 stand for the beginning, everywhere.
        """
        return _floor(self._recorded, self._replayed, recorded)

    def recorded(self, replayed: int) -> int | None:
        """The recorded value for one of the target's, found alike."""
        return _floor(self._replayed, self._recorded, replayed)

    def exact(self, recorded: int, replayed: int) -> bool:
        """Whether these two are a pair."""
        at = bisect_left(self._recorded, recorded)
        return at < len(self._recorded) and (self._recorded[at], self._replayed[at]) == (recorded, replayed)

    def agrees(self, recorded: int, replayed: int) -> bool:
        """Whether the two may be the same moment: neither is on the other side of a known one."""
        if self.exact(recorded, replayed):
            return True
        return bisect_left(self._recorded, recorded) == bisect_left(self._replayed, replayed) and (
            bisect_right(self._recorded, recorded) == bisect_right(self._replayed, replayed)
        )


def _floor(ours: list[int], theirs: list[int], value: int) -> int | None:
    at = bisect_right(ours, value) - 1
    if at >= 0:
        return theirs[at]
    return value if value <= 1 else None
