"""Access control lists (RFC 4314): who may do what with a mailbox."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from proxy.imap.grammar.cursor import Cursor
    from proxy.imap.grammar.mailbox_names import Mailbox
    from proxy.imap.grammar.values import String
    from proxy.imap.grammar.writer import Writer


@dataclass(frozen=True, slots=True)
class Acl:
    """acl-data: identifiers and their rights, in their order (RFC 4314 section 3.6)."""

    mailbox: Mailbox
    entries: tuple[tuple[String, String], ...]

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.raw(b"ACL ")
        self.mailbox.write(w)
        for identifier, rights in self.entries:
            w.sp()
            w.astring(identifier)
            w.sp()
            w.astring(rights)


@dataclass(frozen=True, slots=True)
class ListRights:
    """listrights-data: rights always granted, and sets of rights tied together (RFC 4314 section 3.7)."""

    mailbox: Mailbox
    identifier: String
    required: String
    optional: tuple[String, ...]

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.raw(b"LISTRIGHTS ")
        self.mailbox.write(w)
        for word in (self.identifier, self.required, *self.optional):
            w.sp()
            w.astring(word)


@dataclass(frozen=True, slots=True)
class MyRights:
    """myrights-data (RFC 4314 section 3.8)."""

    mailbox: Mailbox
    rights: String

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.raw(b"MYRIGHTS ")
        self.mailbox.write(w)
        w.sp()
        w.astring(self.rights)


@dataclass(frozen=True, slots=True)
class SetAcl:
    """The command SETACL; `rights` with "+" or "-" in front change what was there."""

    mailbox: Mailbox
    identifier: String
    rights: String

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.raw(b"SETACL ")
        self.mailbox.write(w)
        w.sp()
        w.astring(self.identifier)
        w.sp()
        w.astring(self.rights)


@dataclass(frozen=True, slots=True)
class OnIdentifier:
    """The commands DELETEACL and LISTRIGHTS."""

    word: bytes
    mailbox: Mailbox
    identifier: String

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.raw(self.word + b" ")
        self.mailbox.write(w)
        w.sp()
        w.astring(self.identifier)


def acl_data(c: Cursor) -> Acl:
    """acl-data."""
    c.sp()
    mailbox = c.mailbox()
    entries: list[tuple[String, String]] = []
    while c.more():
        identifier = c.astring()
        c.sp()
        entries.append((identifier, c.astring()))
    return Acl(mailbox, tuple(entries))


def listrights_data(c: Cursor) -> ListRights:
    """listrights-data."""
    c.sp()
    mailbox = c.mailbox()
    c.sp()
    identifier = c.astring()
    c.sp()
    required = c.astring()
    optional: list[String] = []
    while c.more():
        optional.append(c.astring())
    return ListRights(mailbox, identifier, required, tuple(optional))


def myrights_data(c: Cursor) -> MyRights:
    """myrights-data."""
    c.sp()
    mailbox = c.mailbox()
    c.sp()
    return MyRights(mailbox, c.astring())


def setacl(c: Cursor) -> SetAcl:
    """The command setacl."""
    c.sp()
    mailbox = c.mailbox()
    c.sp()
    identifier = c.astring()
    c.sp()
    return SetAcl(mailbox, identifier, c.astring())


def on_identifier(c: Cursor, word: bytes) -> OnIdentifier:
    """The commands deleteacl and listrights."""
    c.sp()
    mailbox = c.mailbox()
    c.sp()
    return OnIdentifier(word, mailbox, c.astring())
