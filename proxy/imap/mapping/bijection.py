"""Values that a server makes up, of which only one thing counts: equal there, equal here (M 8)."""

from __future__ import annotations

from typing import Generic, TypeVar

T = TypeVar("T", str, bytes, int)


class Bijection(Generic[T]):
    """Pairs of such values. The first pair of either of them stays; what contradicts it is for others to find."""

    def __init__(self) -> None:
        self._forward: dict[T, T] = {}
        self._back: dict[T, T] = {}

    def learn(self, recorded: T, replayed: T) -> bool:
        """These two stand for the same thing. False where one of them stands for something else already."""
        if recorded not in self._forward and replayed not in self._back:
            self._forward[recorded], self._back[replayed] = replayed, recorded
            return True
        return self._forward.get(recorded) == replayed

    def replayed(self, recorded: T) -> T | None:
        """What the recorded value is at the target."""
        return self._forward.get(recorded)

    def recorded(self, replayed: T) -> T | None:
        """What a value of the target is in the recording."""
        return self._back.get(replayed)
