"""A session's time: microseconds of the monotonic clock since it was opened, and when that was by the wall clock."""

from __future__ import annotations

import time


class Clock:
    """Starts when it is made."""

    def __init__(self) -> None:
        self.wall = time.time_ns() // 1000
        """Microseconds since 1970 UTC."""
        self._start = time.monotonic_ns()

    def now(self) -> int:
        """Microseconds since the start."""
        return (time.monotonic_ns() - self._start) // 1000
