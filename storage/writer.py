"""The recorder's pen: records go in from the event loop, a thread of its own brings them to the disk.

Healthy, it takes what has gathered every few hundredths of a second and writes it in one transaction. When the
database fails, the batch is kept and tried again while the queue fills up and the relay slows down. When that does not
help for PATIENCE seconds, the traffic goes on unrecorded: the batch is still kept and tried once a second, all that
follows is counted and let go (`storage.loss`), and when the batch can be written the recording says what is missing.
"""

from __future__ import annotations

import logging
import threading
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Final

from storage.batch import Batch, Sorter
from storage.clock import monotonic, wall
from storage.errors import StorageError
from storage.files import Identity, identity
from storage.ledger import Ledger
from storage.loss import Loss
from storage.queue import RecordQueue
from storage.recording import begin_recording, end_recording
from storage.sharing import Sharing, alone
from storage.trouble import explain, passing

if TYPE_CHECKING:
    from collections.abc import Callable

    from proxy.imap.transcript import Record
    from storage.store import Store
    from storage.values import Recording

QUEUE_BYTES: Final = 32 * 1024 * 1024
"""What may wait for the disk. With 64 MiB a literal of 1 GiB took 168 MiB of memory in all, with 16 it was slower."""
HEARTBEAT_SECONDS: Final = 5.0
PATIENCE: Final = 5.0
"""How many seconds a failing write is tried again before the traffic goes on unrecorded."""

_HOLD_SECONDS: Final = 0.03
_RETRY_SECONDS: Final = 0.2
_RETRY_LOST_SECONDS: Final = 1.0

_log = logging.getLogger(__name__)


class Writer:
    """Records one recording. `put`, `full` and `when_drained` are for the event loop's thread; nothing of it blocks."""

    def __init__(
        self,
        store: Store,
        name: str | None = None,
        *,
        version: str = "",
        settings: str = "",
        queue_bytes: int = QUEUE_BYTES,
        on_trouble: Callable[[str, str], None] | None = None,
        patience: float = PATIENCE,
        sharing: Sharing | None = None,
        joined: Recording | None = None,
    ) -> None:
        """Begin a recording called `name` (default: the time) and start the thread.

        With several writers, all have the same `sharing`; one of them begins the recording, and ends it when it is
        closed after all others, which have `joined` it.
        `settings` is text for people: how it listens and for whom, without secrets. `on_trouble(message, hint)` is
        called in the writer's thread whenever writing fails, gives up, or works again. Raises StorageError: the store
        is read-only, the name is taken or cannot be a name.
        """
        self.recording = joined or begin_recording(store, name, version=version, settings=settings)
        self.failed = False
        """Whether anything of this recording was lost. It stays so: the command shall end with an error."""
        self._store = store
        self._ends = joined is None
        sharing = sharing or alone()
        self._ledger = Ledger(store.engine, self.recording.id, sharing.turn)
        self._queue = RecordQueue(queue_bytes)
        self._sorter = Sorter(sharing.event_numbers)
        self._on_trouble = on_trouble
        self._patience = patience
        self._file = Path(store.where) if store.engine.dialect.name == "sqlite" else None
        self._file_was: Identity | None = identity(self._file) if self._file else None
        self._beat = monotonic() + HEARTBEAT_SECONDS
        self._stuck: Batch | None = None
        self._loss: Loss | None = None
        self._next_try = 0.0
        self._thread = threading.Thread(target=self._run, name="imaptap-writer", daemon=True)
        self._thread.start()

    def put(self, *records: Record) -> None:
        """Hand over records, to be written together. Never blocks, never drops: look at `full` before reading on."""
        self._queue.put(*records)

    @property
    def full(self) -> bool:
        """Whether the relay should stop reading until `when_drained` calls back."""
        return self._queue.full

    def when_drained(self, callback: Callable[[], None]) -> None:
        """Call `callback` once, from the writer's thread, as soon as the queue is less than half full."""
        self._queue.when_drained(callback)

    def close(self) -> None:
        """Write everything, end the recording (unless it was joined), and wait for that. A second call does nothing."""
        self._queue.close()
        self._thread.join()

    # --- the writer's thread ----------------------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._queue.finished:
            self._queue.wait(self._rest())
            self._guarded(self._turn)
            self._guarded(self._call_back)
        self._guarded(self._finish)

    def _rest(self) -> float:
        """How long nothing needs to be done if nothing comes, in seconds."""
        if self._loss is not None:
            return _RETRY_LOST_SECONDS
        return _HOLD_SECONDS if self._sorter.holding else max(0.0, self._beat - monotonic())

    def _guarded(self, step: Callable[[], None]) -> None:
        try:
            step()
        except Exception as error:  # noqa: BLE001  whatever it is, the traffic must go on, and somebody must hear of it
            # Its text may quote what it was about to write, which is somebody's mail: type and place must do.
            name = type(error).__name__
            _log.error("the writer failed: %s\n%s", name, "".join(traceback.format_tb(error.__traceback__)))
            self.failed = True
            self._tell(f"The recorder failed: {name}.", "Please report this.")

    def _turn(self) -> None:
        records = self._queue.take()
        if self._loss is not None:
            for record in records:
                self._loss.take(record)
            if monotonic() >= self._next_try:
                self._try_again(self._loss)
            return
        now = monotonic()
        batch = self._sorter.sort(records, now, flush_before=now - _HOLD_SECONDS)
        if now >= self._beat:
            self._beat = now + HEARTBEAT_SECONDS
            batch.seen = wall()
            self._look_at_file()
        if batch:
            self._save(batch)

    def _look_at_file(self) -> None:
        """Notice that the file was deleted: SQLite would go on writing to it, though nobody can open it any more."""
        if self._file is None or self._file_was is None or identity(self._file) == self._file_was:
            return
        self._file_was = None
        self.failed = True
        self._tell(
            f"The database {self._file} is gone or was replaced; what is recorded from here on is lost.",
            "Stop this recording and begin another one.",
        )

    def _call_back(self) -> None:
        for callback in self._queue.done():
            self._guarded(callback)

    def _save(self, batch: Batch) -> None:
        """Write `batch`, trying again for a while; or else begin to lose."""
        give_up: float | None = None
        while (error := self._write(batch)) is not None:
            if give_up is None:
                # From here on: to wait for one's turn, or for a slow disk, is not to fail.
                give_up = monotonic() + self._patience
                trouble = explain(error, self._store.where)
                self._tell(f"Recording is held up: {trouble}", trouble.hint)
            elif not passing(error):
                self._let_go(batch, error)
                return
            elif monotonic() >= give_up:
                self._begin_losing(batch, error)
                return
            threading.Event().wait(_RETRY_SECONDS)
        if give_up is not None:
            self._tell("Recording works again; nothing was lost.", "")

    def _write(self, batch: Batch) -> Exception | None:
        try:
            self._ledger.write(batch)
        except Exception as error:  # noqa: BLE001  the callers decide what it means
            return error
        return None

    def _begin_losing(self, batch: Batch, error: Exception) -> None:
        batch.pieces.extend(self._sorter.give_up())
        self._stuck = batch
        self._loss = self._new_loss(error)
        self._next_try = monotonic() + _RETRY_LOST_SECONDS

    def _new_loss(self, error: Exception) -> Loss:
        self.failed = True
        trouble = explain(error, self._store.where)
        self._tell(f"Traffic goes on UNRECORDED: {trouble}", trouble.hint)
        return Loss(wall(), str(trouble))

    def _try_again(self, loss: Loss) -> None:
        self._next_try = monotonic() + _RETRY_LOST_SECONDS
        if self._stuck is not None and self._write(self._stuck) is not None:
            return
        self._stuck = None
        self._testify(loss)

    def _let_go(self, batch: Batch, error: Exception) -> None:
        """Give up a batch that will never be written, and go on with the next one."""
        loss = self._new_loss(error)
        for record in [*batch.records, *self._sorter.give_up()]:
            loss.take(record)
        self._testify(loss)

    def _testify(self, loss: Loss) -> None:
        """Write what was lost; until that succeeds, go on losing."""
        batch = self._sorter.sort(loss.testimony(wall(), self.recording.started), monotonic(), flush_before=0.0)
        if self._write(batch) is not None:
            self._loss = loss
            self._next_try = monotonic() + _RETRY_LOST_SECONDS
            return
        self._loss = None
        self._tell(f"Recording works again; {loss.summary()}", "The recording's gap events say what is missing.")

    def _finish(self) -> None:
        self._look_at_file()
        batch = self._sorter.sort([], monotonic(), flush_before=monotonic())
        batch.pieces.extend(self._sorter.give_up())
        if self._loss is not None:
            self._try_again(self._loss)
        if self._loss is None and batch:
            self._save(batch)
        if self._loss is not None:
            self._tell(f"Recording ended in failure: {self._loss.summary()}", "The end of the recording is missing.")
            return
        if self._ends:
            self._end()

    def _end(self) -> None:
        """Mark the recording ended. It matters little and is tried for as long as any write."""
        give_up = monotonic() + self._patience
        while True:
            try:
                end_recording(self._store, self.recording)
            except StorageError as trouble:
                if monotonic() >= give_up:
                    self._tell(f"The recording could not be marked as ended: {trouble}", trouble.hint)
                    return
                threading.Event().wait(_RETRY_SECONDS)
            else:
                return

    def _tell(self, message: str, hint: str) -> None:
        if self._on_trouble is None:
            _log.warning("%s %s", message, hint)
            return
        try:
            self._on_trouble(message, hint)
        except Exception:  # noqa: BLE001  a listener's fault must not stop the writer
            _log.exception("nobody heard: %s %s", message, hint)
