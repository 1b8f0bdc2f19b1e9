"""What all processes of a recording have in common: two counters, and whose turn it is to write.

They lie in a file without a name, of which every process has the descriptor. Its locks are those of POSIX (fcntl): they
belong to a process and go with it, so that one which is killed with a lock in its hand holds nobody up.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import sys
import tempfile
import threading
import time
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Final, Self

from storage import Sharing

TURN_SECONDS: Final = 4.0
"""How long others may keep the turn. Who has waited so long writes all the same: a process that hangs, stopped or
with its connection to the database dead, must not take all others with it. The database has locks of its own.
Shorter than a writer waits for its database to answer: the others would believe that it hangs."""

_POLL_SECONDS = 0.002
_SESSIONS, _EVENTS, _QUEUE = 0, 8, 16
_SIZE = 16
_PLACES = 8
"""In the queue for the turn, which is its place 0. Who goes from place to place overtakes nobody, and is overtaken by
nobody: else it would be chance who gets the turn, and some would wait ten times as long as others."""


class Shared:
    """Made by the parent; a worker makes its own of the same descriptor."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self.session_numbers: Iterator[int] = _Counter(descriptor, _SESSIONS)
        self.sharing = Sharing(_Counter(descriptor, _EVENTS), self._turn)
        # fcntl's locks do not keep the threads of one process apart.
        self._mutex = threading.Lock()

    @classmethod
    def make(cls) -> Self:
        """Both counters at 0. Raises OSError where there is no room for a file."""
        descriptor = _file_without_name()
        os.pwrite(descriptor, bytes(_SIZE), 0)
        return cls(descriptor)

    def close(self) -> None:
        """Let go of it; the last process that does so ends it."""
        os.close(self.descriptor)

    @contextlib.contextmanager
    def _turn(self) -> Generator[None, None, None]:
        give_up = time.monotonic() + TURN_SECONDS
        if not self._mutex.acquire(timeout=TURN_SECONDS):
            yield
            return
        try:
            place = self._queue(give_up)
            try:
                yield
            finally:
                self._leave(place)
        finally:
            self._mutex.release()

    def _queue(self, give_up: float) -> int:
        """The place that was reached: 0 for the turn, or another one when it took too long."""
        reached = _PLACES
        while reached > 0 and time.monotonic() < give_up:
            if self._take(reached - 1):
                self._leave(reached)
                reached -= 1
            else:
                time.sleep(_POLL_SECONDS)
        return reached

    def _take(self, place: int) -> bool:
        try:
            fcntl.lockf(self.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, _QUEUE + place)
        except OSError:
            return False
        return True

    def _leave(self, place: int) -> None:
        fcntl.lockf(self.descriptor, fcntl.LOCK_UN, 1, _QUEUE + place)


class _Counter(Iterator[int]):
    """1, 2, …, each to one caller in all processes only; in each process for one thread only."""

    def __init__(self, descriptor: int, offset: int) -> None:
        self._descriptor = descriptor
        self._offset = offset

    def __next__(self) -> int:
        fcntl.lockf(self._descriptor, fcntl.LOCK_EX, 8, self._offset)
        try:
            number = int.from_bytes(os.pread(self._descriptor, 8, self._offset), "little") + 1
            os.pwrite(self._descriptor, number.to_bytes(8, "little"), self._offset)
        finally:
            fcntl.lockf(self._descriptor, fcntl.LOCK_UN, 8, self._offset)
        return number


def _file_without_name() -> int:
    if sys.platform == "linux":
        return os.memfd_create("imaptap")  # in memory: no disk can be full
    else:  # noqa: RET505 - mypy knows by this that the other branch is for other systems
        descriptor, name = tempfile.mkstemp(prefix="imaptap-")
        Path(name).unlink()
        return descriptor
