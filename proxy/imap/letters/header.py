"""The header block that a message begins with, found however it is cut (RFC 5322 section 2.1)."""

from __future__ import annotations

import enum
import re

_LINE = re.compile(rb"\r?\n|[!-9;-~]{1,998}[ \t]{0,100}:")
"""An empty line, or the name of a field: RFC 5322 section 2.1.1 lets no line be longer."""
_BEGUN = re.compile(rb"\r|[!-9;-~]{1,998}[ \t]{0,100}")


class _Line(enum.Enum):
    FIELD = enum.auto()  # or the rest of one
    EMPTY = enum.auto()
    TEXT = enum.auto()
    UNKNOWN = enum.auto()  # so little has come of it


class HeaderBlock:
    """Push the message's bytes in, and see how many of them are header.

    The block ends behind the first empty line, or in front of the first line that is no field: what looks like a
    letter without a header is all text.
    """

    def __init__(self) -> None:
        self.kept = 0
        """How many bytes are certainly header."""
        self.over = False
        """Whether all others are text. Until then nobody knows what a line is that has just begun."""
        self._begun: bytes = b""
        self._in_line = False

    def feed(self, data: bytes) -> None:
        """The next bytes."""
        if self.over:
            return
        data = self._begun + data
        pos = 0
        while pos < len(data):
            begun = _Line.FIELD if self._in_line else self._begins(data, pos)
            self.over = begun in {_Line.EMPTY, _Line.TEXT}
            if begun in {_Line.TEXT, _Line.UNKNOWN}:
                break
            end = data.find(b"\n", pos) + 1
            self._in_line = not end
            pos = end or len(data)
            if begun is _Line.EMPTY:
                break
        self.kept += pos
        self._begun = b"" if self.over else data[pos:]

    def _begins(self, data: bytes, pos: int) -> _Line:
        """What begins here."""
        if data[pos] in b" \t" and (self.kept or pos):
            return _Line.FIELD
        if match := _LINE.match(data, pos):
            return _Line.EMPTY if match[0].endswith(b"\n") else _Line.FIELD
        return _Line.UNKNOWN if _BEGUN.fullmatch(data, pos) else _Line.TEXT
