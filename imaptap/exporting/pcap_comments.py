"""What a recording tells besides its bytes, as comments of packets."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

from proxy.imap.transcript import Direction, EventKind, readable

if TYPE_CHECKING:
    from imaptap.exporting.selection import Selection
    from proxy.imap.transcript import Event
    from storage import Session


class Comments:
    """Of one session: told at a byte, or at a time."""

    def __init__(self, selection: Selection, session: Session) -> None:
        self._at_bytes: dict[Direction, list[tuple[int, str]]] = {direction: [] for direction in Direction}
        self._told = dict.fromkeys(Direction, 0)
        self._everything = selection.everything
        timed: list[tuple[int, str]] = []
        for event in selection.store.events(session):
            if event.direction is not None and event.offset is not None and event.kind is not EventKind.GAP:
                self._at_bytes[event.direction].append((event.offset, _comment(event)))
            elif selection.everything and event.kind is not EventKind.GAP:
                timed.append((event.at, _comment(event)))
        for comments in self._at_bytes.values():
            comments.sort()
        self._timed = sorted(timed, reverse=True)

    def told_by(self, direction: Direction, start: int, end: int) -> list[tuple[int, str]]:
        """Those of the bytes from `start` up to `end`, with their offsets; and of those between what is wanted, if all
        is: nothing may have been sent on in their place.
        """
        comments = self._at_bytes[direction]
        first = self._told[direction] if self._everything else bisect_left(comments, (start, ""))
        last = self._told[direction] = bisect_left(comments, (end, ""), first)
        return comments[first:last]

    def until(self, at: int | None) -> list[str]:
        """Those that have happened by now; None: all that are left."""
        found: list[str] = []
        while self._timed and (at is None or self._timed[-1][0] <= at):
            found.append(self._timed.pop()[1])
        return found


def _comment(event: Event) -> str:
    if event.kind is EventKind.SECRET:
        return readable(f"masked: {event.name}, {event.length or 0} bytes at offset {event.offset}".encode())
    said = f"{event.kind}: {event.name}"
    if event.received is not None or event.sent is not None:
        said += f": {readable(event.received or b'')!r} was sent on as {readable(event.sent or b'')!r}"
    return readable((f"{said}: {event.text}" if event.text else said).encode())
