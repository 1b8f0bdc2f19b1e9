"""Which bytes of a cassette are literals: those that a line announces at its end, where they follow.

Whoever writes a cassette and whoever reads it ask the same rule, so that `|` lines are what they say.
"""

from __future__ import annotations

import re

_TAIL = 64
_ANNOUNCED = re.compile(rb"\{([0-9]{1,19})(\+?)\}\r?\n\Z")


class Announced:
    """Of one side: what its newest line announces."""

    def __init__(self) -> None:
        self._tail = b""
        self.size = 0
        """Bytes of the literal announced last; 0 for none."""
        self.waits = False
        """Whether the client may only send it after a `+` (RFC 9051 section 4.3)."""
        self.taken = 0
        """So many of them were given."""

    @property
    def owed(self) -> int:
        """Bytes of it that have not come."""
        return self.size - self.taken

    def line(self, data: bytes) -> None:
        """Text outside of literals has come, a line or a part of one."""
        self._tail = (self._tail + data)[-_TAIL:]
        found = _ANNOUNCED.search(self._tail)
        self.size, self.taken = (int(found[1]) if found else 0), 0
        self.waits = bool(found) and not found[2] if found else False
        if data.endswith(b"\n"):
            self._tail = b""

    def content(self, size: int) -> None:
        """Bytes of a literal have come."""
        self.taken += size

    def forget(self) -> None:
        """Nobody knows what is announced."""
        self._tail, self.size, self.taken, self.waits = b"", 0, 0, False
