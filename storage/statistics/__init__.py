"""What a recording amounts to in numbers: `statistics` counts, docs/cli.md says what each number means."""

from __future__ import annotations

from storage.statistics.count import statistics
from storage.statistics.values import (
    Commands,
    Division,
    Durations,
    Fetched,
    Idling,
    Pipelining,
    Repeats,
    Slow,
    Statistics,
    Summary,
)  # fmt: skip

__all__ = [
    "Commands", "Division", "Durations", "Fetched", "Idling", "Pipelining", "Repeats", "Slow", "Statistics", "Summary",
    "statistics",
]  # fmt: skip
