"""ANNOTATE-EXPERIMENT-1 (RFC 5257): annotations of messages, and of mailboxes in the drafts before it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from proxy.imap.grammar.cursor import Cursor
    from proxy.imap.grammar.values import NString, String
    from proxy.imap.grammar.writer import Writer


@dataclass(frozen=True, slots=True)
class Entry:
    """entry-att: an entry and its attributes' values, as `value.shared "…"`; None removes one."""

    name: String
    attributes: tuple[tuple[String, NString], ...]

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.astring(self.name)
        w.sp()
        w.listed(self.attributes, lambda attribute: _write_attribute(w, attribute))


@dataclass(frozen=True, slots=True)
class EntryNames:
    """An entry without attributes: the form of an unsolicited `ANNOTATION (/comment /altsubject)`."""

    name: String

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.astring(self.name)


@dataclass(frozen=True, slots=True)
class AnnotationRequest:
    """The FETCH attribute ANNOTATION: entries and attributes that are asked for (RFC 5257 section 4.2)."""

    entries: tuple[String, ...]
    attributes: tuple[String, ...]

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.raw(b"ANNOTATION (")
        w.listed(self.entries, w.astring)
        w.sp()
        w.listed(self.attributes, w.astring)
        w.raw(b")")


def att_annotate(c: Cursor) -> tuple[Entry | EntryNames, ...]:
    """The list of entries, with or without their attributes."""
    return c.parenthesised(lambda: _entry(c))


def annotation_request(c: Cursor) -> AnnotationRequest:
    """entries-match and attribs-match."""
    c.expect(b"(")
    entries = _one_or_more(c)
    c.sp()
    attributes = _one_or_more(c)
    c.expect(b")")
    return AnnotationRequest(entries, attributes)


def _one_or_more(c: Cursor) -> tuple[String, ...]:
    return c.parenthesised(c.list_mailbox) if c.at(b"(") else (c.list_mailbox(),)


def _entry(c: Cursor) -> Entry | EntryNames:
    name = c.astring()
    if not (c.at(b" (") or c.at(b"(")):
        return EntryNames(name)
    c.sp()
    return Entry(name, c.parenthesised(lambda: _attribute(c)))


def _attribute(c: Cursor) -> tuple[String, NString]:
    name = c.astring()
    c.sp()
    return name, c.nstring()


def _write_attribute(w: Writer, attribute: tuple[String, NString]) -> None:
    w.astring(attribute[0])
    w.sp()
    w.string(attribute[1])
