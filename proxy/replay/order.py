"""The order of steps in different sessions: what was over before one when recorded, is so again (M 9.6)."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from proxy.replay.part import Moment, Part

_IDLE = "IDLE"
_ALONE = frozenset("NOOP CHECK CAPABILITY ID LOGIN AUTHENTICATE STARTTLS COMPRESS ENABLE LOGOUT UNAUTHENTICATE".split())
"""Commands that nobody else's depend on."""
_TELLING = frozenset(
    "FETCH;UID FETCH;SEARCH;UID SEARCH;SORT;UID SORT;THREAD;UID THREAD;ESEARCH;LIST;LSUB;XLIST;NAMESPACE;STATUS;"
    "GETQUOTA;GETQUOTAROOT;GETACL;MYRIGHTS;LISTRIGHTS;GETMETADATA".split(";")
)
"""Commands that change nothing: what they tell matters to other sessions of the same user, who may go by it."""


class _Track:
    """Steps by when they ended, and up to where all of them are over."""

    def __init__(self, moments: Iterable[tuple[int, int]]) -> None:
        """`moments` are ends and numbers."""
        rising = sorted(moments)
        self._ends = [end for end, _ in rising]
        self._places = {number: place for place, (_, number) in enumerate(rising)}
        self._over = bytearray(len(rising))
        self._upto = 0

    def passed(self, wall: int) -> bool:
        """Whether all that had ended before then is over. (What ended in that very moment might wait for us, too.)"""
        return self._upto >= bisect_left(self._ends, wall)

    def over(self, number: int) -> None:
        place = self._places.get(number)
        if place is None:
            return
        self._over[place] = 1
        while self._upto < len(self._over) and self._over[self._upto]:
            self._upto += 1

    def leave(self) -> None:
        self._upto = len(self._ends)


class _Session:
    """One session's steps that others wait for: all of them, and those that change something."""

    def __init__(self, part: Part) -> None:
        self.user = part.user
        ends = [(end, each) for each in part.moments if (end := _end(each)) is not None]
        self.every = _Track((end, each.number) for end, each in ends)
        self.changing = _Track((end, each.number) for end, each in ends if each.command not in _TELLING)
        self.coming = [each.number for _, each in ends][::-1]
        """Those that have not begun, the next one last."""
        self.waiting: list[tuple[int, int, Callable[[], None]]] = []
        """Who waits for this one: session, time, and whom to call."""


class Order:
    """Knows what every session has done, and says when a step's turn has come."""

    def __init__(self, parts: Iterable[Part]) -> None:
        self._sessions = {part.number: _Session(part) for part in parts}

    def turn(self, session: int, wall: int, ready: Callable[[], None]) -> None:
        """Call `ready` once everything that had ended elsewhere before `wall` (when recorded) is over; perhaps at once.

        Only what changes mail, or selects a mailbox, counts; of sessions of the same user also what tells of them.
        """
        mine = self._sessions[session]
        for number, other in self._sessions.items():
            track = other.every if other.user == mine.user else other.changing
            if number != session and not track.passed(wall):
                other.waiting.append((session, wall, ready))
                return
        ready()

    def begun(self, session: int, number: int) -> None:
        """This step's time has come; those before it that never came are not to be waited for."""
        mine = self._sessions[session]
        while mine.coming and mine.coming[-1] <= number:
            earlier = mine.coming.pop()
            if earlier < number:
                self.over(session, earlier)

    def over(self, session: int, number: int) -> None:
        """This step has been answered, or will not be sent."""
        mine = self._sessions[session]
        mine.every.over(number)
        mine.changing.over(number)
        self._call(mine)

    def leave(self, session: int) -> None:
        """Nothing more comes of this session."""
        mine = self._sessions[session]
        mine.every.leave()
        mine.changing.leave()
        self._call(mine)

    def _call(self, mine: _Session) -> None:
        waiting, mine.waiting = mine.waiting, []
        for session, wall, ready in waiting:
            self.turn(session, wall, ready)


def _end(moment: Moment) -> int | None:
    """When others could go by it: an IDLE from its beginning on, for what they then do is news to it."""
    if moment.command in _ALONE:
        return None
    return moment.started if moment.command == _IDLE else moment.ended
