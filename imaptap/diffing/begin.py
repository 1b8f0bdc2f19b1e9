"""How a process begins that compares sessions, or reads them."""

from __future__ import annotations

import contextlib
import gc
import signal
from multiprocessing import resource_tracker
from typing import TYPE_CHECKING

from imaptap.hardening import forbid_core_dumps

if TYPE_CHECKING:
    from collections.abc import Generator

YOUNG_MOST = 200_000
"""Values that are made before Python looks for cycles among them: what is read has none, and there is much of it."""
_CTRL_C = {signal.SIGINT}


@contextlib.contextmanager
def births() -> Generator[None, None, None]:
    """Processes that are started in here do not hear Ctrl-C until they `begin`: Python would tell of it at length."""
    resource_tracker.ensure_running()  # whoever starts it lets Ctrl-C in again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _CTRL_C)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def begin() -> None:
    """For a process that a comparison has started, among `births`."""
    forbid_core_dumps()
    gc.set_threshold(YOUNG_MOST, 20, 20)
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:  # behind `&` of a script it is not for the parent either
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C is for all of them, and the parent tells of it
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _CTRL_C)
