"""APPEND with MULTIAPPEND and CATENATE, and REPLACE (RFC 9051 section 6.3.12, RFC 3502, 4469, 6855, 8508)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from proxy.imap.grammar.annotate import Entry, EntryNames, att_annotate
from proxy.imap.grammar.values import Ext, String, write_ext

if TYPE_CHECKING:
    from proxy.imap.grammar.cursor import Cursor
    from proxy.imap.grammar.dates import DateTime
    from proxy.imap.grammar.mailbox_names import Mailbox
    from proxy.imap.grammar.writer import Writer


@dataclass(frozen=True, slots=True)
class Whole:
    """The message as one literal; of size 0, the append is cancelled (RFC 3502)."""

    data: String

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.literal(self.data)


@dataclass(frozen=True, slots=True)
class Utf8:
    """`UTF8 (~{n}…)`: a message with UTF-8 in its header (RFC 6855 section 4)."""

    data: String

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.raw(b"UTF8 (")
        w.literal(self.data, binary=True)
        w.raw(b")")


@dataclass(frozen=True, slots=True)
class CatPart:
    """cat-part: URL of what is on the server, or TEXT that is sent (RFC 4469 section 5)."""

    kind: bytes
    data: String

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.raw(self.kind + b" ")
        if self.kind == b"TEXT":
            w.literal(self.data)
        else:
            w.astring(self.data)


@dataclass(frozen=True, slots=True)
class Catenate:
    """`CATENATE (URL … TEXT {n}…)`: a message put together of parts."""

    parts: tuple[CatPart, ...]

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.raw(b"CATENATE ")
        w.listed(self.parts, w.value)


@dataclass(frozen=True, slots=True)
class OtherData:
    """append-data-ext: a label and its value (RFC 4466 section 2.7)."""

    label: bytes
    value: Ext

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.raw(self.label + b" ")
        write_ext(w, self.value)


AppendData: TypeAlias = Whole | Utf8 | Catenate | OtherData


@dataclass(frozen=True, slots=True)
class AppendMessage:
    """A message to append: flags and date where given, annotations (RFC 5257), and the message."""

    data: AppendData
    flags: tuple[bytes, ...] | None = None
    date: DateTime | None = None
    annotations: tuple[Entry | EntryNames, ...] | None = None

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        if self.flags is not None:
            w.listed(self.flags, w.flag)
            w.sp()
        if self.date is not None:
            self.date.write(w)
            w.sp()
        if self.annotations is not None:
            w.raw(b"ANNOTATION ")
            w.listed(self.annotations, w.value)
            w.sp()
        self.data.write(w)


@dataclass(frozen=True, slots=True)
class Append:
    """The command APPEND: one message, or with MULTIAPPEND several."""

    mailbox: Mailbox
    messages: tuple[AppendMessage, ...]

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.raw(b"APPEND ")
        self.mailbox.write(w)
        for message in self.messages:
            w.sp()
            message.write(w)


@dataclass(frozen=True, slots=True)
class Replace:
    """The command REPLACE: a message number or UID, and what takes its place (RFC 8508 section 3)."""

    uid: bool
    number: int
    mailbox: Mailbox
    message: AppendMessage

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.raw(b"%s %d " % (b"UID REPLACE" if self.uid else b"REPLACE", self.number))
        self.mailbox.write(w)
        w.sp()
        self.message.write(w)


def append(c: Cursor) -> Append:
    """The command append."""
    c.sp()
    mailbox = c.mailbox()
    c.sp()
    messages = [_append_message(c)]
    while c.more():
        messages.append(_append_message(c))
    return Append(mailbox, tuple(messages))


def replace(c: Cursor, *, uid: bool = False) -> Replace:
    """The command replace."""
    c.sp()
    number = c.number()
    c.sp()
    mailbox = c.mailbox()
    c.sp()
    return Replace(uid, number, mailbox, _append_message(c))


def _append_message(c: Cursor) -> AppendMessage:
    flags: tuple[bytes, ...] | None = None
    date: DateTime | None = None
    annotations: tuple[Entry | EntryNames, ...] | None = None
    if c.at(b"("):
        flags = c.flag_list()
        c.sp()
    if c.at(b'"'):
        date = c.date_time()
        c.sp()
    if c.data[c.pos : c.pos + 12].upper() == b"ANNOTATION (":
        c.pos += 11
        annotations = att_annotate(c)
        c.sp()
    return AppendMessage(_append_data(c), flags, date, annotations)


def _append_data(c: Cursor) -> AppendData:
    if c.at(b"{") or c.at(b"~{"):
        return Whole(c.literal())
    label = c.word("a literal")
    c.sp()
    if label == b"UTF8":
        c.expect(b"(")
        data = c.literal()
        c.expect(b")")
        return Utf8(data)
    if label == b"CATENATE":
        return Catenate(c.parenthesised(lambda: _cat_part(c)))
    return OtherData(label, c.ext())


def _cat_part(c: Cursor) -> CatPart:
    kind = c.one_of(b"URL", b"TEXT")
    c.sp()
    return CatPart(kind, c.literal() if kind == b"TEXT" else c.astring())
