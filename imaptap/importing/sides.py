"""Whose a line is, by what it says, and how much of what follows are the literals that it announces."""

from __future__ import annotations

import re

from proxy.imap.commands import KNOWN, read_head
from proxy.imap.transcript import Direction

_SERVER = re.compile(rb"\* |\+(?:[ \r\n]|\Z)|[^ \r\n]+ (?:OK|NO|BAD|BYE)(?:[ \r\n]|\Z)", re.IGNORECASE)
_COMPLETION = re.compile(rb"([^ \r\n]+) (?:OK|NO|BAD|BYE)(?:[ \r\n]|\Z)", re.IGNORECASE)
_GREETING = re.compile(rb"\* (?:OK|PREAUTH|BYE)(?:[ \r\n]|\Z)", re.IGNORECASE)
_ANNOUNCED = re.compile(rb"\{([0-9]{1,10})(\+?)\}\r?\n\Z")
_BEHIND = frozenset((b"", b" ", b")", b"\r", b"\n"))
_TAIL = 64


def is_greeting(line: bytes) -> bool:
    """Whether a server may begin so (RFC 9051 section 7.1)."""
    return _GREETING.match(line) is not None


def is_bye(line: bytes) -> bool:
    """Whether the server says that it will close the connection."""
    return line[:5].upper() == b"* BYE"


def completed(line: bytes) -> bytes | None:
    """The tag of the command that the server says it has ended with this; None where it says something else."""
    found = _COMPLETION.match(line)
    return found[1] if found and found[1] not in {b"*", b"+"} else None


def spoken_by(line: bytes) -> Direction | None:
    """Who says this outside of literals: a server's line by its form, a client's by its command; None for neither."""
    if _SERVER.match(line):
        return Direction.SERVER
    return Direction.CLIENT if known_command(line) else None


def known_command(line: bytes) -> bool:
    """Whether it is a tag with a command that is known."""
    head = read_head(line)
    return head.legal and head.name.removeprefix("UID ") in KNOWN


class Literals:
    """Counts the literals of one side: feed it what the side says, in order."""

    def __init__(self) -> None:
        self.owed = 0
        """So many of the next bytes are a literal's."""
        self.unfinished = False
        """Whether what comes next is a literal, or the rest of the line that has announced one."""
        self.waits = False
        """Whether the other side has to ask for it first (RFC 9051 section 4.3), and has not."""
        self.begun = False
        """Whether any of its bytes have come."""
        self.unfit = False
        """Whether nothing could stand where the newest one ends: a blank, a parenthesis or a line end does."""
        self._tail = b""

    def feed(self, data: bytes) -> None:
        """The next bytes, however many: literals as far as they are owed, and text."""
        start = 0
        while start < len(data):
            if self.owed:
                size = min(self.owed, len(data) - start)
                self.owed -= size
                self.waits, self.begun = False, True
                start += size
                self.unfit = not self.owed and data[start : start + 1] not in _BEHIND
                continue
            end = data.find(b"\n", start) + 1 or len(data)
            self._text(data[start:end])
            start = end

    def invite(self) -> None:
        """The other side has asked for it."""
        self.waits = False

    def refuse(self) -> None:
        """The other side has answered all, and what it has not asked for will not come."""
        if self.waits:
            self.owed, self.unfinished, self.waits = 0, False, False

    def _text(self, data: bytes) -> None:
        self._tail = (self._tail + data)[-_TAIL:]
        if not data.endswith(b"\n"):
            return
        found = _ANNOUNCED.search(self._tail)
        self._tail = b""
        self.unfinished = found is not None
        if found:
            self.owed, self.waits, self.begun = int(found[1]), not found[2], False
