"""FETCH and UIDFETCH data (RFC 9051 section 7.5.2, RFC 9586): each item by its name.

An item that does not read as it should is kept as it stands, and the rest of the message's items are read all the same.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from proxy.imap.grammar import fetch_items
from proxy.imap.grammar.annotate import att_annotate
from proxy.imap.grammar.bodystructure import body
from proxy.imap.grammar.envelope import envelope
from proxy.imap.grammar.quirks import Quirk
from proxy.imap.grammar.sections import Section, section
from proxy.imap.grammar.tape import Stopped

if TYPE_CHECKING:
    from collections.abc import Callable

    from proxy.imap.grammar.cursor import Cursor
    from proxy.imap.grammar.values import NString
    from proxy.imap.grammar.writer import Writer

_NAME = re.compile(rb"[A-Za-z][A-Za-z0-9.\-_/]*+")
_ORIGIN = re.compile(rb"<([0-9]{1,20})(\.[0-9]++)?+>")
_PLAIN_ITEM = re.compile(
    rb"(?:(UID|RFC822\.SIZE) (0|[1-9][0-9]{0,8})"
    rb"|FLAGS \(((?:[\\$]?[A-Za-z0-9_\-]++(?: [\\$]?[A-Za-z0-9_\-]++)*+)?+)\))(?=[ )])"
)
"""Items that nearly every FETCH has, as nearly every server writes them."""
_LABEL = re.compile(rb'\\?[^ ()"{\r\n\\][^ ()"\r\n]*+')


@dataclass(frozen=True, slots=True)
class Fetch:
    """message-data FETCH; with `uid`, UIDFETCH, and then `number` is a UID (RFC 9586 section 3.3)."""

    number: int
    items: tuple[fetch_items.Item, ...]
    uid: bool = False

    def get(self, name: bytes) -> fetch_items.Item | None:
        """The first item of that name, in capitals; sections are not part of the name."""
        for item in self.items:  # not `next`: this is asked of every FETCH several times
            if item.name == name:
                return item
        return None

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.raw(b"%d %s " % (self.number, b"UIDFETCH" if self.uid else b"FETCH"))
        w.listed(self.items, w.value)


def msg_att(c: Cursor, number: int, *, uid: bool = False) -> Fetch:
    """msg-att after the word FETCH."""
    c.sp()
    found: list[fetch_items.Item] = []
    wrapped: list[int] = []  # where an item's own parenthesis was opened
    c.expect(b"(")
    c.spaces()
    while not c.accept(b")"):
        c.spend()
        if not wrapped and c.at(b"("):
            wrapped.append(c.pos)
            c.accept(b"(")
        found.append(_plain_item(c) or _item(c))
        if wrapped and c.accept(b")"):
            c.note(Quirk.WRAPPED_ITEM, wrapped.pop())
        if not c.at(b")"):
            start = c.pos
            c.sp()
            if c.at(b")"):
                c.note(Quirk.EXTRA_SPACE, start)
    if wrapped:
        c.stop(")")
    return Fetch(number, tuple(found), uid)


def _plain_item(c: Cursor) -> fetch_items.Item | None:
    match = c.match(_PLAIN_ITEM)
    if match is None:
        return None
    name, number, flags = match.groups()
    if name is not None:
        return fetch_items.NumberItem(name, int(number))
    words = tuple(flags.split())
    c.spend(1 + 2 * len(words))
    return fetch_items.Flags(words)


def _item(c: Cursor) -> fetch_items.Item:
    mark = c.mark()
    start = c.pos
    name = c.take(_NAME, "a FETCH item")[0].upper()
    try:
        return _ITEMS.get(name, _other)(c, name)
    except Stopped as stopped:
        failed = stopped
    c.back(mark)
    return _unread(c, start, failed)


def _unread(c: Cursor, start: int, stopped: Stopped) -> fetch_items.UnreadItem:
    """The item's name up to the space before its value, and the value as it stands."""
    c.take(_NAME, "a FETCH item")
    if c.at(b"["):
        c.skip_brackets()
    if c.opaque(start).literals:  # which a name in bytes cannot hold
        raise stopped
    name = c.data[start : c.pos]
    c.sp()
    value = c.skip()
    c.note(Quirk.UNREAD_ITEM, start, detail=f"{stopped.expected} at {c.offset(stopped.pos)}")
    return fetch_items.UnreadItem(name, value)


def _flags(c: Cursor, _: bytes) -> fetch_items.Item:
    c.sp()
    return fetch_items.Flags(c.flag_list())


def _number(c: Cursor, name: bytes) -> fetch_items.Item:
    c.sp()
    return fetch_items.NumberItem(name, c.number64())


def _modseq(c: Cursor, name: bytes) -> fetch_items.Item:
    c.sp()
    start = c.pos
    if not c.accept(b"("):
        number = c.number64()
        c.note(Quirk.MISSING_LIST, start)
        return fetch_items.NumberItem(name, number)
    number = c.number64()
    c.expect(b")")
    return fetch_items.NumberItem(name, number)


def _objectid(c: Cursor, name: bytes) -> fetch_items.Item:
    c.sp()
    if c.nil():
        return fetch_items.ObjectId(name, None)
    c.expect(b"(")
    objectid = c.atom()
    c.expect(b")")
    return fetch_items.ObjectId(name, objectid)


def _date(c: Cursor, name: bytes) -> fetch_items.Item:
    c.sp()
    return fetch_items.DateItem(name, None if c.nil() else c.date_time())


def _envelope(c: Cursor, _: bytes) -> fetch_items.Item:
    c.sp()
    start = c.pos
    if c.nil():
        c.note(Quirk.NIL_FOR_LIST, start)
        return fetch_items.EnvelopeItem(None)
    return fetch_items.EnvelopeItem(envelope(c))


def _structure(c: Cursor, name: bytes) -> fetch_items.Item:
    c.sp()
    return fetch_items.Structure(name, body(c))


def _body(c: Cursor, name: bytes) -> fetch_items.Item:
    return _content(c, name) if c.at(b"[") else _structure(c, name)


def _content(c: Cursor, name: bytes) -> fetch_items.Item:
    """BODY[…], BINARY[…]; a server may echo the command's `BODY.PEEK`."""
    where: Section = section(c)
    start = c.pos
    origin = c.match(_ORIGIN)
    if origin is not None and origin[2]:
        c.note(Quirk.ODD_ORIGIN, start)
    return fetch_items.Content(name, where, _value(c), int(origin[1]) if origin else None)


def _rfc822(c: Cursor, name: bytes) -> fetch_items.Item:
    start = c.pos
    if c.accept(b"[]"):
        c.note(Quirk.SECTION_SUFFIX, start)
    return fetch_items.Content(name, None, _value(c))


def _value(c: Cursor) -> NString:
    """nstring; where the item ends without one, that is a quirk."""
    if c.at(b")") or c.at(b" )"):
        c.note(Quirk.NO_VALUE, c.pos)
        return None
    c.sp()
    return c.nstring()


def _binary_size(c: Cursor, _: bytes) -> fetch_items.Item:
    where = section(c)
    c.sp()
    return fetch_items.BinarySize(where, c.number64())


def _preview(c: Cursor, _: bytes) -> fetch_items.Item:
    c.sp()
    return fetch_items.Preview(c.nstring())


def _labels(c: Cursor, _: bytes) -> fetch_items.Item:
    c.sp()
    return fetch_items.Labels(c.parenthesised(lambda: label(c)))


def label(c: Cursor) -> NString:
    """A label of Gmail: `\\Inbox`, an atom, a string, or NIL."""
    if c.nil():
        return None
    if c.at(b'"') or c.at(b"{") or c.at(b"~{"):
        return c.string()
    return c.take(_LABEL, "a label")[0]


def _annotation(c: Cursor, _: bytes) -> fetch_items.Item:
    c.sp()
    return fetch_items.Annotation(att_annotate(c))


def _other(c: Cursor, name: bytes) -> fetch_items.Item:
    if c.at(b")") or c.at(b" )"):
        c.note(Quirk.NO_VALUE, c.pos)
        return fetch_items.OtherItem(name, None)
    c.sp()
    return fetch_items.OtherItem(name, c.ext())


_ITEMS: dict[bytes, Callable[[Cursor, bytes], fetch_items.Item]] = {
    b"FLAGS": _flags,
    **dict.fromkeys(b"UID RFC822.SIZE X-GM-MSGID X-GM-THRID".split(), _number),
    b"MODSEQ": _modseq,
    **dict.fromkeys((b"EMAILID", b"THREADID"), _objectid),
    **dict.fromkeys((b"INTERNALDATE", b"SAVEDATE"), _date),
    b"ENVELOPE": _envelope,
    b"BODYSTRUCTURE": _structure,
    b"BODY": _body,
    **dict.fromkeys((b"BODY.PEEK", b"BINARY", b"BINARY.PEEK"), _content),
    **dict.fromkeys(b"RFC822 RFC822.HEADER RFC822.TEXT".split(), _rfc822),
    b"BINARY.SIZE": _binary_size,
    b"PREVIEW": _preview,
    b"X-GM-LABELS": _labels,
    b"ANNOTATION": _annotation,
}
"""Item in capitals -> what reads it."""
