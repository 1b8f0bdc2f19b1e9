"""The two clocks of the store: wall time in microseconds since 1970 UTC for rows, seconds for waiting."""

from __future__ import annotations

import datetime as dt
import time

monotonic = time.monotonic


def wall() -> int:
    """Now, in microseconds since 1970 UTC."""
    return time.time_ns() // 1000


def stamp(microseconds: int) -> str:
    """A moment as `2026-11-22-140509`, UTC: the name of a recording that was given none."""
    return dt.datetime.fromtimestamp(microseconds // 1_000_000, dt.UTC).strftime("%Y-%m-%d-%H%M%S")
