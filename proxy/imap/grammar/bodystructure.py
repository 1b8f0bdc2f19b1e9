"""BODY and BODYSTRUCTURE (RFC 9051 section 7.5.2): the parts of a message as its server sees them.

Parts within parts are read by recursion, up to DEPTH_MOST; a structure that is deeper is kept as it stands.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from proxy.imap.grammar.body_fields import Extension, Params, body_extension, body_fld_param, write_params
from proxy.imap.grammar.envelope import Envelope, envelope
from proxy.imap.grammar.quirks import Quirk
from proxy.imap.grammar.tape import Stopped
from proxy.imap.grammar.values import NString

if TYPE_CHECKING:
    from proxy.imap.grammar.cursor import Cursor
    from proxy.imap.grammar.writer import Writer

_LINES = re.compile(rb" +-?[0-9]")
_NIL_NUMBER = re.compile(rb"[Nn][Ii][Ll](?=[ )])")


@dataclass(frozen=True, slots=True)
class Message:
    """What a message/rfc822 part has of the message within it: its envelope and its body."""

    envelope: Envelope
    body: Body

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        self.envelope.write(w)
        w.sp()
        write_body(w, self.body)


@dataclass(frozen=True, slots=True)
class Part:
    """body-type-1part. `lines` are those of a text or message, `message` is there for message/rfc822 only.

    `extension` is None for the short form (BODY), and `md5` belongs to it.
    """

    media_type: NString
    subtype: NString
    params: Params
    content_id: NString
    description: NString
    encoding: NString
    octets: int | None
    lines: int | None = None
    message: Message | None = None
    md5: NString = None
    extension: Extension | None = None

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.raw(b"(")
        w.string(self.media_type)
        w.sp()
        w.string(self.subtype)
        w.sp()
        write_params(w, self.params)
        for string in (self.content_id, self.description, self.encoding):
            w.sp()
            w.string(string)
        w.raw(b" NIL" if self.octets is None else b" %d" % self.octets)
        if self.message is not None:
            w.sp()
            self.message.write(w)
        if self.lines is not None:
            w.raw(b" %d" % self.lines)
        if self.extension is not None:
            w.sp()
            w.string(self.md5)
            self.extension.write(w)
        w.raw(b")")


@dataclass(frozen=True, slots=True)
class Multipart:
    """body-type-mpart. `extension` is None for the short form (BODY), and `params` belong to it."""

    parts: tuple[Body, ...]
    subtype: NString
    params: Params = None
    extension: Extension | None = None

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.raw(b"(")
        for part in self.parts:
            write_body(w, part)
        if self.parts:
            w.sp()
        w.string(self.subtype)
        if self.extension is not None:
            w.sp()
            write_params(w, self.params)
        if self.extension is not None:
            self.extension.write(w)
        w.raw(b")")


Body: TypeAlias = "Part | Multipart | None"
"""A part; None where a server has sent NIL or `()` for one."""


def write_body(w: Writer, body: Body) -> None:
    """Write a part, or NIL."""
    if body is None:
        w.raw(b"NIL")
    else:
        body.write(w)


def body(c: Cursor) -> Body:
    """body."""
    start = c.pos
    c.spend(10)
    if c.nil() or c.accept(b"()"):
        c.note(Quirk.EMPTY_PART, start)
        return None
    c.expect(b"(")
    c.enter()
    c.spaces()
    found = _body_type_mpart(c) if c.at(b"(") else _body_type_1part(c)
    c.spaces()
    c.expect(b")")
    c.leave()
    return found


def _body_type_mpart(c: Cursor) -> Multipart:
    parts: list[Body] = []
    while c.at(b"("):
        parts.append(body(c))
        if c.at(b" (") or c.at(b"  "):
            mark = c.mark()
            c.spaces()
            if not c.at(b"("):
                c.back(mark)
                break
    start = c.pos
    if c.at(b")"):
        c.note(Quirk.NO_SUBTYPE, start)
        return Multipart(tuple(parts), None)
    c.sp()
    subtype = c.nstring()
    if subtype is None:
        c.note(Quirk.NO_SUBTYPE, start)
    return _body_ext_mpart(c, tuple(parts), subtype)


def _body_ext_mpart(c: Cursor, parts: tuple[Body, ...], subtype: NString) -> Multipart:
    if c.at(b")") or c.at(b" )"):
        return Multipart(parts, subtype)
    c.sp()
    params = body_fld_param(c)
    return Multipart(parts, subtype, params, body_extension(c))


def _body_type_1part(c: Cursor) -> Part | Multipart:
    """body-type-1part; or what some servers make of a part without a subtype, or of a multipart without parts."""
    mark = c.mark()
    failed: Stopped | None = None
    for read in (_part, _part_without_subtype, _multipart_without_parts):
        try:
            found = read(c)
            if c.at(b")") or c.at(b" )"):
                return found
            c.stop(")")
        except Stopped as stopped:
            failed = failed or stopped
        c.back(mark)
    raise failed or Stopped(c.pos, "a part")


def _part(c: Cursor) -> Part:
    media_type = c.nstring()
    c.sp()
    start = c.pos
    subtype = c.nstring()
    if subtype is None:
        c.note(Quirk.NO_SUBTYPE, start)
    return _body_fields(c, media_type, subtype)


def _part_without_subtype(c: Cursor) -> Part:
    """`("TEXT" ("CHARSET" "x") NIL NIL "7BIT" 5 1)`."""
    media_type = c.nstring()
    c.note(Quirk.NO_SUBTYPE, c.pos)
    return _body_fields(c, media_type, None)


def _multipart_without_parts(c: Cursor) -> Multipart:
    """`("MIXED" ("BOUNDARY" "x") NIL NIL)`, `(NIL "MIXED" …)`, `("MIXED")`."""
    start = c.pos
    if c.nil():
        c.sp()
    subtype = c.nstring()
    c.note(Quirk.NO_PARTS, start)
    return _body_ext_mpart(c, (), subtype)


def _body_fields(c: Cursor, media_type: NString, subtype: NString) -> Part:
    """body-fields and what follows them."""
    c.sp()
    params = body_fld_param(c)
    c.sp()
    content_id = c.nstring()
    c.sp()
    description = c.nstring()
    c.sp()
    encoding = _encoding(c)
    c.sp()
    octets = _octets(c)
    message = _message(c) if _is_message(media_type, subtype) else None
    lines = _lines(c, media_type, has_message=message is not None)
    fields = (media_type, subtype, params, content_id, description, encoding, octets, lines, message)
    if c.at(b")") or c.at(b" )"):
        return Part(*fields)
    c.sp()
    md5 = None
    start = c.pos
    if c.at(b"("):  # the disposition, and no MD5 before it
        c.note(Quirk.ODD_FIELD, start, start, "a body MD5")
        c.pos -= 1
    else:
        md5 = c.nstring()
    return Part(*fields, md5, body_extension(c))


def _encoding(c: Cursor) -> NString:
    if c.data[c.pos : c.pos + 1].isdigit():  # a field is missing before it
        c.stop("an encoding")
    return c.nstring()


def _octets(c: Cursor) -> int | None:
    start = c.pos
    if c.match(_NIL_NUMBER):
        c.note(Quirk.ODD_FIELD, start, detail="a number")
        return None
    return c.number64()


def _is_message(media_type: NString, subtype: NString) -> bool:
    return (
        isinstance(media_type, bytes)
        and isinstance(subtype, bytes)
        and media_type.upper() == b"MESSAGE"
        and subtype.upper() in (b"RFC822", b"GLOBAL")
    )


def _message(c: Cursor) -> Message | None:
    """envelope SP body of a message/rfc822."""
    if not (c.at(b" (") or c.at(b"(")):
        c.note(Quirk.BASIC_MESSAGE, c.pos)
        return None
    c.sp()
    found = envelope(c)
    c.sp()
    return Message(found, body(c))


def _lines(c: Cursor, media_type: NString, *, has_message: bool) -> int | None:
    """body-fld-lines; also where it does not belong."""
    text = isinstance(media_type, bytes) and media_type.upper() == b"TEXT"
    start = c.pos
    if _LINES.match(c.data, c.pos, c.end):
        c.sp()
        lines = c.number64()
        if not text and not has_message:
            c.note(Quirk.ODD_FIELD, start, detail="no lines")
        return lines
    if text or has_message:
        c.note(Quirk.MISSING_LINES, start)
    return None
