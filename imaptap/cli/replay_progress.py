"""The progress bar of a replay, with counts; on a terminal only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

from proxy.replay.values import Fate

if TYPE_CHECKING:
    from imaptap.replaying import Tally


class Progress:
    """`with Progress(steps) as progress:` shows how far it is."""

    def __init__(self, steps: int, *, shown: bool) -> None:
        console = Console(stderr=True, highlight=False)
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self._bar = Bar(*columns, console=console, transient=True, disable=not (shown and console.is_terminal))
        self._task = self._bar.add_task("replaying", total=steps)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def seed(self, done: int, count: int) -> None:
        """So many messages have been appended, of so many, before it begins."""
        if not self._bar.disable:
            self._bar.update(self._task, description=f"seeding {done} of {count} messages")

    def show(self, tally: Tally) -> None:
        """So far."""
        if self._bar.disable:
            return
        left_out = tally.steps - tally.fates[Fate.SENT]
        said = f"sent {tally.fates[Fate.SENT]}, not {left_out}, otherwise {tally.others}"
        self._bar.update(self._task, completed=tally.steps, description=said)
