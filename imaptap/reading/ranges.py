"""Ranges of offsets in a stream, asked for by place: where secrets are masked."""

from __future__ import annotations

from bisect import bisect_right


class Ranges:
    """Ranges that do not overlap much. `add` them all, `sort` once, then ask."""

    def __init__(self) -> None:
        self._ranges: list[tuple[int, int]] = []
        self._end = 0

    def add(self, start: int, end: int) -> None:
        """From `start` up to `end`."""
        self._ranges.append((start, end))
        self._end = max(self._end, end)

    def sort(self) -> None:
        """All have been added."""
        self._ranges.sort()

    def touch(self, start: int, end: int) -> bool:
        """Whether one holds any byte from `start` up to `end`: most stand at the beginning of a session."""
        return start < self._end and bool(self.between(start, end))

    def between(self, start: int, end: int) -> tuple[tuple[int, int], ...]:
        """Those that hold any byte from `start` up to `end`; of those that begin before it, the last one."""
        index = max(0, bisect_right(self._ranges, (start, 0)) - 1)
        found: list[tuple[int, int]] = []
        while index < len(self._ranges) and self._ranges[index][0] < end:
            if self._ranges[index][1] > start:
                found.append(self._ranges[index])
            index += 1
        return tuple(found)
