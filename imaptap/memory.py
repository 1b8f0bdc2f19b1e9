"""Memory that is not needed any more goes back to the system, now and then, so that what takes long stays small.

What one thread asks for and another one lets go leaves holes all over the C library's heaps: sessions come and go, and
without this a recorder of twenty thousand of them had grown to 150 MiB and still grew. With it, it stays below 100.
"""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

EVERY_SECONDS: Final = 10.0
"""Each time takes a few milliseconds, in a thread of its own."""


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
    if over.wait(every):
        return
    trim = _trim()
    while trim:
        trim(0)
        if over.wait(every):
            return


def _trim() -> Callable[[int], int] | None:
    """glibc's malloc_trim(3), which goes through the heaps of all threads; None where there is another C library."""
    import ctypes  # noqa: PLC0415 - slow to load, and of use to what takes long only

    try:
        trim: Callable[[int], int] = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):
        return None
    return trim
