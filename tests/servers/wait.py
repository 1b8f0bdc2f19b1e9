"""Waiting in tests: for something to become true, until a deadline, never for a time."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

PATIENCE = 20.0
"""Seconds until something that should have happened is given up. Generous: it costs time only when a test fails."""


def until(probe: Callable[[], T], what: str, *, seconds: float = PATIENCE, explain: Callable[[], str] = str) -> T:
    """Ask `probe` until it answers with something true, and return that."""
    deadline = time.monotonic() + seconds
    while True:
        if answer := probe():
            return answer
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {seconds:.0f} s for {what}\n{explain()}")
        time.sleep(0.02)


def free_port() -> int:
    """A TCP port on loopback that nothing listens on. For programs that cannot pick one themselves."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
