"""section: which part of a message, and what of it (RFC 9051 section 6.4.5 and 9)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from proxy.imap.grammar.cursor import Cursor
    from proxy.imap.grammar.values import String
    from proxy.imap.grammar.writer import Writer

_PART = re.compile(rb"[0-9]{1,10}(?:\.[0-9]{1,10})*+")
_TEXT = re.compile(rb"[A-Za-z][A-Za-z0-9.\-_]*+")
_FIELDS = (b"HEADER.FIELDS", b"HEADER.FIELDS.NOT")


@dataclass(frozen=True, slots=True)
class Section:
    """`[1.2.HEADER.FIELDS (A B)]`: part numbers, HEADER, HEADER.FIELDS, HEADER.FIELDS.NOT, TEXT or MIME, field names.

    `Section()` is the whole message.
    """

    part: tuple[int, ...] = ()
    text: bytes | None = None
    fields: tuple[String, ...] = ()

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.raw(b"[" + b".".join(b"%d" % number for number in self.part))
        if self.text is not None:
            w.raw(b"." + self.text if self.part else self.text)
        if self.text in _FIELDS:
            w.sp()
            w.listed(self.fields, w.astring)
        w.raw(b"]")


def section(c: Cursor) -> Section:
    """section, brackets included."""
    c.expect(b"[")
    if c.accept(b"]"):
        return Section()
    match = c.match(_PART)
    c.spend(match[0].count(b".") if match else 0)
    part = tuple(map(int, match[0].split(b"."))) if match else ()
    text = None
    if not part or c.accept(b"."):
        text = c.take(_TEXT, "a section")[0].upper()
    fields: tuple[String, ...] = ()
    if text in _FIELDS:
        c.sp()
        fields = c.parenthesised(c.astring)
    c.expect(b"]")
    return Section(part, text, fields)
