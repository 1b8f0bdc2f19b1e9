"""Which capabilities the servers of both sides have offered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.imap.state import Phase
from storage.diff.report.values import Word

if TYPE_CHECKING:
    from proxy.imap.view.dialogue import Dialogue

LEFT, RIGHT = 0, 1
_NOT_YET = (Phase.CONNECTED, Phase.NOT_AUTHENTICATED)


class Offers:
    """Words by side, and by whether the client had logged in."""

    def __init__(self) -> None:
        self.words: dict[tuple[int, bool], set[str]] = {}
        self._last: list[tuple[bool, frozenset[str]] | None] = [None, None]

    def hear(self, side: int, dialogue: Dialogue) -> None:
        """What was in force when a command was sent."""
        words, later = dialogue.before.capabilities, dialogue.before.phase not in _NOT_YET
        if self._last[side] != (later, words):
            self._last[side] = later, words
            self.words.setdefault((side, later), set()).update(words)

    def merge(self, other: Offers) -> None:
        """Those of other sessions."""
        for key, words in other.words.items():
            self.words.setdefault(key, set()).update(words)

    def matrix(self) -> tuple[Word, ...]:
        """Each word of either side."""
        every = set[str]().union(*self.words.values())
        return tuple(Word(name, self._had(LEFT, name), self._had(RIGHT, name)) for name in sorted(every))

    def _had(self, side: int, name: str) -> tuple[bool, bool]:
        before, after = (name in self.words.get((side, later), ()) for later in (False, True))
        return before, after
