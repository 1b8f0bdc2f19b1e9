"""News by hand: each line that is written to a file lets one more come. For tests that say when mail arrives."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_LOOK_SECONDS = 0.02


class Steps:
    """Counts the lines of a file, which may not be there yet."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._used = 0
        self._turn = asyncio.Lock()
        """Of many clients that wait, one looks: the others are behind it."""

    async def next(self) -> None:
        """Wait until there is a line that has let nothing come yet. Cancelled, it has used none."""
        async with self._turn:
            while self._lines() <= self._used:  # noqa: ASYNC110 - it is a file that is waited for
                await asyncio.sleep(_LOOK_SECONDS)
            self._used += 1

    def _lines(self) -> int:
        try:
            return self._file.read_bytes().count(b"\n")
        except OSError:
            return 0
