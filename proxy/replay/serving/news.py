"""What a recorded server said of its own accord: told once, and not while message numbers must stay as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.replay.serving.values import Kind

if TYPE_CHECKING:
    from collections.abc import Callable

    from proxy.replay.serving.values import Line, Play, Scene, Step


class News:
    """What has been told of it to one client, and what it is still owed."""

    def __init__(self, made: Callable[[Scene, Line], Play]) -> None:
        """`made` gives what is to be said for a line of a scene."""
        self._made = made
        self._owed: list[Play] = []
        self._told: set[tuple[int, int]] = set()
        """Session and step of what has been told, or is owed."""

    def owe(self, scene: Scene, step: Step, left_out: tuple[Step, ...]) -> None:
        """What came before this step, that of steps which nobody has asked for among it."""
        for each in left_out:
            self._add(scene, (*self.fresh(scene, each), *(line for line in each.lines if line.kind is Kind.NEWS)))
        self._add(scene, self.fresh(scene, step))

    def take(self) -> list[Play]:
        """All that is owed, which is told now."""
        owed, self._owed = self._owed, []
        return owed

    def fresh(self, scene: Scene, step: Step) -> tuple[Line, ...]:
        """What came before this step; nothing if it was asked for already."""
        return step.news if step.news and self._first(scene, step.number) else ()

    def rest(self, scene: Scene) -> tuple[Line, ...]:
        """What came behind all steps; nothing if it was asked for already."""
        return scene.rest if self._first(scene, 0) else ()

    def _first(self, scene: Scene, number: int) -> bool:
        place = scene.number, number
        if place in self._told:
            return False
        self._told.add(place)
        return True

    def _add(self, scene: Scene, lines: tuple[Line, ...]) -> None:
        self._owed += (self._made(scene, line) for line in lines)
