"""How many messages there are, which are gone, and where they go: EXISTS, EXPUNGE, VANISHED, COPY, MOVE, EXPUNGE."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from proxy.imap.grammar.cursor import Cursor
    from proxy.imap.grammar.mailbox_names import Mailbox
    from proxy.imap.grammar.sets import SequenceSet
    from proxy.imap.grammar.writer import Writer


@dataclass(frozen=True, slots=True)
class Count:
    """EXISTS and RECENT: how many; EXPUNGE: which number is gone (RFC 9051 sections 7.4 and 7.5.1)."""

    word: bytes
    number: int

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.raw(b"%d %s" % (self.number, self.word))


@dataclass(frozen=True, slots=True)
class Vanished:
    """expunged-resp: UIDs that are gone; `earlier` when the client had asked (RFC 7162 section 3.2.10)."""

    uids: SequenceSet
    earlier: bool = False

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.raw(b"VANISHED (EARLIER) " if self.earlier else b"VANISHED ")
        self.uids.write(w)


@dataclass(frozen=True, slots=True)
class Copy:
    """The commands COPY and MOVE (RFC 9051 sections 6.4.7 and 6.4.8)."""

    word: bytes
    uid: bool
    messages: SequenceSet
    mailbox: Mailbox

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.raw((b"UID " if self.uid else b"") + self.word + b" " + self.messages.raw + b" ")
        self.mailbox.write(w)


@dataclass(frozen=True, slots=True)
class UidExpunge:
    """The command UID EXPUNGE (RFC 4315 section 2.1)."""

    uids: SequenceSet

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.raw(b"UID EXPUNGE ")
        self.uids.write(w)


def vanished(c: Cursor) -> Vanished:
    """expunged-resp."""
    c.sp()
    earlier = False
    if c.accept(b"("):
        c.one_of(b"EARLIER")
        c.expect(b")")
        c.sp()
        earlier = True
    return Vanished(c.sequence_set(), earlier)


def copy(c: Cursor, word: bytes, *, uid: bool = False) -> Copy:
    """The commands copy and move."""
    c.sp()
    messages = c.sequence_set()
    c.sp()
    return Copy(word, uid, messages, c.mailbox())


def uid_expunge(c: Cursor) -> UidExpunge:
    """The command uid expunge."""
    c.sp()
    return UidExpunge(c.sequence_set())
