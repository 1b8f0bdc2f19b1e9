"""Items of FETCH data, one class a shape (RFC 9051 section 7.5.2, and the extensions). Names are in capitals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from proxy.imap.grammar.annotate import Entry, EntryNames
from proxy.imap.grammar.bodystructure import Body, write_body
from proxy.imap.grammar.envelope import Envelope
from proxy.imap.grammar.values import Ext, NString, Opaque, write_ext

if TYPE_CHECKING:
    from proxy.imap.grammar.dates import DateTime
    from proxy.imap.grammar.sections import Section
    from proxy.imap.grammar.writer import Writer


@dataclass(frozen=True, slots=True)
class Flags:
    """FLAGS of a message; and of a mailbox, where it is data of its own (RFC 9051 section 7.3.5)."""

    flags: tuple[bytes, ...]

    @property
    def name(self) -> bytes:
        """FLAGS."""
        return b"FLAGS"

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.raw(b"FLAGS ")
        w.listed(self.flags, w.flag)


@dataclass(frozen=True, slots=True)
class NumberItem:
    """UID, RFC822.SIZE, MODSEQ (RFC 7162), X-GM-MSGID, X-GM-THRID."""

    name: bytes
    number: int

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.raw(self.name + (b" (%d)" if self.name == b"MODSEQ" else b" %d") % self.number)


@dataclass(frozen=True, slots=True)
class ObjectId:
    """EMAILID, and THREADID, which may be None (RFC 8474 section 5)."""

    name: bytes
    objectid: bytes | None

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.raw(self.name + (b" NIL" if self.objectid is None else b" (" + self.objectid + b")"))


@dataclass(frozen=True, slots=True)
class DateItem:
    """INTERNALDATE, and SAVEDATE, which may be None (RFC 8514)."""

    name: bytes
    date: DateTime | None

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.raw(self.name + b" ")
        w.string(None if self.date is None else self.date.raw)


@dataclass(frozen=True, slots=True)
class EnvelopeItem:
    """ENVELOPE; None for a NIL that should not be."""

    envelope: Envelope | None

    @property
    def name(self) -> bytes:
        """ENVELOPE."""
        return b"ENVELOPE"

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.raw(b"ENVELOPE ")
        if self.envelope is None:
            w.raw(b"NIL")
        else:
            self.envelope.write(w)


@dataclass(frozen=True, slots=True)
class Structure:
    """BODYSTRUCTURE, or BODY without a section: the short form of it."""

    name: bytes
    body: Body

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.raw(self.name + b" ")
        write_body(w, self.body)


@dataclass(frozen=True, slots=True)
class Content:
    """BODY[section]<origin>, BINARY[section]<origin>, RFC822, RFC822.HEADER, RFC822.TEXT; None for NIL."""

    name: bytes
    section: Section | None
    data: NString
    origin: int | None = None

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.raw(self.name)
        if self.section is not None:
            self.section.write(w)
        if self.origin is not None:
            w.raw(b"<%d>" % self.origin)
        w.sp()
        w.string(self.data)


@dataclass(frozen=True, slots=True)
class BinarySize:
    """BINARY.SIZE[section] (RFC 9051 section 7.5.2)."""

    section: Section
    size: int

    @property
    def name(self) -> bytes:
        """BINARY.SIZE."""
        return b"BINARY.SIZE"

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.raw(b"BINARY.SIZE")
        self.section.write(w)
        w.raw(b" %d" % self.size)


@dataclass(frozen=True, slots=True)
class Preview:
    """PREVIEW (RFC 8970): None where the server has none yet, or cannot make one."""

    text: NString

    @property
    def name(self) -> bytes:
        """PREVIEW."""
        return b"PREVIEW"

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.raw(b"PREVIEW ")
        w.string(self.text)


@dataclass(frozen=True, slots=True)
class Labels:
    """X-GM-LABELS: labels as Gmail has them, `\\Inbox` among them as `\\Inbox`; quoted or not, it is the same."""

    labels: tuple[NString, ...]

    @property
    def name(self) -> bytes:
        """X-GM-LABELS."""
        return b"X-GM-LABELS"

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.raw(b"X-GM-LABELS ")
        w.listed(self.labels, w.string)


@dataclass(frozen=True, slots=True)
class Annotation:
    """ANNOTATION (RFC 5257 section 4.3)."""

    entries: tuple[Entry | EntryNames, ...]

    @property
    def name(self) -> bytes:
        """ANNOTATION."""
        return b"ANNOTATION"

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.raw(b"ANNOTATION ")
        w.listed(self.entries, w.value)


@dataclass(frozen=True, slots=True)
class OtherItem:
    """An item nobody here knows; its value, or None where there was none."""

    name: bytes
    value: Ext | None

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        if self.value is None:  # in parentheses of its own, so that the next item is not taken for its value
            w.raw(b"(" + self.name + b")")
            return
        w.raw(self.name + b" ")
        write_ext(w, self.value)


@dataclass(frozen=True, slots=True)
class UnreadItem:
    """A known item whose value could not be read: kept as it stands, so that the items beside it are not lost."""

    name: bytes
    value: Opaque

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.raw(self.name + b" ")
        self.value.write(w)


Item: TypeAlias = (
    Flags
    | NumberItem
    | ObjectId
    | DateItem
    | EnvelopeItem
    | Structure
    | Content
    | BinarySize
    | Preview
    | Labels
    | Annotation
    | OtherItem
    | UnreadItem
)
