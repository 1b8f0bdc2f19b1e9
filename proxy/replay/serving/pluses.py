"""A command with literals, said to a server after its client has said all of it, who must not hear the server's `+`."""

from __future__ import annotations

from proxy.imap.transcript import Direction
from proxy.imap.units import TEXT_KEPT, Boundary, UnitReader


class Pluses:
    """What the server says while the literals of a command wait for their `+`, without these."""

    def __init__(self, tag: bytes, due: int) -> None:
        """`due` is how many literals wait, `tag` that of the command: with its answer none is waited for any more."""
        self.due = due
        self.heard = 0
        """How many `+` have come."""
        self._tag = tag + b" "
        self._reader = UnitReader(Direction.SERVER)
        self._line = b""

    def feed(self, data: bytes) -> bytes:
        """What of it the client is to hear."""
        passed = bytearray()
        pos = 0
        while pos < len(data) and self.due:
            boundary, end = self._reader.read(data, pos)
            if boundary in {Boundary.LITERAL, Boundary.LITERAL_END, Boundary.RAW}:
                passed += data[pos:end]
            else:
                self._line += data[pos:end]
                passed += self._ended(boundary)
            pos = end
        if not self.due:
            passed += self._line + data[pos:]
            self._line = b""
        return bytes(passed)

    def _ended(self, boundary: Boundary) -> bytes:
        """The line, when it is one, or too long to be a `+`."""
        if boundary is Boundary.PARTIAL and len(self._line) < TEXT_KEPT:
            return b""
        line, self._line = self._line, b""
        if boundary is Boundary.UNIT:
            text = self._reader.take_unit().texts[0]
            if text.startswith(b"+"):
                self.due, self.heard = self.due - 1, self.heard + 1
                return b""
            if text.startswith(self._tag):
                self.due = 0
        return line
