"""A FETCH response, followed line by line: which of its strings are of a letter (RFC 9051 section 7.5.2).

Not the grammar: that reads finished units, and may fail. Here every byte is either understood, or taken for a part of
a letter. What an item is, is known from a list; behind one that is not on it, everything is left out.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Callable

from proxy.imap.letters.policy import ANNOUNCED, Found, What, end_of_text

_BEGIN = re.compile(rb"\* +[0-9]+ +(?:UID)?FETCH +\(", re.IGNORECASE)
_NAME = re.compile(rb" *([A-Za-z][A-Za-z0-9.-]*)(\[?)")
_SECTION = re.compile(rb'(?:[^\]"{\r\n]|"(?:[^"\\\r\n]|\\.)*+")*+')
_ORIGIN = re.compile(rb"\](?:<([0-9]+)>)?")
_NOTHING = re.compile(rb" +NIL(?=[ )])", re.IGNORECASE)
_STRING = re.compile(rb' +"((?:[^"\\\r\n]|\\.)*+)"')
_VALUE = re.compile(rb' +|"((?:[^"\\\r\n]|\\.)*+)"|[()]|[^ ()"{\r\n]+')
_SUSPECT = re.compile(rb"(?:BODY(?:\.PEEK)?|BINARY(?:\.PEEK)?)\[|RFC822(?:\.TEXT|\.HEADER)?\Z", re.IGNORECASE)
_SUSPECT_BEFORE = re.compile(
    rb"(?:(?:BODY|BINARY)(?:\.PEEK)?\[[^\]]*\](?:<[0-9]+>)?|RFC822(?:\.TEXT|\.HEADER)?)( *)\Z", re.IGNORECASE
)
"""What stands in front of a part of a letter; in a string, it is there only where quotes do not match."""
_END = re.compile(rb"\r?\n?\Z")

_SECTIONED = {b"BODY": True, b"BODY.PEEK": True, b"BINARY": True, b"BINARY.PEEK": True, b"BINARY.SIZE": False}
"""Items with a section, and whether their values are of a letter."""
_OF_A_LETTER = {
    b"RFC822": What.MESSAGE,
    b"RFC822.PEEK": What.MESSAGE,
    b"RFC822.HEADER": What.HEADER,
    b"RFC822.TEXT": What.TEXT,
    b"RFC822.TEXT.PEEK": What.TEXT,
    b"PREVIEW": What.TEXT,
    b"SNIPPET": What.TEXT,
}
_OTHERS = frozenset(
    b"FLAGS UID MODSEQ INTERNALDATE SAVEDATE RFC822.SIZE ENVELOPE BODY BODYSTRUCTURE EMAILID THREADID "
    b"X-GM-MSGID X-GM-THRID X-GM-LABELS".split()
)
_PART = re.compile(rb"[0-9][0-9.]*")


class _At(enum.Enum):
    BEGIN = enum.auto()
    NAME = enum.auto()
    SECTION = enum.auto()
    LETTER = enum.auto()  # the value of an item is of a letter
    OTHER = enum.auto()  # it is not
    END = enum.auto()
    LOST = enum.auto()


class FetchAnswer:
    """One response. Feed it its lines; its literals are what `literal` said after the line that announced them."""

    literal = What.OTHER
    """What the literal is that the line last fed announces."""

    def __init__(self) -> None:
        self._at = _At.BEGIN
        self._what = What.TEXT
        self._name = self._section = b""
        self._depth = 0
        self._found: list[Found] = []
        self._steps: dict[_At, Callable[[bytes, int], int | None]] = {
            _At.BEGIN: self._begin,
            _At.NAME: self._item,
            _At.SECTION: self._in_section,
            _At.LETTER: self._letter,
            _At.OTHER: self._other,
            _At.END: self._ended,
        }

    def lose(self) -> None:
        """What comes was not read: nobody knows what it is."""
        self._at, self.literal = _At.LOST, What.TEXT

    def line(self, line: bytes) -> list[Found]:
        """Read the next line. Returns what of it is of a letter, or was not understood."""
        self._found = []
        self.literal = What.TEXT
        pos: int | None = 0
        while pos is not None and pos < len(line) and self._at is not _At.LOST:
            pos = self._steps[self._at](line, pos)
        if pos is not None and self._at is _At.LOST:
            self._found.append(Found(pos, end_of_text(line, pos), What.UNREAD))
        return self._found

    # Each takes a step from `pos`; returns where the next one begins, None where the line is over.

    def _begin(self, line: bytes, pos: int) -> int | None:
        match = _BEGIN.match(line, pos)
        self._at = _At.NAME if match else _At.LOST
        return match.end() if match else pos

    def _item(self, line: bytes, pos: int) -> int | None:
        match = _NAME.match(line, pos)
        if match is None:
            closing = len(line[pos:]) - len(line[pos:].lstrip(b" "))
            if line[pos + closing : pos + closing + 1] == b")":
                self._at = _At.END
                return pos + closing + 1
            self._at = _At.LOST
            return pos
        name = match[1].upper()
        if match[2]:
            self._at = _At.SECTION if name in _SECTIONED else _At.LOST
            self._name, self._section = name, b""
        elif name in _OF_A_LETTER:
            self._at, self._what = _At.LETTER, _OF_A_LETTER[name]
        else:
            self._at, self._depth = (_At.OTHER if name in _OTHERS else _At.LOST), 0
        return match.start(1) if self._at is _At.LOST else match.end()

    def _in_section(self, line: bytes, pos: int) -> int | None:
        match = _SECTION.match(line, pos)
        end = match.end() if match else pos
        self._section += line[pos:end][:100]
        if ANNOUNCED.match(line, end):  # the name of a header field
            self.literal = What.OTHER
            return None
        closed = _ORIGIN.match(line, end)
        if closed is None:
            self._at = _At.LOST
            return end
        self._what = self._of_section(int(closed[1] or 0))
        self._at, self._depth = (_At.LETTER if _SECTIONED[self._name] else _At.OTHER), 0
        return closed.end()

    def _of_section(self, origin: int) -> What:
        part = _PART.match(self._section)
        text = self._section[part.end() if part else 0 :].upper()
        if text.startswith((b"HEADER", b"MIME")):
            return What.HEADER
        return What.TEXT if part or text or origin else What.MESSAGE

    def _letter(self, line: bytes, pos: int) -> int | None:
        if match := _NOTHING.match(line, pos):
            self._at = _At.NAME
            return match.end()
        if ANNOUNCED.match(line, pos):
            self._at, self.literal = _At.NAME, self._what
            return None
        match = _STRING.match(line, pos)
        if match is None:
            self._at = _At.LOST
            return pos
        self._found.append(Found(*match.span(1), self._what))
        self._at = _At.NAME
        return match.end()

    def _other(self, line: bytes, pos: int) -> int | None:
        if ANNOUNCED.match(line, pos):
            self._literal_of_other(line, pos)
            return None
        match = _VALUE.match(line, pos)
        if match is None:
            self._at = _At.LOST
            return pos
        token = match[0]
        if token == b"(":
            self._depth += 1
        elif token == b")":
            self._depth -= 1
        elif _SUSPECT.match(token):  # quotes that do not match have led us astray
            self._at = _At.LOST
            return pos
        elif match[1] is not None and (suspect := _SUSPECT_BEFORE.search(match[1])) and suspect[1]:
            self._at = _At.LOST
            return match.end()
        if self._depth < 0:
            self._at = _At.END
        elif not self._depth and token.strip():
            self._at = _At.NAME
        return match.end()

    def _literal_of_other(self, line: bytes, pos: int) -> None:
        suspect = _SUSPECT_BEFORE.search(line[:pos])
        self.literal = What.TEXT if suspect else What.OTHER
        if suspect:
            self._at = _At.LOST
        elif not self._depth:
            self._at = _At.NAME

    def _ended(self, line: bytes, pos: int) -> int | None:
        if _END.match(line, pos):
            return None
        self._at = _At.LOST
        return pos
