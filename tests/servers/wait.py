"""Waiting in tests: for something to become true, until a deadline, never for a time."""

from __future__ import annotations

import contextlib
import random
import socket
import time
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

_dice = random.SystemRandom()

PATIENCE = 60.0
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
    """A TCP port on loopback that nothing listens on. For programs that cannot pick one themselves.

    Not one of those that the system gives to whoever asks for any (from 32768 on Linux, RFC 6335 section 6 says from
    49152): another connection could have it before the program does.
    """
    while True:
        port = _dice.randrange(16384, 32768)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def greets(port: int) -> bool:
    """Whether an IMAP server on loopback greets there."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            greeting = connection.recv(4096)
            connection.sendall(b"x LOGOUT\r\n")
            # To the end: a connection dropped before its LOGOUT is read stays with Dovecot's login process for a while.
            while connection.recv(4096):
                pass
    except OSError:
        return False
    return greeting.startswith(b"* OK")
