"""The progress bar of an export or an import, on stderr; on a terminal only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

if TYPE_CHECKING:
    from types import TracebackType

_STEPS = 500
_STEP_MOST = 4_000_000


class ExportProgress:
    """`with ExportProgress(size, shown=...) as progress:` and `progress(n)` for n more bytes that are done."""

    def __init__(self, size: int | None, *, shown: bool, word: str = "exporting") -> None:
        console = Console(stderr=True, highlight=False)
        columns = (TextColumn(word), BarColumn(), DownloadColumn(), TimeRemainingColumn())
        self._bar = Progress(*columns, console=console, transient=True, disable=not (shown and console.is_terminal))
        self._task = self._bar.add_task(word, total=size)
        self._step = min((size or 0) // _STEPS, _STEP_MOST)
        self._waiting = 0

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._bar.stop()

    def __call__(self, done: int) -> None:
        """So many more bytes are done."""
        self._waiting += done
        if self._waiting > self._step and not self._bar.disable:
            self._bar.advance(self._task, self._waiting)
            self._waiting = 0
