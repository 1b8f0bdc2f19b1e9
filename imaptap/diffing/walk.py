"""Two sessions read side by side: each step with its dialogues, as few as possible of them in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from imaptap.diffing.values import Step
    from proxy.imap.view.dialogue import Dialogue

HELD_MOST = 100_000
"""Units of dialogues that wait for a counterpart which stands elsewhere; what comes beyond that is not compared."""


class Walked(NamedTuple):
    """A step, and its dialogues: None where there is none, or where it could not be had."""

    step: Step
    left: Dialogue | None
    right: Dialogue | None


def walk(steps: Iterable[Step], left: Iterator[Dialogue], right: Iterator[Dialogue]) -> Iterator[Walked]:
    """Every step in its order. The dialogues come in the order of their numbers."""
    mine, theirs = _Reader(left), _Reader(right)
    order = list(steps)
    mine.wanted = {step.left for step in order if step.left is not None}
    theirs.wanted = {step.right for step in order if step.right is not None}
    for step in order:
        yield Walked(step, mine.take(step.left), theirs.take(step.right))


class _Reader:
    """Dialogues by their numbers, asked for in about that order."""

    def __init__(self, coming: Iterator[Dialogue]) -> None:
        self.wanted = set[int]()
        self._coming = coming
        self._held: dict[int, Dialogue] = {}
        self._size = self._newest = 0

    def take(self, number: int | None) -> Dialogue | None:
        """The dialogue of that number, once."""
        if number is None:
            return None
        self.wanted.discard(number)
        if number <= self._newest:
            held = self._held.pop(number, None)
            self._size -= _size(held) if held else 0
            return held
        for dialogue in self._coming:
            self._newest = dialogue.exchange.number
            if self._newest == number:
                return dialogue
            self._hold(dialogue)
            if self._newest > number:  # it was lost
                return None
        self._newest = max(self._newest, number)
        return None

    def _hold(self, dialogue: Dialogue) -> None:
        size = _size(dialogue)
        if dialogue.exchange.number in self.wanted and self._size + size <= HELD_MOST:
            self._held[dialogue.exchange.number] = dialogue
            self._size += size


def _size(dialogue: Dialogue) -> int:
    return len(dialogue.asks) + len(dialogue.answers) + len(dialogue.news)
