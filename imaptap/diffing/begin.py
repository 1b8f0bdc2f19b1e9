"""How a process begins that compares sessions, or reads them."""

from __future__ import annotations

import gc
import signal

from imaptap.hardening import forbid_core_dumps

YOUNG_MOST = 200_000
"""Values that are made before Python looks for cycles among them: what is read has none, and there is much of it."""


def begin() -> None:
    """For one that a comparison has started."""
    forbid_core_dumps()
    gc.set_threshold(YOUNG_MOST, 20, 20)
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C is for all of them, and the parent tells of it
