"""Quotes in a line, however it comes: `\\"` and `\\\\` are the only escapes (RFC 9051 section 9, M 2.6)."""

from __future__ import annotations


def open_quote(line: bytes) -> bool:
    """Whether the line ends inside a quoted string; `\\"` and `\\\\` are its only escapes (RFC 9051 section 9)."""
    if b'"' not in line:
        return False
    if b"\\" in line:
        line = line.replace(b"\\\\", b"").replace(b'\\"', b"")
    return line.count(b'"') % 2 == 1


class QuoteCount:
    """`open_quote` for a line that comes in parts: the same answer wherever it is cut."""

    def __init__(self) -> None:
        self.odd = False
        self._escape = b""

    def add(self, data: bytes) -> None:
        """Count the unescaped quotes of the line's next bytes."""
        data = self._escape + data
        slashes = len(data) - len(data.rstrip(b"\\"))
        self._escape = b"\\" if slashes % 2 else b""
        self.odd ^= open_quote(data[: len(data) - len(self._escape)])
