"""Search keys as values (RFC 9051 section 6.4.4, and the extensions); names are in capitals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from proxy.imap.grammar.dates import Date
from proxy.imap.grammar.sets import SequenceSet
from proxy.imap.grammar.values import String

if TYPE_CHECKING:
    from proxy.imap.grammar.writer import Writer


@dataclass(frozen=True, slots=True)
class Key:
    """A key of one word: ALL, ANSWERED, SEEN, NEW, SAVEDATESUPPORTED, …; in capitals."""

    name: bytes

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.raw(self.name)


@dataclass(frozen=True, slots=True)
class StringKey:
    """A key with strings: FROM, SUBJECT, TEXT, HEADER (two), X-GM-RAW, EMAILID, FILTER, …"""

    name: bytes
    strings: tuple[String, ...]

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.raw(self.name)
        for string in self.strings:
            w.sp()
            w.astring(string)


@dataclass(frozen=True, slots=True)
class FlagKey:
    """KEYWORD and UNKEYWORD."""

    name: bytes
    flag: bytes

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.raw(self.name + b" ")
        w.flag(self.flag)


@dataclass(frozen=True, slots=True)
class DateKey:
    """BEFORE, ON, SINCE, SENTBEFORE, SENTON, SENTSINCE, SAVEDBEFORE, SAVEDON, SAVEDSINCE."""

    name: bytes
    date: Date

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.raw(self.name + b" ")
        self.date.write(w)


@dataclass(frozen=True, slots=True)
class NumberKey:
    """LARGER, SMALLER, OLDER, YOUNGER, X-GM-MSGID, X-GM-THRID."""

    name: bytes
    number: int

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.raw(self.name + b" %d" % self.number)


@dataclass(frozen=True, slots=True)
class SetKey:
    """UID, UIDAFTER and UIDBEFORE with their set or UID; without a name, message numbers."""

    name: bytes
    messages: SequenceSet

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.raw(self.name + b" " + self.messages.raw if self.name else self.messages.raw)


@dataclass(frozen=True, slots=True)
class ModSeqKey:
    """search-modsequence: perhaps for one flag, and for `priv`, `shared` or `all` (RFC 7162 section 3.1.5)."""

    modseq: int
    entry: String | None = None
    kind: bytes | None = None

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.raw(b"MODSEQ ")
        if self.entry is not None and self.kind is not None:
            w.string(self.entry)
            w.raw(b" " + self.kind + b" ")
        w.number(self.modseq)


@dataclass(frozen=True, slots=True)
class AnnotationKey:
    """ANNOTATION: entry, attribute, value or None (RFC 5257 section 4.7)."""

    entry: String
    attribute: String
    value: String | None

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.raw(b"ANNOTATION ")
        w.string(self.entry)
        w.sp()
        w.string(self.attribute)
        w.sp()
        w.string(self.value)


@dataclass(frozen=True, slots=True)
class Not:
    """NOT and FUZZY (RFC 6203) with the key they are about."""

    name: bytes
    key: AnyKey

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.raw(self.name + b" ")
        self.key.write(w)


@dataclass(frozen=True, slots=True)
class Or:
    """OR of two keys or more."""

    keys: tuple[AnyKey, ...]

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        last = len(self.keys) - 1
        for index, key in enumerate(self.keys):
            w.raw(b"OR " if index < last else b"")
            key.write(w)
            w.raw(b" " if index < last else b"")


@dataclass(frozen=True, slots=True)
class And:
    """Keys in parentheses, at least two: one in parentheses is just that key."""

    keys: tuple[AnyKey, ...]

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.listed(self.keys, w.value)


AnyKey: TypeAlias = (
    Key | StringKey | FlagKey | DateKey | NumberKey | SetKey | ModSeqKey | AnnotationKey | Not | Or | And
)
