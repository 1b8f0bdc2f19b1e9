"""Commands that name a mailbox and little else, with their parameters (RFC 9051 section 6.3), and STATUS."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from proxy.imap.grammar.values import Ext, Named, write_ext

if TYPE_CHECKING:
    from proxy.imap.grammar.cursor import Cursor
    from proxy.imap.grammar.mailbox_names import Mailbox
    from proxy.imap.grammar.sets import SequenceSet
    from proxy.imap.grammar.writer import Writer


@dataclass(frozen=True, slots=True)
class Param(Named):
    """A parameter of SELECT, EXAMINE, CREATE, RENAME, …: its name in capitals, its value or None (RFC 4466)."""


@dataclass(frozen=True, slots=True)
class QResync:
    """The parameter QRESYNC: what the client knows already (RFC 7162 section 3.2.5)."""

    uidvalidity: int
    modseq: int
    known: SequenceSet | None = None
    matches: tuple[SequenceSet, SequenceSet] | None = None

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.raw(b"QRESYNC (%d %d" % (self.uidvalidity, self.modseq))
        if self.known is not None:
            w.raw(b" " + self.known.raw)
        if self.matches is not None:
            w.raw(b" (%s %s)" % (self.matches[0].raw, self.matches[1].raw))
        w.raw(b")")


@dataclass(frozen=True, slots=True)
class OnMailbox:
    """SELECT, EXAMINE, CREATE, DELETE, SUBSCRIBE, UNSUBSCRIBE and other commands with one mailbox."""

    word: bytes
    mailbox: Mailbox
    params: tuple[Param | QResync, ...] | None = None

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.raw(self.word + b" ")
        self.mailbox.write(w)
        if self.params is not None:
            w.sp()
            w.listed(self.params, w.value)


@dataclass(frozen=True, slots=True)
class Rename:
    """The command RENAME (RFC 9051 section 6.3.6)."""

    old: Mailbox
    new: Mailbox
    params: tuple[Param | QResync, ...] | None = None

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.raw(b"RENAME ")
        self.old.write(w)
        w.sp()
        self.new.write(w)
        if self.params is not None:
            w.sp()
            w.listed(self.params, w.value)


@dataclass(frozen=True, slots=True)
class StatusCommand:
    """The command STATUS: item names in capitals (RFC 9051 section 6.3.11)."""

    mailbox: Mailbox
    items: tuple[bytes, ...]

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.raw(b"STATUS ")
        self.mailbox.write(w)
        w.sp()
        w.words(self.items)


@dataclass(frozen=True, slots=True)
class MailboxStatus:
    """mailbox-data STATUS (RFC 9051 section 7.3.4): item names in capitals with a number, an object id, or any value.

    DELETED-STORAGE, APPENDLIMIT NIL and what no RFC knows are values of the third kind.
    """

    mailbox: Mailbox
    items: tuple[tuple[bytes, int | Ext], ...]

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.raw(b"STATUS ")
        self.mailbox.write(w)
        w.sp()
        w.listed(self.items, lambda item: _write_status_item(w, item))


def on_mailbox(c: Cursor, word: bytes) -> OnMailbox:
    """A command with one mailbox and perhaps parameters (RFC 4466 section 2.1)."""
    c.sp()
    mailbox = c.mailbox()
    return OnMailbox(word, mailbox, _params(c))


def rename(c: Cursor) -> Rename:
    """The command rename."""
    c.sp()
    old = c.mailbox()
    c.sp()
    new = c.mailbox()
    return Rename(old, new, _params(c))


def status_command(c: Cursor) -> StatusCommand:
    """The command status."""
    c.sp()
    mailbox = c.mailbox()
    c.sp()
    return StatusCommand(mailbox, c.parenthesised(lambda: c.word("a status item")))


def mailbox_status(c: Cursor) -> MailboxStatus:
    """status-att-list after its mailbox."""
    c.sp()
    mailbox = c.mailbox()
    c.sp()
    return MailboxStatus(mailbox, c.parenthesised(lambda: _status_item(c)))


NUMBERS = frozenset(b"MESSAGES RECENT UIDNEXT UIDVALIDITY UNSEEN DELETED SIZE HIGHESTMODSEQ DELETED-STORAGE".split())
"""STATUS items that are numbers (RFC 9051 section 6.3.11, RFC 7162, RFC 9208)."""


def _status_item(c: Cursor) -> tuple[bytes, int | Ext]:
    name = c.word("a status item")
    c.sp()
    if name not in NUMBERS:
        return name, c.ext()
    return name, c.number64()


def _write_status_item(w: Writer, item: tuple[bytes, int | Ext]) -> None:
    name, value = item
    w.raw(name + b" ")
    if isinstance(value, int):
        w.number(value)
    else:
        write_ext(w, value)


def _params(c: Cursor) -> tuple[Param | QResync, ...] | None:
    if not c.more():
        return None
    return c.parenthesised(lambda: _param(c))


def _param(c: Cursor) -> Param | QResync:
    name = c.word("a parameter")
    if name == b"QRESYNC":
        return _qresync(c)
    if c.at(b" (") or c.at(b"("):
        c.sp()
        return Param(name, c.ext())
    return Param(name)


def _qresync(c: Cursor) -> QResync:
    c.sp()
    c.expect(b"(")
    uidvalidity = c.number()
    c.sp()
    modseq = c.number64()
    known = None
    if c.at(b" ") and not c.at(b" ("):
        c.sp()
        known = c.sequence_set()
    matches = None
    if c.at(b" "):
        c.sp()
        c.expect(b"(")
        numbers = c.sequence_set()
        c.sp()
        matches = numbers, c.sequence_set()
        c.expect(b")")
    c.expect(b")")
    return QResync(uidvalidity, modseq, known, matches)
