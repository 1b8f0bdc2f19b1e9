"""From the event loop to the writer thread: a queue bounded in bytes, made so that putting costs next to nothing.

One thread puts, one takes, and each number is written by one of them only; so neither ever waits for the other. The
taker sleeps while there is nothing, and is woken once for many records, not once for each.

Records that were put together are taken together, and so stand in one transaction: whoever is killed between two of
them leaves no span without its bytes and no exchange without its spans.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING, Final

from proxy.imap.transcript import Exchange, Piece

if TYPE_CHECKING:
    from collections.abc import Callable

    from proxy.imap.transcript import Record
    from storage.left_out import LeftOut

GATHER_SECONDS: Final = 0.04
"""How long records are let gather before they are taken together. They come in bursts (`proxy.live.tap`)."""

BATCH_BYTES: Final = 8 * 1024 * 1024
"""So many waiting bytes are taken at once, and no more than about so many in one go."""

_RECORD_BYTES: Final = 600
"""What a record weighs besides its bytes: it is Python objects."""


class RecordQueue:
    """Records on their way to the disk. What has been taken counts as waiting until `done` says it is written."""

    def __init__(self, limit: int) -> None:
        self._groups: deque[tuple[int, tuple[Record | LeftOut, ...]]] = deque()  # what they weigh, and the records
        self._limit = limit
        self._put_bytes = 0  # written by the putting thread only
        self._taken_bytes = 0  # these two by the taking thread only
        self._done_bytes = 0
        self._asleep = False
        self._rushed = False
        self._wake = threading.Event()
        self._rush = threading.Event()
        self._closing = False
        self._lock = threading.Lock()
        self._callbacks: list[Callable[[], None]] = []

    # --- the putting side -------------------------------------------------------------------------------------------

    def put(self, *records: Record | LeftOut) -> None:
        """Add records that belong together. Never blocks, never refuses: whoever puts looks at `full` now and then."""
        weight = sum(map(_weight, records))
        self._groups.append((weight, records))
        self._put_bytes += weight
        if self._asleep:
            self._asleep = False
            self._wake.set()
        elif not self._rushed and self._put_bytes - self._taken_bytes > BATCH_BYTES:
            self._rushed = True
            self._rush.set()

    @property
    def full(self) -> bool:
        """Whether more bytes wait than the limit says."""
        return self._put_bytes - self._done_bytes >= self._limit

    @property
    def crammed(self) -> bool:
        """Whether twice as many wait."""
        return self._put_bytes - self._done_bytes >= 2 * self._limit

    def when_drained(self, callback: Callable[[], None]) -> None:
        """Call `callback` once, in the taking thread, as soon as less than half of the limit waits."""
        with self._lock:
            self._callbacks.append(callback)
        self._wake.set()

    def close(self) -> None:
        """Say that nothing more will be put."""
        self._closing = True
        self._wake.set()
        self._rush.set()

    # --- the taking side --------------------------------------------------------------------------------------------

    @property
    def finished(self) -> bool:
        """Whether the queue is closed and everything was taken."""
        return self._closing and not self._groups

    @property
    def closing(self) -> bool:
        """Whether nothing more will be put."""
        return self._closing

    def wait(self, seconds: float) -> None:
        """Sleep until records have gathered, or the queue is closed, or `seconds` have passed without any."""
        if not self._groups:
            self._asleep = True
            if not (self._groups or self._closing):
                self._wake.wait(seconds)
            self._asleep = False
            self._wake.clear()
        if self._groups and not self._closing and self._put_bytes - self._taken_bytes <= BATCH_BYTES:
            self._rush.wait(GATHER_SECONDS)
        self._rush.clear()
        self._rushed = False

    def take(self) -> list[Record | LeftOut]:
        """Up to about BATCH_BYTES of records, oldest first."""
        taken: list[Record | LeftOut] = []
        size = 0
        while self._groups and size < BATCH_BYTES:
            weight, records = self._groups.popleft()
            size += weight
            taken += records
        self._taken_bytes += size
        return taken

    def done(self) -> list[Callable[[], None]]:
        """Count everything taken as written. The callbacks that are due."""
        self._done_bytes = self._taken_bytes
        if not self._callbacks or self._put_bytes - self._done_bytes > self._limit // 2:
            return []
        with self._lock:
            due, self._callbacks = self._callbacks, []
        return due


def _weight(record: Record | LeftOut) -> int:
    if type(record) is Piece:
        return _RECORD_BYTES + len(record.data)
    if type(record) is Exchange:
        return _RECORD_BYTES + len(record.arguments)
    return _RECORD_BYTES
