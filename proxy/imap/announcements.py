"""What the end of a line announces: `{n}` before the line end, which is all that is kept of a long line.

It is a literal only where a string may stand: not within quotes, nor in a server's free text (M 2.4-2.6).
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from proxy.imap.quotes import QuoteCount

STATUS: Final = re.compile(rb"(?:\*|[^\s]+) +(?:OK|NO|BAD|BYE|PREAUTH)(?: +|(?=\r?\n))|\+", re.IGNORECASE)
"""How a server's status or `+` begins; a code in brackets may follow, then free text."""
LITERAL_MAX: Final = 2**63 - 1
_TAIL: Final = 64
"""Longer than any `~{9223372036854775807+}\\r\\n`."""
_ANNOUNCEMENT: Final = re.compile(rb"(~?)\{([0-9]+)(\+?)\}\r?\n\Z")
_QUOTED: Final = re.compile(rb'"(?:[^"\\]|\\.)*+(?:"|\Z)')


class LongLine:
    """A line that is too long to keep: its quotes are counted, and its end is kept."""

    def __init__(self, begun: bytes) -> None:
        self._quotes = QuoteCount()
        self._end = bytearray()
        self.add(begun)

    @property
    def end(self) -> bytes:
        """Its last bytes."""
        return bytes(self._end)

    @property
    def open_quote(self) -> bool:
        """Whether it ends inside a quoted string."""
        return self._quotes.odd

    def add(self, data: bytes) -> None:
        """Its next bytes."""
        self._quotes.add(data)
        self._end += data[-_TAIL:]
        del self._end[:-_TAIL]


class Announcement(NamedTuple):
    """`{n}`: the size of a literal, and of what kind it is."""

    size: int
    synchronising: bool
    binary: bool


def announcement(line: bytes) -> Announcement | None:
    """What a line, or the end of a long one, announces: nothing unless there is a `}` before the line end."""
    found = _ANNOUNCEMENT.search(line, max(0, len(line) - _TAIL))
    return Announcement(int(found[2]), not found[3], bool(found[1])) if found else None


def closes_code(line: bytes) -> bool:
    """Whether a code that is open ends in this line."""
    return b"]" in _QUOTED.sub(b"", line)
