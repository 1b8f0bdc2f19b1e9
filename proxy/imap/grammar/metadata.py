"""METADATA (RFC 5464): entries of mailboxes and of the server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from proxy.imap.grammar.values import Ext, NString, String, write_ext

if TYPE_CHECKING:
    from proxy.imap.grammar.cursor import Cursor
    from proxy.imap.grammar.mailbox_names import Mailbox
    from proxy.imap.grammar.writer import Writer

Pair = tuple[String, NString]


@dataclass(frozen=True, slots=True)
class Metadata:
    """metadata-resp with values: the answer to GETMETADATA (RFC 5464 section 4.4.1)."""

    mailbox: Mailbox
    entries: tuple[Pair, ...]

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.raw(b"METADATA ")
        self.mailbox.write(w)
        w.sp()
        w.listed(self.entries, lambda pair: _write_pair(w, pair))


@dataclass(frozen=True, slots=True)
class MetadataChanged:
    """metadata-resp without values: unsolicited news of entries that changed (RFC 5464 section 4.4.2)."""

    mailbox: Mailbox
    entries: tuple[String, ...]

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.raw(b"METADATA ")
        self.mailbox.write(w)
        for entry in self.entries:
            w.sp()
            w.astring(entry)


@dataclass(frozen=True, slots=True)
class GetMetadata:
    """The command GETMETADATA; options are MAXSIZE and DEPTH, names in capitals (RFC 5464 section 4.2)."""

    mailbox: Mailbox
    entries: tuple[String, ...]
    options: tuple[tuple[bytes, Ext], ...] = ()

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.raw(b"GETMETADATA ")
        if self.options:
            w.listed(self.options, lambda option: _write_option(w, option))
            w.sp()
        self.mailbox.write(w)
        w.sp()
        w.listed(self.entries, w.astring)


@dataclass(frozen=True, slots=True)
class SetMetadata:
    """The command SETMETADATA; NIL removes an entry (RFC 5464 section 4.3)."""

    mailbox: Mailbox
    entries: tuple[Pair, ...]

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.raw(b"SETMETADATA ")
        self.mailbox.write(w)
        w.sp()
        w.listed(self.entries, lambda pair: _write_pair(w, pair))


def metadata_resp(c: Cursor) -> Metadata | MetadataChanged:
    """metadata-resp."""
    c.sp()
    mailbox = c.mailbox()
    c.sp()
    if c.at(b"("):
        return Metadata(mailbox, c.parenthesised(lambda: _pair(c)))
    return MetadataChanged(mailbox, _entries(c))


def getmetadata(c: Cursor) -> GetMetadata:
    """getmetadata. Options stand before the mailbox; behind it, where RFC 5464's own examples have them, also read."""
    c.sp()
    options = _options(c) if c.at(b"(") else ()
    mailbox = c.mailbox()
    c.sp()
    if not options and c.at(b"("):
        mark = c.mark()
        first = c.ext()
        if c.at(b" ") and isinstance(first, tuple):
            c.back(mark)
            options = _options(c)
        else:
            c.back(mark)
    if c.at(b"("):
        return GetMetadata(mailbox, c.parenthesised(c.astring), options)
    return GetMetadata(mailbox, _entries(c), options)


def setmetadata(c: Cursor) -> SetMetadata:
    """setmetadata."""
    c.sp()
    mailbox = c.mailbox()
    c.sp()
    return SetMetadata(mailbox, c.parenthesised(lambda: _pair(c)))


def _options(c: Cursor) -> tuple[tuple[bytes, Ext], ...]:
    options = c.parenthesised(lambda: _option(c))
    c.sp()
    return options


def _option(c: Cursor) -> tuple[bytes, Ext]:
    name = c.word("an option")
    c.sp()
    return name, c.ext()


def _entries(c: Cursor) -> tuple[String, ...]:
    entries = [c.astring()]
    while c.more():
        entries.append(c.astring())
    return tuple(entries)


def _pair(c: Cursor) -> Pair:
    entry = c.astring()
    c.sp()
    return entry, c.nstring()


def _write_pair(w: Writer, pair: Pair) -> None:
    w.astring(pair[0])
    w.sp()
    w.string(pair[1])


def _write_option(w: Writer, option: tuple[bytes, Ext]) -> None:
    w.raw(option[0] + b" ")
    write_ext(w, option[1])
