"""One direction of a TCP connection, put in order again: what was sent twice is taken once (RFC 9293 section 3.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_ROUND: Final = 1 << 32
_HELD_MOST: Final = 4 << 20
"""Bytes that wait for others before them; more of them than any window has, and those others were never captured."""


class Order:
    """Takes segments as they were captured and gives bytes in the order of the stream."""

    def __init__(self) -> None:
        self._next: int | None = None
        self._held: dict[int, bytes] = {}
        self._size = 0

    @property
    def torn(self) -> bool:
        """Whether bytes are missing before others that have come."""
        return bool(self._held)

    @property
    def hopeless(self) -> bool:
        """Whether so many wait that the missing ones will not come any more."""
        return self._size > _HELD_MOST

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
            data, ahead, seq = data[_ROUND - ahead :], 0, self._next
        if not data:
            return
        if ahead:
            self._hold(seq, data)
            return
        yield self._advance(data)
        while found := self._following():
            yield found

    def _hold(self, seq: int, data: bytes) -> None:
        before = self._held.get(seq, b"")
        if len(data) > len(before):
            self._held[seq] = data
            self._size += len(data) - len(before)

    def _advance(self, data: bytes) -> bytes:
        self._next = ((self._next or 0) + len(data)) % _ROUND
        return data

    def _following(self) -> bytes:
        """What waited for just these bytes; empty for nothing."""
        for seq in list(self._held):
            behind = ((self._next or 0) - seq) % _ROUND
            if behind >= _ROUND // 2:
                continue
            data = self._held.pop(seq)
            self._size -= len(data)
            if data[behind:]:
                return self._advance(data[behind:])
        return b""
