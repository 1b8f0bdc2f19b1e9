"""Commands in flight. Every question costs the same however many there are (M 3.4)."""

from __future__ import annotations

import itertools
from collections import Counter, OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from proxy.imap.grammar.commands import Body

FLIGHTS_MOST = 10_000
"""Commands in flight that are remembered; beyond that the oldest is given up."""
FLIGHTS_COUNTED = 50
"""Commands in flight for which untagged data is counted; where there are more, nobody misses anything."""
BODIES_MOST = 100
"""Commands in flight whose arguments are remembered, if they are no longer than ARGUMENTS_MOST bytes."""
ARGUMENTS_MOST = 16 * 1024
LITERALS_MOST = 100
"""Literals of one command whose times are remembered."""
_KINDS_KEPT = 200
_KIND_LENGTH = 40


@dataclass(slots=True, eq=False)
class Flight:
    """A command that the server has not answered. `seen` counts the data and codes that came since it was sent.

    `awaited` are the literals that had to wait for the server: when the first byte of each came, and its offset.
    """

    number: int
    tag: bytes
    name: str
    body: Body | None
    at: int
    awaited: list[tuple[int | None, int]]
    was_selected: bool
    seen: Counter[str] = field(default_factory=Counter[str])
    continued: int = 0
    done: bool = False

    def count(self, *words: str) -> None:
        """These words came; of a server that makes up words without end, some are counted."""
        for word in (each[:_KIND_LENGTH] for each in words):
            if word and (word in self.seen or len(self.seen) < _KINDS_KEPT):
                self.seen[word] += 1


class Flights:
    """All of a session, oldest first."""

    def __init__(self) -> None:
        self._open: OrderedDict[int, Flight] = OrderedDict()
        self._tags: Counter[bytes] = Counter()
        self._folded: Counter[bytes] = Counter()
        self._named: dict[str, OrderedDict[int, Flight]] = {}

    def __len__(self) -> int:
        return len(self._open)

    def get(self, number: int) -> Flight | None:
        """The one that is the exchange of this number."""
        return self._open.get(number)

    def add(self, flight: Flight) -> None:
        """A command was sent."""
        if len(self._open) >= FLIGHTS_MOST:
            self.pop(next(iter(self._open)))
        self._open[flight.number] = flight
        self._tags[flight.tag] += 1
        self._folded[flight.tag.lower()] += 1
        self._named.setdefault(flight.name, OrderedDict())[flight.number] = flight

    def pop(self, number: int) -> Flight | None:
        """It has been answered."""
        flight = self._open.pop(number, None)
        if flight is None:
            return None
        for counts, tag in ((self._tags, flight.tag), (self._folded, flight.tag.lower())):
            counts[tag] -= 1
            if not counts[tag]:
                del counts[tag]
        named = self._named[flight.name]
        del named[number]
        if not named:
            del self._named[flight.name]
        return flight

    def clear(self) -> None:
        """Forget all."""
        self._open.clear()
        self._tags.clear()
        self._folded.clear()
        self._named.clear()

    def has_tag(self, tag: bytes, *, any_case: bool = False) -> bool:
        """Whether one of them has this tag."""
        return tag.lower() in self._folded if any_case else tag in self._tags

    def running(self, names: Iterable[str]) -> Flight | None:
        """The oldest of these names."""
        found = (next(iter(self._named[name].values())) for name in names if name in self._named)
        return min(found, key=lambda flight: flight.number, default=None)

    def named(self, name: str) -> Iterator[Flight]:
        """Those of this name, oldest first, up to FLIGHTS_COUNTED."""
        return itertools.islice(self._named.get(name, OrderedDict[int, Flight]()).values(), FLIGHTS_COUNTED)

    def besides(self, names: frozenset[str]) -> bool:
        """Whether any has another name than these."""
        return any(name not in names for name in itertools.islice(self._named, len(names) + 1))

    def oldest(self, most: int = FLIGHTS_COUNTED) -> Iterator[Flight]:
        """The oldest of all."""
        return itertools.islice(self._open.values(), most)
