"""The time in which recording does not work: one batch waits to be written, what follows is counted and let go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from storage.clock import monotonic, wall
from storage.loss import Loss
from storage.trouble import passing

if TYPE_CHECKING:
    from collections.abc import Iterable

    from proxy.imap.transcript import Record
    from storage.batch import Batch, Sorter
    from storage.left_out import LeftOut
    from storage.pen import Pen

_RETRY_SECONDS = 1.0
_RETRY_BUSY_SECONDS = 0.2


class Outage:
    """Knows what to write next, until nothing is left to be written."""

    def __init__(self, reason: str, began: int, stuck: Batch | None, *, since: int) -> None:
        """`reason` is a sentence, `began` when the recording did, `stuck` what could not be written.

        All that was put `since` is lost. Both times are microseconds since 1970 UTC.
        """
        self.next_try = 0.0
        """When to try again, by the clock that is for waiting."""
        self.losses: list[str] = []
        """What was lost, in words, as far as the recording says so by now."""
        self._reason, self._began = reason, began
        self._stuck = stuck
        self._testifies = False
        self._refusals = 0
        self._loss = Loss(since, reason)

    @property
    def loss(self) -> Loss:
        """What was lost that the recording does not say yet."""
        return self._loss

    def let_go(self, records: Iterable[Record | LeftOut]) -> None:
        """Count records that nobody will write."""
        for record in records:
            self._loss.take(record)

    def over(self, pen: Pen, sorter: Sorter, seconds: float) -> bool:
        """Whether all that waits could be written now. The database may take so many seconds for each batch."""
        self.next_try = monotonic() + _RETRY_SECONDS
        while (batch := self.next(sorter)) is not None:
            error = pen.write(batch, seconds)
            if error is not None:
                if not passing(error):
                    self.refused()
                elif pen.busy:
                    self.next_try = monotonic() + _RETRY_BUSY_SECONDS
                return False
            self.written()
        return True

    def next(self, sorter: Sorter) -> Batch | None:
        """What to write next: what is stuck; then what says what was lost meanwhile; None: recording works again.

        It is the same batch until it was `written` or given up.
        """
        if self._stuck is None and self._loss:
            said = self._loss.testimony(wall(), self._began)
            self._stuck, self._testifies = sorter.sort(said, monotonic(), flush_before=0.0), True
            self.losses.append(self._loss.summary())
            self._loss = self._no_loss()
        return self._stuck

    def written(self) -> None:
        """The batch that came next is written."""
        self._stuck, self._testifies = None, False

    def refused(self) -> None:
        """The database works, but does not take the batch that came next: it gets another chance, and no third one."""
        self._refusals += 1
        if self._refusals > 1:
            self._refusals = 0
            self.give_up_stuck()

    def give_up_stuck(self) -> None:
        """What is stuck can never be written: let it go too. (What says that something was lost never is.)"""
        if self._stuck is not None and not self._testifies:
            self.let_go(self._stuck.records())
            self._stuck = None

    def _no_loss(self) -> Loss:
        return Loss(wall(), self._reason)
