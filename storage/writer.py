"""The recorder's writer: records go in from the event loop, a thread of its own brings them to the disk.

Healthy, it takes what has gathered every few hundredths of a second and has it written in one transaction. When the
database fails, or does not answer, the batch is kept and tried again while the queue fills up and the relay slows down.
When that does not help for `patience` seconds, the traffic goes on unrecorded: the batch is still kept and tried once a
second, all that follows is counted and let go (`storage.outage`), and when the batch can be written the recording says
what is missing. With `control`, nothing is let go: the traffic stands still until everything could be written, and ends
when that takes longer than `patience`, or when the database has failed for good (`storage.trouble.lasting`).
"""

from __future__ import annotations

import logging
import threading
import traceback
from typing import TYPE_CHECKING, Final

from storage.batch import Sorter
from storage.brake import Brake, stood_still
from storage.clock import monotonic, wall
from storage.errors import StorageError
from storage.outage import Outage
from storage.pen import Pen, UnansweredError
from storage.queue import RecordQueue
from storage.recording import begin_recording
from storage.sharing import Sharing, alone
from storage.telling import Telling
from storage.trouble import explain, lasting, passing

if TYPE_CHECKING:
    from collections.abc import Callable

    from proxy.imap.transcript import Record
    from storage.batch import Batch
    from storage.brake import Control
    from storage.left_out import LeftOut
    from storage.store import Store
    from storage.values import Recording

QUEUE_BYTES: Final = 32 * 1024 * 1024
"""What may wait for the disk. With 64 MiB a literal of 1 GiB took 168 MiB of memory in all, with 16 it was slower."""
HEARTBEAT_SECONDS: Final = 5.0
PATIENCE: Final = 5.0
"""How many seconds a failing write is tried again before the traffic goes on unrecorded, or the recording ends."""
STANDSTILL: Final = 60.0
"""The same where traffic stands still meanwhile, until it is made to end. Mail clients seldom wait longer."""
LOOK_SECONDS: Final = 1.0
"""How often somebody looks whether the file is still there while nothing is written."""

_HOLD_SECONDS: Final = 0.03
_ANSWER_SECONDS: Final = 5.0  # a write that takes longer counts as failed; SQLite itself waits 2 s for a lock
_STAND_SECONDS: Final = 1.0  # a write that takes longer has the traffic stand still, if it shall; nobody is told yet
_RETRY_SECONDS: Final = 0.2
_SHORTLY: Final = 0.05  # in an outage: who waits for the database does not count what must be let go

_log = logging.getLogger(__name__)


class Writer:
    """Records one recording. `put`, `full`, `crammed` and `when_drained` are for the event loop; nothing blocks."""

    def __init__(
        self,
        store: Store,
        name: str | None = None,
        *,
        version: str = "",
        settings: str = "",
        queue_bytes: int = QUEUE_BYTES,
        on_trouble: Callable[[str, str], None] | None = None,
        control: Control | None = None,
        patience: float | None = None,
        sharing: Sharing | None = None,
        joined: Recording | None = None,
        max_literal: int | None = None,
    ) -> None:
        """Begin a recording called `name` (default: the time) and start the thread.

        With several writers, all have the same `sharing`; one of them begins the recording, and ends it when it is
        closed after all others, which have `joined` it.
        `settings` is text for people: how it listens and for whom, without secrets. `on_trouble(message, hint)` is
        called in the writer's thread whenever writing fails, gives up, or works again. So is `control`, if traffic must
        not go on unrecorded. `patience` is by default PATIENCE, with `control` STANDSTILL. Of literals longer than
        `max_literal` bytes only place, length and hash are kept (`storage.left_out`). Raises StorageError: the store is
        read-only, the name is taken or cannot be one.
        """
        self.recording = joined or begin_recording(store, name, version=version, settings=settings)
        self.failed = False
        """Whether anything was lost, or traffic was made to end. It stays so: the command shall end with an error."""
        self._where = store.where
        self._ends = joined is None
        sharing = sharing or alone()
        self._pen = Pen(store, self.recording, sharing.turn)
        self._queue = RecordQueue(queue_bytes)
        self._sorter = Sorter(sharing.event_numbers, max_literal)
        self._telling = Telling(on_trouble)
        self._brake = Brake(control)
        self._patience = (PATIENCE if control is None else STANDSTILL) if patience is None else patience
        self._beat = monotonic() + HEARTBEAT_SECONDS
        self._took = self._took_before = self.recording.started
        """When the queue was looked into last, and the time before: microseconds since 1970 UTC."""
        self._in_hand: list[Record | LeftOut] = []
        self._own: list[Record] = []
        self._outage: Outage | None = None
        self._thread = threading.Thread(target=self._run, name="imaptap-writer", daemon=True)
        self._thread.start()

    def put(self, *records: Record | LeftOut) -> None:
        """Hand over records, to be written together. Never blocks, never drops: look at `full` before reading on."""
        self._queue.put(*records)

    @property
    def full(self) -> bool:
        """Whether the relay should stop reading until `when_drained` calls back."""
        return self._queue.full

    @property
    def crammed(self) -> bool:
        """Whether it has to, however little it reads."""
        return self._queue.crammed

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
        self._pen.close()

    def _rest(self) -> float:
        """How long nothing needs to be done if nothing comes, in seconds."""
        if self._outage is not None:
            return max(0.0, self._outage.next_try - monotonic())
        return _HOLD_SECONDS if self._sorter.holding else min(LOOK_SECONDS, max(0.0, self._beat - monotonic()))

    def _guarded(self, step: Callable[[], None]) -> None:
        try:
            step()
        except Exception as error:  # noqa: BLE001  whatever it is, the traffic must go on, and somebody must hear of it
            # Its text may quote what it was about to write, which is somebody's mail: type and place must do.
            name = type(error).__name__
            _log.error("the writer failed: %s\n%s", name, "".join(traceback.format_tb(error.__traceback__)))
            self.failed = True
            fault = StorageError(f"The recorder failed: {name}.", "Please report this.")
            self._telling.warn(str(fault), fault.hint)
            lost, self._in_hand = self._in_hand, []
            if lost:
                (self._outage or self._begin_losing(fault)).let_go(lost)

    def _turn(self) -> None:
        self._took_before, self._took = self._took, wall()
        records = self._in_hand = [*self._own, *self._queue.take()]
        self._own = []
        if self._outage is not None:
            self._outage.let_go(records)
            self._in_hand = []
            if monotonic() >= self._outage.next_try:
                self._try_again(self._outage, _SHORTLY)
            return
        now = monotonic()
        batch = self._sorter.sort(records, now, flush_before=now - _HOLD_SECONDS)
        if now >= self._beat:
            self._beat = now + HEARTBEAT_SECONDS
            batch.seen = wall()
        if batch or self._pen.trouble():
            self._save(batch)
        self._in_hand = []

    def _call_back(self) -> None:
        for callback in self._queue.done():
            self._guarded(callback)

    # --- when writing fails -----------------------------------------------------------------------------------------

    def _save(self, batch: Batch) -> None:
        """Write `batch`, trying again for a while; then begin to lose, or wait while all traffic stands still."""
        error = self._first_try(batch)
        if error is None:
            return
        # From here on: to wait for one's turn, or for a slow disk, is not to fail.
        give_up, closing = monotonic() + self._patience, False
        trouble = explain(error, self._where)
        what = "Traffic stands still, since recording is held up" if self._brake.wanted else "Recording is held up"
        told = self._telling.warn(f"{what}: {trouble}", trouble.hint)
        self._brake.stand()
        while (error := self._once_more(batch)) is not None:
            if not passing(error):
                self._begin_losing(explain(error, self._where)).let_go(batch.records())
                return
            if not isinstance(error, UnansweredError):  # which says less than the error before it
                trouble = explain(error, self._where)
            if self._queue.closing and self._brake.wanted and not closing:
                closing, give_up = True, monotonic() + PATIENCE
            if monotonic() < give_up and not (self._brake.wanted and lasting(error, self._where)):
                continue
            if not self._brake.wanted or self._queue.closing:
                self._begin_losing(trouble, batch)
                return
            self._end_traffic(trouble)
        self._go_on("nothing was lost.", told=told, reason=str(trouble))

    def _first_try(self, batch: Batch) -> Exception | None:
        """Write `batch`; what is only slow holds the traffic up for a while, where it must not get far ahead."""
        error = self._pen.write(batch, _STAND_SECONDS if self._brake.wanted else _ANSWER_SECONDS)
        if self._brake.wanted and isinstance(error, UnansweredError):
            self._brake.stand()
            error = self._pen.write(batch, _ANSWER_SECONDS)
        if error is None:
            self._brake.go()
        return error

    def _once_more(self, batch: Batch) -> Exception | None:
        if not self._pen.busy:
            threading.Event().wait(_RETRY_SECONDS)
        return self._pen.write(batch, _RETRY_SECONDS)

    def _begin_losing(self, trouble: StorageError, stuck: Batch | None = None) -> Outage:
        """From here on all is counted and let go, until `stuck` is written, and behind it what was lost."""
        self.failed = True
        room = None if self._pen.busy else stuck  # what is being written has been read: nothing can be added to it
        since = self._took_before if room is None else self._took
        self._outage = Outage(str(trouble), self.recording.started, stuck, since=since)
        held = self._sorter.give_up()
        if room is None:
            self._outage.let_go(held)
        else:
            room.pieces.extend(held)
        if self._brake.wanted:
            self._end_traffic(trouble)
        else:
            self._telling.tell(f"Traffic goes on UNRECORDED: {trouble}", trouble.hint)
        return self._outage

    def _try_again(self, outage: Outage, seconds: float) -> None:
        """Write what waits; `seconds` is how long the database may take for each batch before we look again."""
        if not outage.over(self._pen, self._sorter, seconds):
            return
        self._outage = None
        lost = " ".join(outage.losses)
        hint = "The recording's gap events say what is missing." if lost else ""
        self._go_on(lost or "nothing was lost.", hint, told=True)

    def _end_traffic(self, trouble: StorageError) -> None:
        """Have all sessions end, if that has not been done before, and is not being done."""
        self.failed = True
        if self._brake.ended or self._queue.closing:
            return
        self._telling.tell(f"All sessions are ENDED, since they cannot be recorded: {trouble}", trouble.hint)
        self._brake.end(str(trouble))

    def _go_on(self, what: str, hint: str = "", *, told: bool, reason: str = "") -> None:
        since = self._brake.go()
        if since is not None:
            self._own.append(stood_still(since, self.recording.started, reason))
        if told or self._brake.ended:
            self._telling.tell(f"Recording works again; {what}", hint)

    # --- the end ----------------------------------------------------------------------------------------------------

    def _finish(self) -> None:
        batch = self._sorter.sort(self._own, monotonic(), flush_before=monotonic())
        batch.pieces.extend(self._sorter.give_up())
        if self._outage is None and (batch or self._pen.trouble()):
            self._save(batch)
        if self._outage is not None:
            self._try_again(self._outage, min(PATIENCE, self._patience))
        if self._outage is not None:
            self._outage.give_up_stuck()
            lost = self._outage.loss.summary()
            self._telling.tell(f"Recording ended in failure: {lost}", "The end of the recording is missing.")
        elif self._ends:
            self._end()

    def _end(self) -> None:
        """Mark the recording ended. It matters little and is tried for as long as any write."""
        give_up = monotonic() + min(PATIENCE, self._patience)
        while (error := self._pen.end(give_up - monotonic())) is not None:
            if monotonic() >= give_up:
                trouble = explain(error, self._where)
                self._telling.tell(f"The recording could not be marked as ended: {trouble}", trouble.hint)
                return
            threading.Event().wait(_RETRY_SECONDS)
