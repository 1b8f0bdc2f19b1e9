"""Memory that is not needed any more goes back to the system, now and then, so that a long recording stays small.

What one thread asks for and another one lets go leaves holes all over the C library's heaps: sessions come and go, and
without this a recorder of twenty thousand of them had grown to 150 MiB and still grew. With it, it stays below 100.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

EVERY_SECONDS: Final = 10.0
"""Each time takes a few milliseconds, in a thread of its own."""


@contextlib.asynccontextmanager
async def kept_small(every: float = EVERY_SECONDS) -> AsyncGenerator[None, None]:
    """While this lasts, unused memory is given back every so many seconds."""
    trim = _trim()
    task = asyncio.create_task(_again(trim, every)) if trim else None
    try:
        yield
    finally:
        if task:
            task.cancel()


async def _again(trim: Callable[[int], int], every: float) -> None:
    while True:
        await asyncio.sleep(every)
        await asyncio.to_thread(trim, 0)


def _trim() -> Callable[[int], int] | None:
    """glibc's malloc_trim(3), which goes through the heaps of all threads; None where there is another C library."""
    try:
        trim: Callable[[int], int] = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):
        return None
    return trim
