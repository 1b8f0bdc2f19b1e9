"""What the person at the terminal is told while sessions run: one sentence, one hint, repeated only where it helps."""

from __future__ import annotations

from collections.abc import Callable

Tell = Callable[[str, str], None]


class Notices:
    """Passes notices on to whoever shows them."""

    def __init__(self, tell: Tell) -> None:
        """`tell` gets a sentence and a hint (which may be empty)."""
        self._tell = tell
        self._said: set[str] = set()

    def say(self, message: str, hint: str = "") -> None:
        """Tell the person."""
        self._tell(message, hint)

    def once(self, message: str, hint: str = "") -> None:
        """Tell the person, unless it was said before."""
        if message not in self._said:
            self._said.add(message)
            self._tell(message, hint)
