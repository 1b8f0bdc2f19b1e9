"""Values back to bytes, in one canonical spelling: atoms where they may stand, else quoted strings, else literals."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from proxy.imap.grammar.values import Absent, NString, String
from proxy.imap.units import Literal, Unit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import TypeVar

    from proxy.imap.grammar.values import Writable

    T = TypeVar("T")

_ASTRING = re.compile(rb"[^\x00-\x20\x7f-\xff(){%*\"\\]+")
_QUOTED = re.compile(rb"[^\x00\r\n\x80-\xff]*")
_FLAG = re.compile(rb'\\\*|\\?[^ ()\r\n*{"\\][^ ()\r\n]*')
_ESCAPED = re.compile(rb'(["\\])')
_QUOTED_MOST = 1000  # longer strings are easier to read, and for some peers to take, as literals


class Writer:
    """Text and literals of the unit that is being written."""

    def __init__(self) -> None:
        self._text = bytearray()
        self._texts: list[bytes] = []
        self._literals: list[Literal] = []
        self._offset = 0

    def raw(self, text: bytes) -> None:
        """Text as it is."""
        self._text += text

    def sp(self) -> None:
        """One space."""
        self._text += b" "

    def number(self, number: int) -> None:
        """A number in digits."""
        self._text += b"%d" % number

    def string(self, value: NString) -> None:
        """nstring: NIL, quoted, or a literal."""
        if value is None:
            self._text += b"NIL"
        elif isinstance(value, bytes) and len(value) <= _QUOTED_MOST and _QUOTED.fullmatch(value):
            self.quoted(value)
        else:
            self.literal(value)

    def quoted(self, value: bytes) -> None:
        """A quoted string, 8-bit bytes and all, where a literal would be something else."""
        self._text += b'"' + _ESCAPED.sub(rb"\\\1", value) + b'"'

    def astring(self, value: String) -> None:
        """An atom where that is possible, else a string."""
        if isinstance(value, bytes) and value.upper() != b"NIL" and _ASTRING.fullmatch(value):
            self._text += value
        else:
            self.string(value)

    def flag(self, flag: bytes) -> None:
        """A flag as it stands; one that is no word, as a string."""
        if _FLAG.fullmatch(flag):
            self._text += flag
        else:
            self.string(flag)

    def literal(self, value: String, *, binary: bool = False) -> None:
        """`{n}` and its content; literal8 where the content has NUL bytes (RFC 9051 section 4.3)."""
        if isinstance(value, Absent):
            size, content, binary = value.size, None, value.binary
        else:
            size, content, binary = len(value), value, binary or b"\0" in value
        self._announced(b"%s{%d}\r\n" % (b"~" if binary else b"", size), size, content, binary=binary)

    def content(self, value: String) -> None:
        """The content of a literal that the text before has just announced."""
        size = value.size if isinstance(value, Absent) else len(value)
        binary = self._text.rfind(b"~{") == self._text.rfind(b"{") - 1
        self._announced(b"", size, None if isinstance(value, Absent) else value, binary=binary)

    def spaced(self, values: Iterable[T], write: Callable[[T], None]) -> None:
        """Values with a space between them."""
        for index, value in enumerate(values):
            if index:
                self.sp()
            write(value)

    def listed(self, values: Iterable[T], write: Callable[[T], None]) -> None:
        """`(value value …)`."""
        self.raw(b"(")
        self.spaced(values, write)
        self.raw(b")")

    def words(self, words: Iterable[bytes]) -> None:
        """`(word word …)`."""
        self.raw(b"(" + b" ".join(words) + b")")

    def value(self, value: Writable) -> None:
        """A value that knows its own spelling."""
        value.write(self)

    def unit(self) -> Unit:
        """What has been written, as a unit that starts at offset 0."""
        self._offset += len(self._text)
        return Unit(0, self._offset, (*self._texts, bytes(self._text)), tuple(self._literals), ())

    def _announced(self, header: bytes, size: int, content: bytes | None, *, binary: bool) -> None:
        self._text += header
        self._texts.append(bytes(self._text))
        self._offset += len(self._text)
        self._literals.append(Literal(self._offset, size, synchronising=True, binary=binary, content=content))
        self._offset += size
        self._text.clear()
