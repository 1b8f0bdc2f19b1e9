"""What is left out of a cassette when it is imported, beside what was when it was recorded (`--bodies`)."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from proxy.imap.letters.policy import LEFT_OUT, Bodies
from proxy.imap.transcript import Event, EventKind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from proxy.imap.transcript import Direction

_NAMES: Final = frozenset((LEFT_OUT, "unread"))
_KEPT: Final = 200
"""So many places that the cassette tells of are remembered: what is heard about one is heard soon."""
_ENDLESS: Final = 1 << 62
_UNHASHED: Final = frozenset((Bodies.HEADERS, Bodies.NONE))

_Place = tuple["Direction | None", int, int]


def leaves_out(event: Event) -> bool:
    """Whether it says that something of a letter was left out."""
    return event.kind is EventKind.SECRET and event.name in _NAMES


class Leaving:
    """Of one session. What the cassette tells, and what is heard, may be about the same bytes: each is told once.

    What is heard waits until the cassette has told of the same moment. Nothing that has masks in it is hashed.
    """

    def __init__(self, bodies: Bodies) -> None:
        self._bodies = bodies
        self._places: deque[_Place] = deque(maxlen=_KEPT)
        """Where something was left out."""
        self._masks: deque[_Place] = deque(maxlen=_KEPT)
        """Where anything is masked: passwords too, which letters may quote."""
        self._waiting: dict[_Place, Event] = {}

    @property
    def hashes(self) -> bool:
        """Whether a hash that the cassette has may stay."""
        return self._bodies not in _UNHASHED

    def told(self, event: Event) -> Event:
        """An event of the cassette, as it is to be recorded."""
        if event.kind is not EventKind.SECRET:
            return event
        place = _place(event)
        self._masks.append(place)
        heard = None
        if leaves_out(event):
            self._places.append(place)
            heard = self._waiting.pop(place, None)
            event = event if self.hashes else event._replace(text="")
        # Mostly it is about just the same bytes. Else only a hash is to be looked for: thousands may wait.
        if heard is None and self.hashes:
            self._waiting = {where: _unhashed(each, where, (place,)) for where, each in self._waiting.items()}
        return event

    def heard(self, event: Event) -> None:
        """Something is left out now."""
        place = _place(event)
        if place not in self._places:
            self._waiting[place] = _unhashed(event, place, self._masks)

    def due(self, at: int) -> list[Event]:
        """What was heard of earlier moments than this."""
        due = {place: event for place, event in self._waiting.items() if event.at < at}
        for place in due:
            del self._waiting[place]
        return list(due.values())


def _unhashed(event: Event, place: _Place, masked: Iterable[_Place]) -> Event:
    """The event, without its hash where any of these places is in it: nobody has what was there."""
    return event._replace(text="") if event.text and any(_touch(place, each) for each in masked) else event


def _place(event: Event) -> _Place:
    start = event.offset or 0
    return event.direction, start, _ENDLESS if event.length is None else start + event.length


def _touch(one: _Place, other: _Place) -> bool:
    return one[0] is other[0] and one[1] < other[2] and other[1] < one[2]
