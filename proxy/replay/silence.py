"""A server that owes an answer and says nothing: somebody has to notice."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Silence:
    """Looks every `patience` seconds whether anything has happened since the last look."""

    def __init__(self, patience: float, owes: Callable[[], bool], fell: Callable[[], None]) -> None:
        """`owes` tells whether anything is waited for; `fell` is called, once, when nothing came for so long."""
        self.patience = patience
        self._owes, self._fell = owes, fell
        self._pulse = self._seen = 0
        self._timer: asyncio.TimerHandle | None = None

    def begin(self) -> None:
        """Look from now on."""
        self._timer = asyncio.get_running_loop().call_later(self.patience, self._look)

    def broken(self) -> None:
        """Something has been said."""
        self._pulse += 1

    def end(self) -> None:
        """Look no more."""
        if self._timer:
            self._timer.cancel()

    def _look(self) -> None:
        if self._owes() and self._pulse == self._seen:
            self._fell()
            return
        self._seen = self._pulse
        self.begin()
