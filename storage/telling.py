"""What the person is told while a recorder runs: at once, but not over and over again."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from storage.clock import monotonic

if TYPE_CHECKING:
    from collections.abc import Callable

QUIET_SECONDS: Final = 60.0
"""For so long the same sentence is not said again: trouble that comes and goes would fill the terminal."""

_log = logging.getLogger(__name__)


class Telling:
    """Passes sentences and hints on to whoever listens."""

    def __init__(self, listener: Callable[[str, str], None] | None) -> None:
        """`listener(message, hint)` is called in the thread of whoever tells; without one it goes to the log."""
        self._listener = listener
        self._said: dict[str, float] = {}

    def warn(self, message: str, hint: str) -> bool:
        """Say it, unless it was said less than a minute ago. Whether it was said now."""
        now = monotonic()
        if now - self._said.get(message, -QUIET_SECONDS) < QUIET_SECONDS:
            return False
        self._said = {said: at for said, at in self._said.items() if now - at < QUIET_SECONDS} | {message: now}
        self.tell(message, hint)
        return True

    def tell(self, message: str, hint: str) -> None:
        """Say it."""
        if self._listener is None:
            _log.warning("%s %s", message, hint)
            return
        try:
            self._listener(message, hint)
        except Exception:  # noqa: BLE001  a listener's fault must not stop the writer
            _log.exception("nobody heard: %s %s", message, hint)
