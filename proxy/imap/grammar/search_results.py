"""SEARCH, SORT and ESEARCH data (RFC 9051 section 7.3.4, RFC 4731, 5256, 5267, 7377, 9394)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from proxy.imap.grammar.sets import PartialRange, SequenceSet
from proxy.imap.grammar.values import Ext, String, write_ext

if TYPE_CHECKING:
    from proxy.imap.grammar.cursor import Cursor
    from proxy.imap.grammar.mailbox_names import Mailbox
    from proxy.imap.grammar.writer import Writer

_NUMBERS = re.compile(rb"(?: [0-9]{1,20})++(?=[ \t]*+(?:\(|\Z))")


@dataclass(frozen=True, slots=True)
class Found:
    """mailbox-data SEARCH and SORT: numbers in their order, and the highest modseq (RFC 7162 section 3.1.5)."""

    word: bytes
    numbers: tuple[int, ...]
    modseq: int | None = None

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.raw(self.word)
        if self.numbers:
            w.raw(b" " + b" ".join(b"%d" % number for number in self.numbers))
        if self.modseq is not None:
            w.raw(b" (MODSEQ %d)" % self.modseq)


@dataclass(frozen=True, slots=True)
class Partial:
    """ret-data-partial: a window and what is in it, None where it is empty (RFC 9394 section 3.1)."""

    window: PartialRange
    messages: SequenceSet | None

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.raw(b"(")
        self.window.write(w)
        w.raw(b" NIL" if self.messages is None else b" " + self.messages.raw)
        w.raw(b")")


@dataclass(frozen=True, slots=True)
class Update:
    """ret-data-addto and -removefrom: positions and the messages put there or taken away (RFC 5267 section 4.4)."""

    changes: tuple[tuple[int, SequenceSet], ...]

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.listed(self.changes, lambda change: w.raw(b"%d %s" % (change[0], change[1].raw)))


ReturnData: TypeAlias = "int | SequenceSet | Partial | Update | Ext"


@dataclass(frozen=True, slots=True)
class ESearch:
    """esearch-response (RFC 9051 section 7.3.4; with a mailbox, RFC 7377). Names of `data` are in capitals.

    COUNT, MIN, MAX and MODSEQ are numbers, ALL a set, PARTIAL a `Partial`, ADDTO and REMOVEFROM an `Update`.
    """

    tag: String | None
    uid: bool
    data: tuple[tuple[bytes, ReturnData], ...]
    mailbox: Mailbox | None = None
    uidvalidity: int | None = None

    def get(self, name: bytes) -> ReturnData | None:
        """The first value of that name, in capitals."""
        return next((value for each, value in self.data if each == name), None)

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.raw(b"ESEARCH")
        self._write_correlator(w)
        if self.uid:
            w.raw(b" UID")
        for name, value in self.data:
            w.raw(b" " + name + b" ")
            _write_data(w, value)

    def _write_correlator(self, w: Writer) -> None:
        if self.tag is None and self.mailbox is None:
            return
        w.raw(b" (")
        if self.tag is not None:
            w.raw(b"TAG ")
            w.string(self.tag)
        if self.mailbox is not None:
            w.raw(b" MAILBOX " if self.tag is not None else b"MAILBOX ")
            self.mailbox.write(w)
        if self.uidvalidity is not None:
            w.raw(b" UIDVALIDITY %d" % self.uidvalidity)
        w.raw(b")")


def found(c: Cursor, word: bytes) -> Found:
    """Numbers behind SEARCH or SORT, and search-sort-mod-seq."""
    match = c.match(_NUMBERS)
    if match is not None:
        c.spend(match[0].count(b" "))
        numbers = [int(number) for number in match[0].split()]
    else:
        numbers = []
    modseq = None
    while c.more():
        if c.at(b"("):
            modseq = _modseq(c)
            break
        c.spend()
        numbers.append(c.number64())
    return Found(word, tuple(numbers), modseq)


def esearch_response(c: Cursor) -> ESearch:
    """esearch-response."""
    tag, mailbox, uidvalidity = None, None, None
    uid = False
    data: list[tuple[bytes, ReturnData]] = []
    while c.more():
        c.spend()
        if c.at(b"(") and not data and not uid:
            tag, mailbox, uidvalidity = _search_correlator(c)
            continue
        name = c.word("return data")
        if name == b"UID" and not data and not uid:
            uid = True
            continue
        c.sp()
        data.append((name, _return_data(c, name)))
    return ESearch(tag, uid, tuple(data), mailbox, uidvalidity)


def _modseq(c: Cursor) -> int:
    c.expect(b"(")
    c.one_of(b"MODSEQ")
    c.sp()
    number = c.number64()
    c.expect(b")")
    return number


def _search_correlator(c: Cursor) -> tuple[String | None, Mailbox | None, int | None]:
    """search-correlator: TAG, MAILBOX, UIDVALIDITY in any order (RFC 7377 section 4)."""
    tag, mailbox, uidvalidity = None, None, None
    c.expect(b"(")
    while not c.accept(b")"):
        name = c.one_of(b"TAG", b"MAILBOX", b"UIDVALIDITY")
        c.sp()
        if name == b"TAG":
            tag = c.astring()
        elif name == b"MAILBOX":
            mailbox = c.mailbox()
        else:
            uidvalidity = c.number()
        if not c.at(b")"):
            c.sp()
    return tag, mailbox, uidvalidity


def _return_data(c: Cursor, name: bytes) -> ReturnData:
    if name in (b"MIN", b"MAX", b"COUNT", b"MODSEQ"):
        return c.number64()
    if name == b"ALL":
        return c.sequence_set()
    if name == b"PARTIAL":
        return _partial(c)
    if name in (b"ADDTO", b"REMOVEFROM"):
        return Update(c.parenthesised(lambda: _change(c)))
    return c.ext()


def _partial(c: Cursor) -> Partial:
    c.expect(b"(")
    window = c.partial_range()
    c.sp()
    messages = None if c.nil() else c.sequence_set()
    c.expect(b")")
    return Partial(window, messages)


def _change(c: Cursor) -> tuple[int, SequenceSet]:
    position = c.number()
    c.sp()
    return position, c.sequence_set()


def _write_data(w: Writer, value: ReturnData) -> None:
    if isinstance(value, int):
        w.number(value)
    elif isinstance(value, SequenceSet | Partial | Update):
        value.write(w)
    else:
        write_ext(w, value)
