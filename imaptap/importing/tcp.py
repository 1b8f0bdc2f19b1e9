"""One direction of a TCP connection, put in order again: what was sent twice is taken once (RFC 9293 section 3.4)."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_ROUND: Final = 1 << 32
_HELD_MOST: Final = 4 << 20
"""Bytes that wait for others before them; more of them than any window has, and those others were never captured."""
_SEGMENTS_MOST: Final = 1 << 16
"""The same, of segments: those of a byte each take a hundred times the memory."""


class Order:
    """Takes segments as they were captured and gives bytes in the order of the stream."""

    def __init__(self) -> None:
        self._next: int | None = None
        self._place = 0
        """How many bytes are in order."""
        self._held: dict[int, bytes] = {}
        self._places: list[int] = []
        """Of what is held, as a heap."""
        self._size = 0

    @property
    def torn(self) -> bool:
        """Whether bytes are missing before others that have come."""
        return bool(self._held)

    @property
    def hopeless(self) -> bool:
        """Whether so many wait that the missing ones will not come any more."""
        return self._size > _HELD_MOST or len(self._held) > _SEGMENTS_MOST

    def begin(self, seq: int) -> None:
        """The stream begins behind this number, that of its SYN."""
        if self._next is None:
            self._next = (seq + 1) % _ROUND

    def take(self, seq: int, data: bytes) -> Iterator[bytes]:
        """A segment; gives what is in order now."""
        if self._next is None:
            self._next = seq
        ahead = (seq - self._next) % _ROUND
        if ahead >= _ROUND // 2:  # it lies behind: sent again, in part or whole
            data, ahead = data[_ROUND - ahead :], 0
        if not data:
            return
        if ahead:
            self._hold(self._place + ahead, data)
            return
        yield self._advance(data)
        while found := self._following():
            yield found

    def _hold(self, place: int, data: bytes) -> None:
        if place not in self._held:
            heapq.heappush(self._places, place)
        before = self._held.get(place, b"")
        if len(data) > len(before):
            self._held[place] = data
            self._size += len(data) - len(before)

    def _advance(self, data: bytes) -> bytes:
        self._next = ((self._next or 0) + len(data)) % _ROUND
        self._place += len(data)
        return data

    def _following(self) -> bytes:
        """What waited for just these bytes; empty for nothing."""
        while self._places and self._places[0] <= self._place:
            place = heapq.heappop(self._places)
            data = self._held.pop(place)
            self._size -= len(data)
            if rest := data[self._place - place :]:
                return self._advance(rest)
        return b""
