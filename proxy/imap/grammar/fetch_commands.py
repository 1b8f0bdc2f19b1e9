"""FETCH and STORE (RFC 9051 sections 6.4.5 and 6.4.6) with the modifiers and items of the extensions."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from proxy.imap.grammar.annotate import AnnotationRequest, Entry, EntryNames, annotation_request, att_annotate
from proxy.imap.grammar.fetch import label
from proxy.imap.grammar.sections import Section, section
from proxy.imap.grammar.sets import SequenceSet
from proxy.imap.grammar.values import Atom, Named, NString

if TYPE_CHECKING:
    from collections.abc import Callable

    from proxy.imap.grammar.cursor import Cursor
    from proxy.imap.grammar.writer import Writer

_NAME = re.compile(rb"[A-Za-z][A-Za-z0-9.\-_/]*+")
_PARTIAL = re.compile(rb"<([0-9]{1,20})\.([0-9]{1,20})>")
_STORE_NAME = re.compile(rb"([+-]?)([A-Za-z][A-Za-z0-9\-]*+)(\.[Ss][Ii][Ll][Ee][Nn][Tt])?+(?=[ (])")
_LAZY = (b"LAZY", b"FUZZY", b"LAZY=FUZZY")  # the last two are from the drafts of RFC 8970
MACROS = frozenset((b"ALL", b"FULL", b"FAST"))


@dataclass(frozen=True, slots=True)
class Attribute(Named):
    """A fetch-att, or a macro, of one word, in capitals; `value` is what follows in parentheses: `PREVIEW (LAZY)`."""


@dataclass(frozen=True, slots=True)
class SectionAttribute:
    """BODY[…]<offset.length>, BODY.PEEK, BINARY, BINARY.PEEK, BINARY.SIZE."""

    name: bytes
    section: Section
    window: tuple[int, int] | None = None

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.raw(self.name)
        self.section.write(w)
        if self.window is not None:
            w.raw(b"<%d.%d>" % self.window)


AnyAttribute: TypeAlias = Attribute | SectionAttribute | AnnotationRequest


@dataclass(frozen=True, slots=True)
class Modifier(Named):
    """A fetch-modifier or store-modifier: CHANGEDSINCE n, UNCHANGEDSINCE n, VANISHED, PARTIAL window (RFC 4466)."""


@dataclass(frozen=True, slots=True)
class FetchCommand:
    """The command FETCH; a macro is the only attribute of its list."""

    uid: bool
    messages: SequenceSet
    attributes: tuple[AnyAttribute, ...]
    modifiers: tuple[Modifier, ...] | None = None

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.raw((b"UID FETCH " if self.uid else b"FETCH ") + self.messages.raw + b" ")
        if len(self.attributes) == 1:
            self.attributes[0].write(w)
        else:
            w.listed(self.attributes, w.value)
        if self.modifiers is not None:
            w.sp()
            w.listed(self.modifiers, w.value)


@dataclass(frozen=True, slots=True)
class StoreFlags:
    """`+FLAGS.SILENT (…)`: how (`+`, `-`, or nothing to replace), silently or not; X-GM-LABELS are stored alike."""

    name: bytes
    how: bytes
    silent: bool
    flags: tuple[NString, ...]

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.raw(self.how + self.name + (b".SILENT " if self.silent else b" "))
        w.listed(self.flags, self._write_flag(w))

    def _write_flag(self, w: Writer) -> Callable[[NString], None]:
        return lambda flag: w.flag(flag) if isinstance(flag, bytes) and self.name == b"FLAGS" else w.string(flag)


@dataclass(frozen=True, slots=True)
class StoreAnnotation:
    """`ANNOTATION (entry (attribute value))` (RFC 5257 section 4.4)."""

    entries: tuple[Entry | EntryNames, ...]

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.raw(b"ANNOTATION ")
        w.listed(self.entries, w.value)


@dataclass(frozen=True, slots=True)
class Store:
    """The command STORE."""

    uid: bool
    messages: SequenceSet
    change: StoreFlags | StoreAnnotation
    modifiers: tuple[Modifier, ...] | None = None

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.raw((b"UID STORE " if self.uid else b"STORE ") + self.messages.raw + b" ")
        if self.modifiers is not None:
            w.listed(self.modifiers, w.value)
            w.sp()
        self.change.write(w)


def fetch(c: Cursor, *, uid: bool = False) -> FetchCommand:
    """The command fetch."""
    c.sp()
    messages = c.sequence_set()
    c.sp()
    attributes = c.parenthesised(lambda: _fetch_att(c)) if c.at(b"(") else (_fetch_att(c),)
    modifiers = _modifiers(c) if c.more() else None
    return FetchCommand(uid, messages, attributes, modifiers)


def fetch_atts(c: Cursor) -> tuple[AnyAttribute, ...]:
    """A list of fetch-att in parentheses, as NOTIFY has it."""
    return c.parenthesised(lambda: _fetch_att(c))


def store(c: Cursor, *, uid: bool = False) -> Store:
    """The command store."""
    c.sp()
    messages = c.sequence_set()
    c.sp()
    modifiers = None
    if c.at(b"("):
        modifiers = _modifiers(c)
        c.sp()
    start = c.pos
    match = c.take(_STORE_NAME, "what to store")
    name = match[2].upper()
    c.sp()
    if name == b"ANNOTATION" and not match[1]:
        return Store(uid, messages, StoreAnnotation(att_annotate(c)), modifiers)
    if name not in (b"FLAGS", b"X-GM-LABELS"):
        c.stop("FLAGS", start)
    flags = _stored_flags(c, labels=name != b"FLAGS")
    return Store(uid, messages, StoreFlags(name, match[1], bool(match[3]), flags), modifiers)


def _stored_flags(c: Cursor, *, labels: bool) -> tuple[NString, ...]:
    """In parentheses, or one after another."""

    def read() -> NString:
        return label(c) if labels else c.flag()

    if c.at(b"("):
        return c.parenthesised(read)
    flags = [read()]
    while c.more():
        flags.append(read())
    return tuple(flags)


def _fetch_att(c: Cursor) -> AnyAttribute:
    name = c.take(_NAME, "a FETCH item")[0].upper()
    if name == b"ANNOTATION":
        c.sp()
        return annotation_request(c)
    if c.at(b"["):
        where = section(c)
        window = c.match(_PARTIAL)
        return SectionAttribute(name, where, (int(window[1]), int(window[2])) if window else None)
    if name == b"PREVIEW" and c.at(b" ("):
        return _preview(c, name)
    return Attribute(name)


def _preview(c: Cursor, name: bytes) -> Attribute:
    """PREVIEW with its list of modifiers; other parentheses behind it are the FETCH command's own (RFC 8970)."""
    mark = c.mark()
    c.sp()
    value = c.ext()
    if isinstance(value, tuple) and all(isinstance(each, Atom) and each.raw.upper() in _LAZY for each in value):
        return Attribute(name, value)
    c.back(mark)
    return Attribute(name)


def _modifiers(c: Cursor) -> tuple[Modifier, ...]:
    return c.parenthesised(lambda: _modifier(c))


def _modifier(c: Cursor) -> Modifier:
    name = c.word("a modifier")
    if name == b"PARTIAL":
        c.sp()
        return Modifier(name, c.partial_range())
    if name in (b"CHANGEDSINCE", b"UNCHANGEDSINCE") or c.at(b" ("):
        c.sp()
        return Modifier(name, c.ext())
    return Modifier(name)
