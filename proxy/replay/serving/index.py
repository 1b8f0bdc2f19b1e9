"""Where in a recorded session a command stands: found without going through all of the session each time."""

from __future__ import annotations

from bisect import bisect_left
from heapq import merge
from typing import TYPE_CHECKING, NamedTuple

from proxy.replay.plan import LOGINS, needs_mailbox

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator

    from proxy.replay.asked import Asked
    from proxy.replay.match import Rules
    from proxy.replay.serving.values import Step

PASSED_OVER = frozenset({"NOOP", "CHECK", "CAPABILITY", "ID", "STARTTLS", "LOGOUT", "NAMESPACE", "IDLE"})
"""A client may leave these out, or ask them more often, and be the same client."""


class Wanted(NamedTuple):
    """A command that a client asks: its name, what is equal of all commands that are the same, and the whole."""

    name: str
    key: Hashable
    asked: Asked


def wanted(rules: Rules, asked: Asked) -> Wanted:
    """What to look for. A login stands for any other: what was recorded of it is masked."""
    return Wanted(asked.name, "login" if asked.name in LOGINS else rules.key(asked, recorded=False), asked)


class Index:
    """The steps of one session by what they ask."""

    def __init__(self, steps: tuple[Step, ...], rules: Rules) -> None:
        self._steps, self._rules = steps, rules
        self._places: dict[Hashable, list[int]] = {}
        self._firm = [len(steps)] * (len(steps) + 1)
        """From each place on the first step that a client may not leave out."""
        self._varying: dict[str, list[int]] = {}
        """Where something varies in what was asked: these are compared one by one."""
        for place, step in enumerate(steps):
            if step.asked.pattern is not None and step.asked.name not in LOGINS:
                self._varying.setdefault(step.asked.name, []).append(place)
                continue
            key = "login" if step.asked.name in LOGINS else rules.key(step.asked, recorded=True)
            self._places.setdefault(key, []).append(place)
        for place in range(len(steps) - 1, -1, -1):
            self._firm[place] = self._firm[place + 1] if steps[place].asked.name in PASSED_OVER else place

    def all(self, wanted: Wanted, mailbox: str | None, *, logged_in: bool = True) -> Iterator[int]:
        """Every step that answers the command where this mailbox is selected, as they were recorded.

        What was said behind a login is said behind one; which capabilities there are before it, before one.
        """
        for place in self._places_of(wanted, 0):
            behind = self._steps[place].logged_in
            fits = behind is logged_in if wanted.name == "CAPABILITY" else logged_in or not behind
            if fits and self._stands(place, wanted, mailbox):
                yield place

    def in_order(self, start: int, wanted: Wanted, mailbox: str | None) -> int | None:
        """Where the command stands, if it comes next from `start` on but for steps that a client may leave out."""
        last = self._firm[start]
        for place in self._places_of(wanted, start):
            if place > last:
                return None
            if self._stands(place, wanted, mailbox):
                return place
        return None

    def _places_of(self, wanted: Wanted, start: int) -> Iterator[int]:
        same = _from(start, self._places.get(wanted.key, []))
        varying = self._varying.get(wanted.name)
        return merge(same, self._alike(_from(start, varying), wanted.asked)) if varying else same

    def _alike(self, places: Iterator[int], asked: Asked) -> Iterator[int]:
        return (place for place in places if not self._rules.differences(self._steps[place].asked, asked))

    def _stands(self, place: int, wanted: Wanted, mailbox: str | None) -> bool:
        return not needs_mailbox(wanted.name) or self._steps[place].mailbox == mailbox


def _from(start: int, places: list[int]) -> Iterator[int]:
    return (places[at] for at in range(bisect_left(places, start), len(places)))
