"""Time since something began, of the monotonic clock, and when that was by the wall clock."""

from __future__ import annotations

import time


class Clock:
    """Starts when it is made, or has started at `wall`, microseconds since 1970 UTC."""

    def __init__(self, wall: int | None = None) -> None:
        now = time.time_ns() // 1000
        self.wall = now if wall is None else wall
        """Microseconds since 1970 UTC."""
        self._start = time.monotonic_ns() - 1000 * max(0, now - self.wall)

    def now(self) -> int:
        """Microseconds since the start."""
        return (time.monotonic_ns() - self._start) // 1000
