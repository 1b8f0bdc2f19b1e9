"""Memory that is not needed any more goes back to the system, now and then, so that what takes long stays small.

What one thread asks for and another one lets go leaves holes all over the C library's heaps: sessions come and go, and
without this a recorder of twenty thousand of them had grown to 150 MiB and still grew. With it, it stays below 100.

Before that Python's own garbage goes: sessions that are over refer to themselves, and the interpreter looks for such
only when enough is made anew. A recorder that had nothing to do any more kept what was left of the last few hundred.
"""

from __future__ import annotations

import contextlib
import gc
import threading
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

EVERY_SECONDS: Final = 10.0
"""Each time takes a few milliseconds, in a thread of its own."""

_COLLECTING: Final = 0.001
"""Of the time, at most, goes into the search for garbage, during which nothing else of Python runs: it takes longer the
more sessions there are."""


@contextlib.contextmanager
def kept_small(every: float = EVERY_SECONDS) -> Generator[None, None, None]:
    """While this lasts, unused memory is given back every so many seconds."""
    over = threading.Event()
    thread = threading.Thread(target=_give_back, args=(over, every), name="imaptap-memory", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _give_back(over: threading.Event, every: float) -> None:
    due = 0.0
    trim: Callable[[int], int] | None = None
    while not over.wait(every):
        if time.monotonic() >= due:
            due = time.monotonic() + _collected() / _COLLECTING
        trim = trim or _trim()
        trim(0)


def _collected() -> float:
    """Let go of what nobody has any more but itself; seconds of CPU that it took."""
    began = time.thread_time()
    gc.collect()
    return time.thread_time() - began


def _trim() -> Callable[[int], int]:
    """glibc's malloc_trim(3), which goes through the heaps of all threads; nothing where there is another C library."""
    import ctypes  # noqa: PLC0415 - slow to load, and of use to what takes long only

    try:
        trim: Callable[[int], int] = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):
        return lambda _: 0
    return trim
