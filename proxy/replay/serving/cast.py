"""Which recorded session a connection gets, and which of its steps answers a command."""

from __future__ import annotations

from collections import Counter
from enum import StrEnum
from typing import TYPE_CHECKING

from proxy.replay.asked import Asked
from proxy.replay.match import nearest
from proxy.replay.plan import LOGINS, needs_mailbox

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from proxy.replay.match import Near, Rules
    from proxy.replay.serving.values import Scene, Step

PASSED_OVER = frozenset({"NOOP", "CHECK", "CAPABILITY", "ID", "STARTTLS", "LOGOUT", "NAMESPACE", "IDLE"})
"""A client may leave these out, or ask them more often, and be the same client."""
_ONLY_NEWS = frozenset({"NOOP", "CHECK", "IDLE"})
"""All that these bring is news, which comes where it was recorded."""
_ALWAYS = frozenset({"CAPABILITY", "ID", "NAMESPACE"})
"""Asked again, they are answered as they were last: that changes nothing."""
_LOGIN = Asked("LOGIN", (), b"LOGIN")
_HISTORY = 64
"""So many commands of a connection are looked at to find out which recorded session it is."""


class Repeat(StrEnum):
    """What a command gets that is asked more often than it was recorded."""

    NEVER = "never"
    LAST = "last"
    LOOP = "loop"


class Cast:
    """All recorded sessions, and how often each was played."""

    def __init__(self, scenes: Sequence[Scene], rules: Rules, repeat: Repeat) -> None:
        """`scenes` in the order in which they were recorded; at least one."""
        self.rules, self.repeat = rules, repeat
        self._scenes = scenes
        self._played: Counter[int] = Counter()
        self._asked: set[tuple[int, int]] = set()

    def enter(self) -> Role:
        """A client has connected: it is the session that was played least often, of these the earliest."""
        first = min(self._scenes, key=lambda scene: self._played[scene.number])
        self._played[first.number] += 1
        return Role(self, first)

    def others(self, role: Role) -> Iterator[Scene]:
        """Sessions that a connection might turn out to be instead, the least played first."""
        found = (scene for scene in self._scenes if scene is not role.scene)
        yield from sorted(found, key=lambda scene: self._played[scene.number])

    def exchange(self, old: Scene, new: Scene) -> None:
        """A connection was taken for `old`, and is `new`."""
        self._played[old.number] -= 1
        self._played[new.number] += 1

    def took(self, scene: Scene, step: Step) -> None:
        """A step was asked for."""
        self._asked.add((scene.number, step.number))

    def never_asked(self) -> list[tuple[Scene, Step]]:
        """The steps that no connection has asked for, but for those that a client may leave out."""
        return [
            (scene, step)
            for scene in self._scenes
            for step in scene.steps
            if step.asked.name not in PASSED_OVER and (scene.number, step.number) not in self._asked
        ]

    def near(self, asked: Asked, own: Scene) -> tuple[Near, ...]:
        """The recorded commands that are most like one that matched none; its own session's come first."""
        ordered = (own, *(scene for scene in self._scenes if scene is not own))
        return nearest(self.rules, asked, ((s.number, step.number, step.asked) for s in ordered for step in s.steps))


class Role:
    """What one connection plays."""

    def __init__(self, cast: Cast, scene: Scene) -> None:
        self.scene = scene
        self.mailbox: str | None = None
        """The mailbox that is selected."""
        self.logged_in = bool(scene.steps) and scene.steps[0].logged_in
        self._cast = cast
        self._next = 0
        self._plays: Counter[int] = Counter()
        self._history: list[Asked] = []

    @property
    def over(self) -> bool:
        """Whether all steps lie behind."""
        return self._next >= len(self.scene.steps)

    @property
    def coming(self) -> Step:
        """The step that comes next, where not all lie behind."""
        return self.scene.steps[self._next]

    def prefer(self, user: str) -> None:
        """The client logs in as this user: be a session of that one's, where there is one that may still be it."""
        if self.scene.user in {None, user}:
            return
        for scene in self._cast.others(self):
            if scene.user == user and (place := self._goes_like(scene, [*self._history, _LOGIN])) is not None:
                self._become(scene, place)
                return

    def forget_refusals(self) -> None:
        """The client has shown that it may come in: logins that were refused lie behind."""
        steps = self.scene.steps
        for index in range(self._next, len(steps)):
            if steps[index].asked.name in LOGINS and steps[index].status != "OK":
                self._next = index + 1
            elif steps[index].asked.name not in PASSED_OVER:
                return

    def find(self, asked: Asked) -> tuple[Step, tuple[Step, ...]] | None:
        """The step that answers this command, which counts as played, and those that were left out before it.

        None: nothing that is recorded answers it.
        """
        index = self._in_order(self.scene, self._next, asked, self.mailbox)
        if index is None and self._change(asked):
            index = self._next
        if index is None:
            return self._aside(asked) if asked.name in PASSED_OVER else self._jump(asked)
        self._history = [*self._history, asked][: _HISTORY + 1]
        return self._play(index)

    def _aside(self, asked: Asked) -> tuple[Step, tuple[Step, ...]] | None:
        """Out of its order, what changes nothing moves nothing either, and brings no news."""
        index = None if asked.name in _ONLY_NEWS else self._anywhere(asked)
        if index is None:
            return None
        step = self.scene.steps[index]
        self._plays[index] += 1
        self._cast.took(self.scene, step)
        return step._replace(news=()), ()

    def _jump(self, asked: Asked) -> tuple[Step, tuple[Step, ...]] | None:
        index = self._anywhere(asked)
        return None if index is None else self._play(index)

    def _play(self, index: int) -> tuple[Step, tuple[Step, ...]]:
        steps = self.scene.steps
        step = steps[index]
        left_out = tuple(steps[each] for each in range(self._next, index) if not self._plays[each])
        self._next = max(self._next, index + 1)
        self._plays[index] += 1
        self.mailbox = step.after
        if step.asked.name in LOGINS and step.status == "OK":
            self.logged_in = True
        self._cast.took(self.scene, step)
        return step, left_out

    def _in_order(self, scene: Scene, start: int, asked: Asked, mailbox: str | None) -> int | None:
        """Where the command stands, if it comes next but for steps that a client may leave out."""
        for index in range(start, len(scene.steps)):
            if self._answers(scene.steps[index], asked, mailbox):
                return index
            if scene.steps[index].asked.name not in PASSED_OVER:
                break
        return None

    def _anywhere(self, asked: Asked) -> int | None:
        """A step that has not been played, later ones first; else one that has, where it may be again."""
        steps, last = self.scene.steps, len(self.scene.steps)
        order = (*range(self._next, last), *range(self._next))
        found: list[int] = [
            index for index in order if self._answers(steps[index], asked, self.mailbox, self.logged_in)
        ]
        new = next((index for index in found if not self._plays[index]), None)
        if new is not None or not found:
            return new
        repeat = Repeat.LAST if asked.name in _ALWAYS else self._cast.repeat
        if repeat is Repeat.LOOP:
            return min(found, key=lambda index: (self._plays[index], index))
        return max(found) if repeat is Repeat.LAST else None

    def _answers(self, step: Step, asked: Asked, mailbox: str | None, logged_in: bool = True) -> bool:
        if step.logged_in and not logged_in:
            return False
        if step.asked.name in LOGINS or asked.name in LOGINS:
            return step.asked.name in LOGINS and asked.name in LOGINS
        if needs_mailbox(asked.name) and step.mailbox != mailbox:
            return False
        return not self._cast.rules.differences(step.asked, asked)

    def _change(self, asked: Asked) -> bool:
        """Whether another recorded session begins as this connection did and goes on with this command: be that one."""
        if len(self._history) > _HISTORY:
            return False
        for scene in self._cast.others(self):
            place = self._goes_like(scene, [*self._history, asked])
            if place is not None:
                self._become(scene, place)
                return True
        return False

    def _become(self, scene: Scene, place: int) -> None:
        self._cast.exchange(self.scene, scene)
        self.scene, self._next = scene, place
        self._plays = Counter(range(place))

    def _goes_like(self, scene: Scene, history: list[Asked]) -> int | None:
        """Where the last of these commands stands in a session that has all of them in order."""
        index, mailbox = -1, None
        for asked in history:
            found = self._in_order(scene, index + 1, asked, mailbox)
            if found is None:
                return None
            index, mailbox = found, scene.steps[found].after
        return index
