"""What the grammar does not know: words with values of any kind, kept in order (RFC 9051 section 2.2.2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from proxy.imap.grammar.values import Ext, Opaque, write_ext

if TYPE_CHECKING:
    from proxy.imap.grammar.writer import Writer

Arguments = tuple[Ext, ...] | Opaque


@dataclass(frozen=True, slots=True)
class Bare:
    """A command without arguments: NOOP, LOGOUT, IDLE, CAPABILITY, EXPUNGE, …; in capitals."""

    word: bytes

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.raw(self.word)


@dataclass(frozen=True, slots=True)
class Unknown:
    """A command or data of a word that is not known, or whose arguments are not its own (then a quirk says why).

    `number` stands before the word of some data. Arguments that lie too deep, or are not the word's own, are kept as
    they stand, the space before them too.
    """

    word: bytes
    arguments: Arguments = ()
    number: int | None = None

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        if self.number is not None:
            w.raw(b"%d " % self.number)
        w.raw(self.word)
        if isinstance(self.arguments, Opaque):
            self.arguments.write(w)
            return
        for value in self.arguments:
            w.sp()
            write_ext(w, value)
