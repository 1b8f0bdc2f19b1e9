"""What one connection plays: where it is in its recorded session, and which step answers a command."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from itertools import chain
from typing import TYPE_CHECKING

from proxy.replay.asked import Asked
from proxy.replay.match import varied
from proxy.replay.plan import LOGINS, needs_mailbox
from proxy.replay.serving.index import PASSED_OVER, wanted
from proxy.replay.serving.values import Found, Repeat

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proxy.replay.serving.cast import Cast
    from proxy.replay.serving.index import Wanted
    from proxy.replay.serving.values import Scene, Step

_ONLY_NEWS = frozenset({"NOOP", "CHECK", "IDLE"})
"""All that these bring is news, which comes where it was recorded."""
_ALWAYS = frozenset({"CAPABILITY", "ID", "NAMESPACE"})
"""Asked again, they are answered as they were last: that changes nothing."""
_LOGIN = Asked("LOGIN", (), b"LOGIN")
_HISTORY = 64
"""So many commands of a connection are looked at to find out which recorded session it is."""


class Role:
    """What one connection plays."""

    def __init__(self, cast: Cast, scene: Scene) -> None:
        self.scene = scene
        self.mailbox: str | None = None
        """The mailbox that is selected."""
        self.said: dict[str, bytes] = {}
        """What the client has said last where the recording varies."""
        self.logged_in = bool(scene.steps) and scene.steps[0].logged_in
        self._cast = cast
        self._next = 0
        self._plays: Counter[tuple[int, int]] = Counter()
        self._history: list[Wanted] = []

    @property
    def over(self) -> bool:
        """Whether all steps lie behind."""
        return self._next >= len(self.scene.steps)

    @property
    def coming(self) -> Step:
        """The step that comes next, where not all lie behind."""
        return self.scene.steps[self._next]

    def around(self) -> Iterator[Step]:
        """All steps of the session, those that lie behind last."""
        steps = self.scene.steps
        return (steps[index] for index in chain(range(self._next, len(steps)), range(self._next)))

    @property
    def capabilities(self) -> list[str]:
        """What the server is known to have at this point; nothing where it has not told."""
        steps = self.scene.steps
        known = steps[min(self._next, len(steps) - 1)].capabilities if steps else frozenset[str]()
        return sorted(known, key=lambda word: (not word.startswith("IMAP4"), word))

    def prefer(self, user: str) -> None:
        """The client logs in as this user: be a session of that one's, where there is one that may still be it."""
        if self.scene.user in {None, user}:
            return
        for scene in self._cast.others(self):
            if (
                scene.user == user
                and (place := self._goes_like(scene, [*self._history, wanted(self._cast.rules, _LOGIN)])) is not None
            ):
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

    def find(self, asked: Asked) -> Found | None:
        """What answers this command, and counts as played. None: nothing that is recorded does."""
        sought = wanted(self._cast.rules, asked)
        index = self._cast.index(self.scene).in_order(self._next, sought, self.mailbox)
        if index is None and not self._knows(sought) and self._change(sought):
            index = self._next
        if index is None and sought.name in PASSED_OVER:
            return self._aside(sought)
        found = self._jump(sought) if index is None else self._play(index, sought.asked)
        if found is not None:
            self._history = [*self._history, sought][: _HISTORY + 1]
        return found

    def _knows(self, sought: Wanted) -> bool:
        """Whether it can be answered wherever it is asked, so that it says nothing of which session this is."""
        return sought.name == "CAPABILITY" and bool(self.capabilities)

    def _aside(self, sought: Wanted) -> Found | None:
        """Out of its order, what changes nothing moves nothing either, and brings no news."""
        found = [] if sought.name in _ONLY_NEWS else self._all(sought)
        index = self._new(found)
        if index is None:
            index = self._again(sought, found)
        if index is None:
            return None
        step = self.scene.steps[index]
        self._plays[self._key(index)] += 1
        self._cast.took(self.scene, step)
        return Found(self.scene, step._replace(news=()))

    def _jump(self, sought: Wanted) -> Found | None:
        found = self._all(sought)
        index = self._new(found)
        if index is None and (other := self._elsewhere(sought)):
            scene, index = other
            if needs_mailbox(sought.name):
                self.said |= varied(scene.steps[index].asked, sought.asked)
                return self._borrow(scene, scene.steps[index])
            self.scene, self._next = scene, index
        if index is None:
            index = self._again(sought, found)
        return None if index is None else self._play(index, sought.asked)

    def _borrow(self, scene: Scene, step: Step) -> Found:
        """The answer that another session got in the same mailbox; this one stays where it is."""
        self._plays[scene.number, step.number] += 1
        self._cast.took(scene, step)
        return Found(scene, step._replace(news=()))

    def _play(self, index: int, asked: Asked) -> Found:
        steps = self.scene.steps
        step = steps[index]
        left_out = tuple(steps[each] for each in range(self._next, index) if not self._plays[self._key(each)])
        self._next = max(self._next, index + 1)
        self._plays[self._key(index)] += 1
        self.said |= varied(step.asked, asked)
        self.mailbox = step.after
        if step.asked.name in LOGINS and step.status == "OK":
            self.logged_in = True
        self._cast.took(self.scene, step)
        return Found(self.scene, step, left_out)

    def _all(self, sought: Wanted) -> list[int]:
        """Every step that answers the command, those that lie behind last."""
        found = list(self._cast.index(self.scene).all(sought, self.mailbox, logged_in=self.logged_in))
        behind = bisect_left(found, self._next)
        return [*found[behind:], *found[:behind]]

    def _new(self, found: list[int]) -> int | None:
        """The first of these that was not played."""
        return next((index for index in found if not self._plays[self._key(index)]), None)

    def _again(self, sought: Wanted, found: list[int]) -> int | None:
        """One of these that was played, where that is wanted."""
        repeat = Repeat.LAST if sought.name in _ALWAYS else self._cast.repeat
        if not found or repeat is Repeat.NEVER:
            return None
        return max(found) if repeat is Repeat.LAST else min(found, key=lambda i: (self._plays[self._key(i)], i))

    def _elsewhere(self, sought: Wanted) -> tuple[Scene, int] | None:
        """Where the command stands in another session of the same user, about this time.

        Clients with several connections give their work to whichever is free.
        """
        if not self.logged_in:
            return None
        found = [
            (scene, index)
            for scene in self._cast.others(self)
            if scene.user in {None, self.scene.user}
            for index in self._cast.index(scene).all(sought, self.mailbox)
            if not self._plays[scene.number, scene.steps[index].number]
        ]
        return min(found, key=lambda place: self._cast.distance(place[0], place[0].steps[place[1]]), default=None)

    def _key(self, index: int) -> tuple[int, int]:
        return self.scene.number, self.scene.steps[index].number

    def _change(self, sought: Wanted) -> bool:
        """Whether another recorded session begins as this connection did and goes on with this command: be that one."""
        if len(self._history) > _HISTORY:
            return False
        for scene in self._cast.others(self):
            place = self._goes_like(scene, [*self._history, sought])
            if place is not None:
                self._become(scene, place)
                return True
        return False

    def _become(self, scene: Scene, place: int) -> None:
        self._cast.exchange(self.scene, scene, place)
        self.scene, self._next = scene, place
        self._plays = Counter(map(self._key, range(place)))

    def _goes_like(self, scene: Scene, history: list[Wanted]) -> int | None:
        """Where the last of these commands stands in a session that has all of them in order."""
        index, mailbox = -1, None
        for sought in history:
            found = self._cast.index(scene).in_order(index + 1, sought, mailbox)
            if found is None:
                return None
            index, mailbox = found, scene.steps[found].after
        return index
