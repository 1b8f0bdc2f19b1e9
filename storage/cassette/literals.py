"""Which bytes of a cassette are literals: those that a line announces at its end, where they follow.

Whoever writes a cassette and whoever reads it ask the same rule, so that `|` lines are what they say.
"""

from __future__ import annotations

import re

from proxy.imap.transcript import Direction

_TAIL = 64
_ANNOUNCED = re.compile(rb"\{([0-9]{1,19})(\+?)\}\r?\n\Z")


class Announced:
    """Of one side: what its newest line announces."""

    def __init__(self) -> None:
        self._tail = b""
        self.size = 0
        """Bytes of the literal announced last; 0 for none."""
        self.taken = 0
        """So many of them were given."""
        self.waits = False
        """Whether the client may only send it after a `+` (RFC 9051 section 4.3)."""

    @property
    def owed(self) -> int:
        """Bytes of it that have not come."""
        return self.size - self.taken

    def text(self, data: bytes) -> None:
        """Text outside of literals has come, a line or a part of one."""
        self._tail = (self._tail + data)[-_TAIL:]
        found = _ANNOUNCED.search(self._tail)
        self.size, self.taken, self.waits = 0, 0, False
        if found:
            self.size, self.waits = int(found[1]), not found[2]
        if data.endswith(b"\n"):
            self._tail = b""

    def forget(self) -> None:
        """Nobody knows what is announced."""
        self._tail, self.size, self.taken, self.waits = b"", 0, 0, False


class Literals:
    """Of both sides."""

    def __init__(self) -> None:
        self._sides = {direction: Announced() for direction in Direction}
        self._gone_ahead = False
        """Whether the server has said `+` since the client's last text."""

    def of(self, direction: Direction) -> Announced:
        """What one side has announced."""
        return self._sides[direction]

    def follow(self, direction: Direction) -> bool:
        """Whether what this side says next is a literal's. Where the server has refused one, it is not any more."""
        announced = self._sides[direction]
        refused = direction is Direction.CLIENT and announced.waits and not announced.taken and not self._gone_ahead
        if refused:
            announced.forget()
        return announced.owed > 0

    def line(self, direction: Direction, data: bytes, *, text: bool = True) -> None:
        """This side has said a line, or a part of one, outside of literals; without `text` it is no text."""
        self._sides[direction].text(data)
        if direction is Direction.CLIENT:
            self._gone_ahead = False
        elif text and data.startswith(b"+"):
            self._gone_ahead = True

    def content(self, direction: Direction, size: int) -> None:
        """Bytes of a literal have come."""
        self._sides[direction].taken += size

    def lost(self, direction: Direction) -> None:
        """Bytes of this side were lost."""
        self._sides[direction].forget()
