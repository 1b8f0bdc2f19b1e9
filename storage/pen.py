"""The thread that speaks with the database, so that nobody has to wait for one that does not answer.

A server that was frozen, a network file system that is gone, a lock that its owner forgot: none of them is an error to
the driver, which just waits. The writer waits for a while only, and asks again later: what was begun is then still
being done, and must not be begun a second time.
"""

from __future__ import annotations

import functools
import queue
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from storage.checkpoint import Checkpoints
from storage.engine import PAGE_SIZE
from storage.errors import StorageError
from storage.ledger import Ledger
from storage.recording import end_recording
from storage.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from storage.batch import Batch
    from storage.store import Store
    from storage.values import Recording

_PAGES = 4
"""About so many pages get rows of one session, each in a place of its own."""


class UnansweredError(StorageError):
    """The database has not answered yet; it may still do what it was asked."""

    def __init__(self, where: str) -> None:
        super().__init__(f"{where} does not answer.", "See whether it hangs, or waits for a lock of another program.")


class Pen:
    """Writes the batches of one recording. All methods are for one thread, the writer's."""

    def __init__(self, store: Store, recording: Recording, turn: Callable[[], AbstractContextManager[object]]) -> None:
        """Each batch is written within a `turn()`."""
        file = Path(store.where) if store.engine.dialect.name == "sqlite" else None
        self._store, self._recording = store, recording
        self._ledger = Ledger(store.engine, recording.id, turn)
        self._watch = Watch(file)
        self._checkpoints = Checkpoints(store.engine) if file else None
        self.busy = False
        """Whether something was begun of which nobody knows yet how it ended."""
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._outcomes: queue.SimpleQueue[Exception | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="imaptap-pen", daemon=True)
        self._thread.start()

    def trouble(self) -> StorageError | None:
        """What is wrong with the database, as far as that can be seen without asking it."""
        return self._watch.trouble()

    def write(self, batch: Batch, seconds: float) -> Exception | None:
        """Write a batch: all of it, or nothing. None when that is done, or what was raised.

        UnansweredError: it is still being done after so many seconds; ask again with the same batch.
        """
        if not self.busy and (trouble := self.trouble()):
            return trouble
        error = self._do(functools.partial(self._ledger.write, batch), seconds)
        if error is None and self._checkpoints:
            self._checkpoints.written(batch.size + _PAGES * PAGE_SIZE * (1 + len(batch.sessions())))
        return error

    def end(self, seconds: float) -> Exception | None:
        """Mark the recording ended; what comes back is as with `write`."""
        if self._checkpoints:
            self._checkpoints.close()
            self._checkpoints = None
        return self._do(functools.partial(end_recording, self._store, self._recording), seconds)

    def close(self) -> None:
        """End the threads; that of a job which is never done ends with the process."""
        if self._checkpoints:
            self._checkpoints.close()
        self._jobs.put(None)
        if not self.busy:
            self._thread.join()

    def _do(self, job: Callable[[], None], seconds: float) -> Exception | None:
        if not self.busy:
            self.busy = True
            self._jobs.put(job)
        try:
            outcome = self._outcomes.get(timeout=max(0.0, seconds))
        except queue.Empty:
            return UnansweredError(self._store.where)
        self.busy = False
        return outcome

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            try:
                job()
            except Exception as error:  # noqa: BLE001  whoever has asked decides what it means
                self._outcomes.put(error)
            else:
                self._outcomes.put(None)
