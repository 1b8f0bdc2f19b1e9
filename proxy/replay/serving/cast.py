"""All recorded sessions that are served: how often each was played, and which one a connection gets."""

from __future__ import annotations

from collections import Counter
from itertools import chain
from typing import TYPE_CHECKING

from proxy.replay.changing import changes_mail
from proxy.replay.match import nearest
from proxy.replay.serving.changes import Changes
from proxy.replay.serving.index import PASSED_OVER, Index
from proxy.replay.serving.role import Role

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from proxy.replay.asked import Asked
    from proxy.replay.match import Near, Rules
    from proxy.replay.serving.values import Repeat, Scene, Step


class Cast:
    """All recorded sessions, and how often each was played."""

    def __init__(self, scenes: Sequence[Scene], rules: Rules, repeat: Repeat) -> None:
        """`scenes` in the order in which they were recorded; at least one."""
        self.rules, self.repeat = rules, repeat
        self._scenes = scenes
        self._indices = {scene.number: Index(scene.steps, rules) for scene in scenes}
        self._played: Counter[int] = Counter()
        self._asked: Counter[tuple[int, int]] = Counter()
        self._lately: Counter[tuple[int, int]] = Counter()
        """How often each step was asked for since the recording began anew."""
        self._now = 0
        """When the step was recorded that was played last."""
        self._changed = 0
        """When the latest step was recorded of those played since then that change mail."""
        self.changes = Changes()

    def enter(self) -> Role:
        """A client has connected: it is the session that was played least often, of these the earliest.

        When all were played equally often, the recording begins anew.
        """
        first = min(self._scenes, key=lambda scene: self._played[scene.number])
        if self._played[first.number] and len({self._played[scene.number] for scene in self._scenes}) == 1:
            self._lately.clear()
            self._now = self._changed = 0
            self.changes.forget()
        self._played[first.number] += 1
        return Role(self, first)

    def others(self, role: Role) -> Iterator[Scene]:
        """Sessions that a connection might turn out to be instead, the least played first."""
        found = (scene for scene in self._scenes if scene is not role.scene)
        yield from sorted(found, key=lambda scene: self._played[scene.number])

    def exchange(self, old: Scene, new: Scene, place: int) -> None:
        """A connection was taken for `old`, and is `new`: what it has asked is what comes there before `place`."""
        self._played[old.number] -= 1
        self._played[new.number] += 1
        for step in new.steps[:place]:
            self._asked[new.number, step.number] += 1

    def took(self, scene: Scene, step: Step) -> None:
        """A step was asked for."""
        self._asked[scene.number, step.number] += 1
        self._lately[scene.number, step.number] += 1
        self._now = step.at
        if changes_mail(step.asked.name):
            self._changed = max(self._changed, step.at)

    def times(self, scene: Scene, step: Step) -> int:
        """How often a step was asked for, by all connections together."""
        return self._asked[scene.number, step.number]

    def distance(self, scene: Scene, step: Step) -> tuple[bool, int, int]:
        """How far a step is from what is being played.

        Whether mail has changed since, how often it was asked for, and how long before or after.
        """
        lately = self._lately[scene.number, step.number]
        return step.at < self._changed, lately, abs(step.at - self._now)

    def never_asked(self) -> list[tuple[Scene, Step]]:
        """The steps that no connection has asked for, but for those that a client may leave out."""
        return [
            (scene, step)
            for scene in self._scenes
            for step in scene.steps
            if step.asked.name not in PASSED_OVER and not self.times(scene, step)
        ]

    def index(self, scene: Scene) -> Index:
        """Where the commands of a session stand."""
        return self._indices[scene.number]

    def near(self, asked: Asked, role: Role) -> tuple[Near, ...]:
        """The recorded commands that are most like one that matched none; what comes next in its session is first."""
        own = ((role.scene, step) for step in role.around())
        others = ((scene, step) for scene in self._scenes if scene is not role.scene for step in scene.steps)
        places = ((scene.number, step.number, step.asked) for scene, step in chain(own, others))
        return nearest(self.rules, asked, places)
