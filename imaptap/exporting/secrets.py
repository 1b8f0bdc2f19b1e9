"""The secrets of a session: where they are masked in its streams, and what they were."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, NamedTuple

from proxy.imap.transcript import Direction, EventKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from storage import Session, Store


class Part(NamedTuple):
    """Bytes of a line; with `secret`, they are the mask of a secret of this class."""

    data: bytes
    secret: str = ""


class Secrets:
    """The masks of a session, told by its events: a mask of x could be text."""

    def __init__(self, store: Store, session: Session) -> None:
        """Raises StorageError."""
        self._places: dict[Direction, list[tuple[int, int, str]]] = {direction: [] for direction in Direction}
        self._starts: dict[Direction, list[int]] = {}
        found = (e for e in store.events(session, EventKind.SECRET) if e.direction is not None and e.length)
        for event in sorted(found, key=lambda event: event.offset or 0):
            if event.direction is not None:
                start = event.offset or 0
                self._places[event.direction].append((start, start + (event.length or 0), event.name))
        for direction, places in self._places.items():
            self._starts[direction] = [start for start, _, _ in places]

    def among(self, direction: Direction, start: int, end: int) -> bool:
        """Whether any of the bytes `start` up to `end` of a stream are masked."""
        places = self._places[direction]
        index = bisect_right(self._starts[direction], start)
        if index and places[index - 1][1] > start:
            return True
        return index < len(places) and places[index][0] < end

    def parts(self, direction: Direction, offset: int, data: bytes) -> Iterator[Part]:
        """These bytes of a stream, cut where secrets begin and end; each place is masked once."""
        places = self._places[direction]
        position, end = offset, offset + len(data)
        index = max(0, bisect_right(self._starts[direction], offset) - 1)
        while index < len(places) and places[index][0] < end:
            start, stop, name = places[index]
            start, stop, index = max(start, position), min(stop, end), index + 1
            if start >= stop:
                continue
            if start > position:
                yield Part(data[position - offset : start - offset])
            yield Part(data[start - offset : stop - offset], name)
            position = stop
        if position < end:
            yield Part(data[position - offset :])
