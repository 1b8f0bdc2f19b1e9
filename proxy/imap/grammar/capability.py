"""CAPABILITY, ENABLE, ID and NAMESPACE: who the two are and what they can do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from proxy.imap.grammar.values import Ext, NString, String, write_ext

if TYPE_CHECKING:
    from proxy.imap.grammar.cursor import Cursor
    from proxy.imap.grammar.writer import Writer


@dataclass(frozen=True, slots=True)
class Capability:
    """capability-data (RFC 9051 section 7.2.2), as data or as a response code; words as they stand, in their order."""

    words: tuple[bytes, ...]

    def has(self, word: bytes) -> bool:
        """Whether the word is there, in any case."""
        return word.upper() in (each.upper() for each in self.words)

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.raw(b" ".join((b"CAPABILITY", *self.words)))


@dataclass(frozen=True, slots=True)
class Enabled:
    """enable-data (RFC 9051 section 7.2.1)."""

    words: tuple[bytes, ...]

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.raw(b" ".join((b"ENABLED", *self.words)))


@dataclass(frozen=True, slots=True)
class Enable:
    """The command ENABLE (RFC 9051 section 6.3.1)."""

    words: tuple[bytes, ...]

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.raw(b" ".join((b"ENABLE", *self.words)))


@dataclass(frozen=True, slots=True)
class Id:
    """id_params_list, as command and as response (RFC 2971 section 4): fields in their order, or NIL."""

    fields: tuple[tuple[String, NString], ...] | None

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.raw(b"ID ")
        if self.fields is None:
            w.raw(b"NIL")
            return
        w.listed([each for field in self.fields for each in field], w.string)


@dataclass(frozen=True, slots=True)
class NamespaceDescr:
    """namespace-descr: prefix, delimiter or None, extensions by name (RFC 9051 section 6.3.10)."""

    prefix: String
    delimiter: bytes | None
    extensions: tuple[tuple[String, Ext], ...] = ()

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.raw(b"(")
        w.string(self.prefix)
        w.sp()
        w.string(self.delimiter)
        for name, value in self.extensions:
            w.sp()
            w.string(name)
            w.sp()
            write_ext(w, value)
        w.raw(b")")


@dataclass(frozen=True, slots=True)
class Namespace:
    """namespace-response: personal, other users', shared (RFC 9051 section 7.3.2); None is NIL."""

    personal: tuple[NamespaceDescr, ...] | None
    others: tuple[NamespaceDescr, ...] | None
    shared: tuple[NamespaceDescr, ...] | None

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.raw(b"NAMESPACE")
        for descrs in (self.personal, self.others, self.shared):
            w.sp()
            if descrs is None:
                w.raw(b"NIL")
                continue
            w.raw(b"(")
            for descr in descrs:
                descr.write(w)
            w.raw(b")")


def words(c: Cursor) -> tuple[bytes, ...]:
    """Words up to the line end, each after a space."""
    found: list[bytes] = []
    while c.more():
        found.append(c.atom())
    return tuple(found)


def capability_data(c: Cursor) -> Capability:
    """capability-data."""
    return Capability(words(c))


def enable_data(c: Cursor) -> Enabled:
    """enable-data."""
    return Enabled(words(c))


def enable(c: Cursor) -> Enable:
    """The command enable."""
    return Enable(words(c))


def id_params_list(c: Cursor) -> Id:
    """id_params_list."""
    c.sp()
    if c.nil():
        return Id(None)
    c.expect(b"(")
    return Id(c.listed(lambda: _id_field(c)))


def namespace_response(c: Cursor) -> Namespace:
    """namespace-response."""
    c.sp()
    personal = _namespace(c)
    c.sp()
    others = _namespace(c)
    c.sp()
    return Namespace(personal, others, _namespace(c))


def delimiter(c: Cursor) -> bytes | None:
    """The hierarchy delimiter: a quoted character, or NIL."""
    start = c.pos
    value = c.nstring()
    if value is not None and not isinstance(value, bytes):
        c.stop("a delimiter", start)
    return value


def _id_field(c: Cursor) -> tuple[String, NString]:
    name = c.string()
    c.sp()
    return name, c.nstring()


def _namespace(c: Cursor) -> tuple[NamespaceDescr, ...] | None:
    if c.nil():
        return None
    c.expect(b"(")
    return c.run(lambda: _namespace_descr(c))


def _namespace_descr(c: Cursor) -> NamespaceDescr:
    c.expect(b"(")
    prefix = c.string()
    c.sp()
    mark = delimiter(c)
    extensions: list[tuple[String, Ext]] = []
    while not c.accept(b")"):
        c.sp()
        name = c.string()
        c.sp()
        extensions.append((name, c.ext()))
    return NamespaceDescr(prefix, mark, tuple(extensions))
