"""LIST, LSUB, XLIST: the commands with their options, and the data (RFC 9051 sections 6.3.9 and 7.3.1, RFC 5258)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from proxy.imap.grammar.capability import delimiter
from proxy.imap.grammar.quirks import Quirk
from proxy.imap.grammar.values import Ext, Named, String, write_ext

if TYPE_CHECKING:
    from proxy.imap.grammar.cursor import Cursor
    from proxy.imap.grammar.mailbox_names import Mailbox
    from proxy.imap.grammar.writer import Writer


@dataclass(frozen=True, slots=True)
class Option(Named):
    """A select or return option: its name in capitals, and its value where it has one, as `STATUS (MESSAGES)`."""


@dataclass(frozen=True, slots=True)
class List:
    """The commands LIST, LSUB, RLIST, RLSUB and XLIST. `select` and `returned` are None where there is no such list."""

    word: bytes
    reference: Mailbox
    patterns: tuple[String, ...]
    select: tuple[Option, ...] | None = None
    returned: tuple[Option, ...] | None = None

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.raw(self.word + b" ")
        if self.select is not None:
            w.listed(self.select, w.value)
            w.sp()
        self.reference.write(w)
        w.sp()
        if len(self.patterns) == 1:
            w.string(self.patterns[0])
        else:
            w.listed(self.patterns, w.string)
        if self.returned is not None:
            w.raw(b" RETURN ")
            w.listed(self.returned, w.value)


@dataclass(frozen=True, slots=True)
class MailboxList:
    """mailbox-list after LIST, LSUB or XLIST. `extended` are the mbox-list-extended-items: CHILDINFO, OLDNAME, …"""

    word: bytes
    attributes: tuple[bytes, ...]
    delimiter: bytes | None
    mailbox: Mailbox
    extended: tuple[tuple[String, Ext], ...] | None = None

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.raw(self.word + b" ")
        w.listed(self.attributes, w.flag)
        w.sp()
        w.string(self.delimiter)
        w.sp()
        self.mailbox.write(w)
        if self.extended is not None:
            w.sp()
            w.listed(self.extended, lambda item: _write_item(w, item))


def list_command(c: Cursor, word: bytes) -> List:
    """The command list (RFC 5258 section 6), or one spelled like it."""
    c.sp()
    select = None
    if c.at(b"("):
        select = c.parenthesised(lambda: _option(c))
        c.sp()
    reference = c.mailbox()
    c.sp()
    patterns = c.parenthesised(c.list_mailbox) if c.at(b"(") else (c.list_mailbox(),)
    returned = None
    if c.more():
        c.one_of(b"RETURN")
        c.sp()
        returned = c.parenthesised(lambda: _option(c))
    return List(word, reference, patterns, select, returned)


def mailbox_list(c: Cursor, word: bytes) -> MailboxList:
    """mailbox-list (RFC 9051 section 9)."""
    c.sp()
    attributes = _attributes(c)
    c.sp()
    mark = delimiter(c)
    c.sp()
    mailbox = c.mailbox()
    extended = None
    if c.more():
        extended = c.parenthesised(lambda: _item(c))
    return MailboxList(word, attributes, mark, mailbox, extended)


def _attributes(c: Cursor) -> tuple[bytes, ...]:
    start = c.pos
    if c.nil():
        c.note(Quirk.NIL_FOR_LIST, start)
        return ()
    return c.flag_list()


def _option(c: Cursor) -> Option:
    name = c.word("an option")
    if c.at(b" (") or c.at(b"("):
        c.sp()
        return Option(name, c.ext())
    return Option(name)


def _item(c: Cursor) -> tuple[String, Ext]:
    name = c.astring()
    c.sp()
    return name, c.ext()


def _write_item(w: Writer, item: tuple[String, Ext]) -> None:
    w.string(item[0])
    w.sp()
    write_ext(w, item[1])
