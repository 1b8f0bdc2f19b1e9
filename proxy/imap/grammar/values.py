"""The smallest values: strings, atoms, lists of them, and what could not be read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypeAlias

from proxy.imap.grammar.sets import PartialRange

if TYPE_CHECKING:
    from proxy.imap.grammar.writer import Writer

DEPTH_MOST = 100
"""Lists within lists that become values; what is deeper is kept as it stands. Dovecot builds no deeper messages."""
VALUES_MOST = 2_000_000
"""Values that one unit may become, an envelope or a part for ten. A unit of more is kept raw: 50 MB of `()` would cost
gigabytes."""


class Writable(Protocol):
    """A value that knows its own spelling."""

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        ...


@dataclass(frozen=True, slots=True)
class Absent:
    """A literal whose content lies elsewhere: it is large, and only its size in bytes is known.

    `start` is its offset in the stream it came from; two are equal whatever their offsets.
    """

    size: int
    binary: bool = False
    start: int = field(default=0, compare=False)


String: TypeAlias = bytes | Absent
"""What a string says, its quotes and escapes undone: an atom, a quoted string or a literal (RFC 9051 section 4.3)."""
NString: TypeAlias = String | None
"""A string or NIL; NIL and "" stay different."""


@dataclass(frozen=True, slots=True)
class Atom:
    """An unquoted word of an extension's value: a name, a flag, a number, a set; as it stands."""

    raw: bytes

    @property
    def number(self) -> int | None:
        """The number it is, of at most 20 digits."""
        return int(self.raw) if self.raw.isdigit() and len(self.raw) <= 20 else None


Ext: TypeAlias = "Atom | bytes | Absent | tuple[Ext, ...]"
"""The value of an extension nobody here knows (RFC 9051 tagged-ext-val, but any token)."""


@dataclass(frozen=True, slots=True)
class Opaque:
    """Something well formed that was not understood, as it stands: text runs, and the literals between them."""

    texts: tuple[bytes, ...]
    literals: tuple[String, ...] = ()

    def write(self, w: Writer) -> None:
        """Write the same again."""
        w.raw(self.texts[0])
        for content, text in zip(self.literals, self.texts[1:], strict=True):
            w.content(content)
            w.raw(text)


@dataclass(frozen=True, slots=True)
class Named:
    """A parameter, option or modifier of a command: its name in capitals, and its value where it has one (RFC 4466)."""

    name: bytes
    value: PartialRange | Ext | None = None

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.raw(self.name)
        if isinstance(self.value, PartialRange):
            w.sp()
            self.value.write(w)
        elif self.value is not None:
            w.sp()
            write_ext(w, self.value)


def write_ext(w: Writer, value: Ext) -> None:
    """Write an extension's value; lists within lists cost no recursion."""
    stack: list[tuple[Ext, ...]] = []
    todo: tuple[Ext, ...] = (value,)
    index = 0
    places: list[int] = []
    while True:
        if index < len(todo):
            item = todo[index]
            if index:
                w.sp()
            index += 1
            if isinstance(item, tuple):
                w.raw(b"(")
                stack.append(todo)
                places.append(index)
                todo, index = item, 0
            elif isinstance(item, Atom):
                w.raw(item.raw)
            else:
                w.string(item)
            continue
        if not stack:
            return
        w.raw(b")")
        todo, index = stack.pop(), places.pop()
