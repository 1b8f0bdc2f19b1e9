"""How much memory and how many open files a process has, over time."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.servers.background import Background

if TYPE_CHECKING:
    from collections.abc import Callable

EVERY = 1.0
"""Seconds between two looks."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One look at all processes together: seconds since the meter began, KiB of memory that is theirs alone, files."""

    at: float
    kib: int
    files: int


def memory(pid: int) -> int:
    """KiB of resident memory that is not a mapped file's: those are the kernel's to take back."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1])
    return 0


def files(pid: int) -> int:
    """How many files a process has open."""
    return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())


class Meter(Background):
    """`with Meter(pids) as meter:` looks once a second at the processes that `pids` names then."""

    def __init__(self, pids: Callable[[], list[int]]) -> None:
        super().__init__("meter", EVERY)
        self._pids = pids
        self.samples: list[Sample] = []
        self._began = time.monotonic()

    def look(self) -> Sample:
        """How it is now."""
        pids = self._pids()
        at = time.monotonic() - self._began
        return Sample(at, sum(map(memory, pids)), sum(map(files, pids)))

    def least(self, seconds: float) -> int:
        """Memory (KiB) that was there at each moment of the last so many seconds."""
        since = self.samples[-1].at - seconds
        return min(sample.kib for sample in self.samples if sample.at >= since)

    def again(self) -> None:
        """One more look."""
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # one of them has just been killed
            self.samples.append(self.look())
