"""Memory of a recorder that has nothing to do, now and then in a long run: whether it grows."""

from __future__ import annotations

from dataclasses import dataclass

FLAT = 4 * 1024
"""KiB by which the least memory of the later rests may lie above that of the earlier ones, for each worker.

What has been let go is not always given back at once, so that a rest may have some MiB more than the one after it; what
has leaked is there in all that follow.
"""


@dataclass(frozen=True)
class Rest:
    """KiB of memory that were there while nothing went on, and how many jobs and visits had been."""

    kib: int
    visits: int


class Rests:
    """All of one run, in their order: an earlier half, and a later one."""

    def __init__(self, workers: int) -> None:
        self._most = FLAT * workers
        self._rests: list[Rest] = []

    def add(self, rest: Rest) -> None:
        """One more."""
        self._rests.append(rest)

    @property
    def kib(self) -> list[int]:
        """The memory of each."""
        return [rest.kib for rest in self._rests]

    def growth(self) -> list[str]:
        """What is wrong: nothing, or that it grew."""
        half = len(self._rests) // 2
        earlier, later = self.kib[:half], self.kib[half:]
        if not earlier or min(later) - min(earlier) <= self._most:
            return []
        return [f"memory grew: {min(earlier)} KiB were the least of the earlier rests, {min(later)} of the later ones"]

    def shown(self) -> list[tuple[str, str]]:
        """A line for people: the smallest leak that `growth` tells for sure, with what was done between its halves."""
        half = len(self._rests) // 2
        if not half:
            return []
        between = max(1, self._rests[half].visits - self._rests[half - 1].visits)
        return [("would show a leak of", f"{self._most * 1024 // between} bytes a job or visit ({between})")]
