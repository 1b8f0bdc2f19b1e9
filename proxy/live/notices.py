"""What the person at the terminal is told while sessions run: one sentence, one hint, never more than can be read."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

Tell = Callable[[str, str], None]

AT_ONCE: Final = 20
"""So many in a row are passed on. Each of 10,000 clients that come to grief would otherwise have one of its own."""
_PERIOD: Final = 10.0


class Notices:
    """Passes notices on to whoever shows them. Used within an event loop."""

    def __init__(self, tell: Tell) -> None:
        """`tell` gets a sentence and a hint (which may be empty)."""
        self._tell = tell
        self._said: set[str] = set()
        self._room = AT_ONCE
        self._left_out = 0
        self._timer: asyncio.TimerHandle | None = None

    def say(self, message: str, hint: str = "") -> None:
        """Tell the person, unless he is being told too much already; then how much that was, in a while."""
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_PERIOD, self._renew)
        if self._room:
            self._room -= 1
            self._tell(message, hint)
        else:
            self._left_out += 1

    def once(self, message: str, hint: str = "") -> None:
        """Tell the person, unless it was said before."""
        if message not in self._said:
            self._said.add(message)
            self._tell(message, hint)

    def close(self) -> None:
        """No more will be said: tell what has not been told yet."""
        if self._timer:
            self._timer.cancel()
            self._renew()

    def _renew(self) -> None:
        self._timer, self._room = None, AT_ONCE
        left_out, self._left_out = self._left_out, 0
        if left_out:
            self._tell(f"{left_out} more messages like these are left out.", "The recording has all that they say.")
