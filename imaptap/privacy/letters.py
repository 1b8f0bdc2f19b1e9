"""A letter, or a part of one, rewritten as it streams by: as many bytes, the same lines, the same tree of parts.

Header fields are rewritten by what they are; texts and attachments line by line. Where nobody says how a part is
encoded (`BODY[1]`), it is guessed line by line.
"""

from __future__ import annotations

import enum
import re
from typing import TYPE_CHECKING, Final

from imaptap.privacy.headers import FIELD, Content, Fields
from imaptap.privacy.policy import Thing

if TYPE_CHECKING:
    from imaptap.privacy.rules import Rules

LINE_MOST: Final = 16 * 1024
"""A longer line is rewritten in parts of this size."""
FIELD_MOST: Final = 64 * 1024
"""What is longer is no header field."""
_BASE64 = re.compile(rb"[A-Za-z0-9+/]{16,}={0,2}[ \t]*\r?\n?")
_MULTIPART = re.compile(rb"--[!-~](?:[ -~]{0,68}[!-~])?[ \t]*\r?\n?")
_UUENCODED = re.compile(rb"[!-M][ -`]+")
_KEY_EDGE = re.compile(rb"-----(?:BEGIN|END) [A-Z ]*PRIVATE KEY-----")
_DEPTH_MOST: Final = 100


class Start(enum.Enum):
    """What the first byte belongs to."""

    LETTER = enum.auto()
    """A header with what follows it."""
    HEADER = enum.auto()
    """A header and nothing else."""
    BODY = enum.auto()
    """What follows a header that is not there."""


class Letter:
    """Rewrites one. `feed` it, take what comes out, and `end` it."""

    def __init__(self, rules: Rules, start: Start) -> None:
        self._rules = rules
        self._only_header = start is Start.HEADER
        self._fields: Fields | None = None if start is Start.BODY else Fields(rules)
        self._field = bytearray()
        self._line = bytearray()
        self._content = Content(kind=b"")
        self._boundaries: list[bytes] = []
        self._doubtful = b""
        """What the line before may have told: a boundary that no header told of."""
        self._in_key = False
        """Whether these are lines of a private key (RFC 7468)."""

    def feed(self, data: bytes | memoryview) -> bytes:
        """The next bytes. What comes out may lag behind."""
        self._line += data
        if b"\n" not in self._line and len(self._line) < LINE_MOST:
            return b""
        made, position = bytearray(), 0
        while (end := self._line.find(b"\n", position) + 1) or len(self._line) - position >= LINE_MOST:
            end = min(end or len(self._line), position + LINE_MOST)
            made += self._take(bytes(self._line[position:end]))
            position = end
        del self._line[:position]
        return bytes(made)

    def end(self) -> bytes:
        """The rest."""
        rest = bytes(self._line)
        self._line.clear()
        made = self._take(rest) if rest else b""
        return made + self._end_field()

    def _take(self, line: bytes) -> bytes:
        if self._fields is not None:
            return self._of_header(self._fields, line)
        if line.startswith(b"--") and (made := self._of_boundary(line)) is not None:
            return made
        if self._doubtful:
            boundary, self._doubtful = self._doubtful, b""
            if line[:8].lower() == b"content-":
                self._boundaries = [*self._boundaries[-_DEPTH_MOST:], boundary]
                self._fields = Fields(self._rules)
                return self._of_header(self._fields, line)
        return self._of_body(line)

    def _of_header(self, fields: Fields, line: bytes) -> bytes:
        blank = not line.strip(b"\r\n")
        if not blank and line[:1] in (b" ", b"\t") and self._field and len(self._field) < FIELD_MOST:
            self._field += line
            return b""
        made = self._end_field()
        if blank:
            self._end_header(fields)
            return made + line
        if FIELD.match(line):
            self._field += line
            return made
        if line.startswith(b"--") and (boundary := self._of_boundary(line)) is not None:
            return made + boundary  # a part without a blank line
        return made + self._rules.line(line)

    def _end_field(self) -> bytes:
        if not self._field or self._fields is None:
            return b""
        field = bytes(self._field)
        self._field.clear()
        return self._fields.field(field)

    def _end_header(self, fields: Fields) -> None:
        if self._only_header:
            self._fields = Fields(self._rules)
            return
        self._content = fields.content
        self._fields = None
        if self._content.boundary and len(self._boundaries) < _DEPTH_MOST:
            self._boundaries.append(self._content.boundary)
        if self._content.kind in (b"message/rfc822", b"message/global") and self._content.encoding not in (
            b"base64", b"quoted-printable",
        ):  # fmt: skip
            self._fields = Fields(self._rules)

    def _of_boundary(self, line: bytes) -> bytes | None:
        """The line, where it is a boundary, or may be one."""
        text = line[2:].rstrip()
        for depth in range(len(self._boundaries) - 1, -1, -1):
            boundary = self._boundaries[depth]
            if text == boundary:
                del self._boundaries[depth + 1 :]
                self._fields = Fields(self._rules)
                return self._rules.words(line, Thing.ID)
            if text == boundary + b"--":
                del self._boundaries[depth:]
                self._content = Content(kind=b"text/plain")
                self._fields = None
                return self._rules.words(line, Thing.ID)
        if self._fields is None and not self._boundaries and not self._content.kind and _MULTIPART.fullmatch(line):
            # The header that would say so is not there: its words are replaced as there, in any case.
            self._doubtful = text
            return self._rules.words(line, Thing.ID if self._rules.replaces(Thing.ID) else Thing.TEXT)
        return None

    def _of_body(self, line: bytes) -> bytes:
        kind, encoding = self._content.kind, self._content.encoding
        if self._of_key(line):
            return self._rules.base64(line, Thing.SECRET, text=False)
        text = not kind or kind.startswith((b"text/", b"multipart/", b"message/"))
        thing = Thing.TEXT if text else Thing.ATTACHMENT
        if encoding == b"base64" or (not encoding and not kind and self._like_base64(line)):
            return self._rules.base64(line, thing, text=text and bool(kind))
        if encoding != b"quoted-printable" and _like_uuencoded(line):
            return self._rules.uuencoded(line)
        if not text and encoding != b"quoted-printable":
            return self._rules.opaque(line, thing)
        if b"\0" in line:
            return self._rules.opaque(line, thing)
        return self._rules.line(line, thing)

    def _of_key(self, line: bytes) -> bool:
        """Whether this is a line of a private key, between its first and its last one."""
        inside = self._in_key
        if _KEY_EDGE.search(line):
            self._in_key = b"BEGIN" in line
            return False
        self._in_key &= bool(line.strip())
        return inside and not self._rules.replaces(Thing.TEXT)

    @staticmethod
    def _like_base64(line: bytes) -> bool:
        return _BASE64.fullmatch(line) is not None and len(line.rstrip()) % 4 == 0


def _like_uuencoded(line: bytes) -> bool:
    """Whether it is as long as its first byte says (POSIX uuencode): most of its punctuation is somebody's bytes.

    Blanks at its end may be missing, and a checksum may follow.
    """
    digits = line.rstrip(b"\r\n")
    if not _UUENCODED.fullmatch(digits):
        return False
    missing = (digits[0] - 0x20 + 2) // 3 * 4 - (len(digits) - 1)
    return -1 <= missing <= 4
