"""News by hand: whose turn it is when a line is written."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

from imaptap.serving.steps import Steps

if TYPE_CHECKING:
    from pathlib import Path


class Lines:
    """A file that counts how often it is looked at."""

    lines = looks = 0

    def read_bytes(self) -> bytes:
        self.looks += 1
        return b"\n" * self.lines


def test_each_line_is_for_the_client_that_waits_longest() -> None:
    """One that goes uses none; and a hundred that wait do not look a hundred times as often."""

    async def main() -> None:
        file = Lines()
        steps = Steps(cast("Path", file))
        waiting = [asyncio.ensure_future(steps.next()) for _ in range(100)]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert file.looks == 1
        waiting[0].cancel()
        file.lines = 2
        await asyncio.gather(*waiting[1:3])
        assert [task.done() for task in waiting] == [True] * 3 + [False] * 97
        for task in waiting:
            task.cancel()

    asyncio.run(main())
