"""Response codes as values: `[CODE arguments]` after a status word (RFC 9051 section 7.1, RFC 5530, extensions)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from proxy.imap.grammar.capability import Capability
from proxy.imap.grammar.sets import SequenceSet
from proxy.imap.grammar.values import Opaque, String

if TYPE_CHECKING:
    from proxy.imap.grammar.writer import Writer


@dataclass(frozen=True, slots=True)
class Code:
    """A code without arguments: ALERT, READ-ONLY, TRYCREATE, AUTHENTICATIONFAILED, …; `name` in capitals."""

    name: bytes

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.raw(self.name)


@dataclass(frozen=True, slots=True)
class NumberCode:
    """A code with a number: UIDNEXT, UIDVALIDITY, UNSEEN, HIGHESTMODSEQ, MESSAGELIMIT, MAXCONVERTMESSAGES, …"""

    name: bytes
    number: int

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.raw(self.name + b" %d" % self.number)


@dataclass(frozen=True, slots=True)
class PermanentFlags:
    """PERMANENTFLAGS; `\\*` among them allows new keywords."""

    flags: tuple[bytes, ...]

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.raw(b"PERMANENTFLAGS ")
        w.listed(self.flags, w.flag)


@dataclass(frozen=True, slots=True)
class BadCharset:
    """BADCHARSET and the charsets that the server knows."""

    charsets: tuple[String, ...]

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.raw(b"BADCHARSET")
        if self.charsets:
            w.sp()
            w.listed(self.charsets, w.astring)


@dataclass(frozen=True, slots=True)
class AppendUid:
    """APPENDUID: UIDVALIDITY and the new UIDs (RFC 4315 section 3)."""

    uidvalidity: int
    uids: SequenceSet

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.raw(b"APPENDUID %d " % self.uidvalidity)
        self.uids.write(w)


@dataclass(frozen=True, slots=True)
class CopyUid:
    """COPYUID: UIDVALIDITY of the target, UIDs there and here in the same order (RFC 4315 section 3)."""

    uidvalidity: int
    source: SequenceSet
    target: SequenceSet

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.raw(b"COPYUID %d %s %s" % (self.uidvalidity, self.source.raw, self.target.raw))


@dataclass(frozen=True, slots=True)
class Modified:
    """MODIFIED: messages that a conditional STORE left alone (RFC 7162 section 3.1.3)."""

    messages: SequenceSet

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.raw(b"MODIFIED " + self.messages.raw)


@dataclass(frozen=True, slots=True)
class MailboxId:
    """MAILBOXID (RFC 8474 section 4.2)."""

    objectid: bytes

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.raw(b"MAILBOXID (" + self.objectid + b")")


@dataclass(frozen=True, slots=True)
class InProgress:
    """INPROGRESS: the command's tag, how much is done, and of how much (RFC 9585 section 3)."""

    tag: String | None = None
    done: int | None = None
    goal: int | None = None

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.raw(b"INPROGRESS")
        if (self.tag, self.done, self.goal) == (None, None, None):
            return
        w.raw(b" (")
        w.string(self.tag)
        for number in (self.done, self.goal):
            w.raw(b" NIL" if number is None else b" %d" % number)
        w.raw(b")")


@dataclass(frozen=True, slots=True)
class TagCode:
    """NOUPDATE: the tag of a search that will not be kept up to date (RFC 5267 section 4.3)."""

    name: bytes
    tag: String

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.raw(self.name + b" ")
        w.string(self.tag)


@dataclass(frozen=True, slots=True)
class TextCode:
    """A code whose argument is text: REFERRAL, BADURL, WEBALERT, URLMECH, METADATA, ANNOTATE, ANNOTATIONS, …"""

    name: bytes
    text: bytes

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.raw(self.name + b" " + self.text)


@dataclass(frozen=True, slots=True)
class OtherCode:
    """A code nobody here knows, or one with arguments that are not its own; `arguments` is the text after the name."""

    name: bytes
    arguments: Opaque | None = None

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.raw(self.name)
        if self.name and self.arguments is not None:
            w.sp()
        if self.arguments is not None:
            self.arguments.write(w)


AnyCode: TypeAlias = (
    Code
    | NumberCode
    | PermanentFlags
    | BadCharset
    | AppendUid
    | CopyUid
    | Modified
    | MailboxId
    | InProgress
    | TagCode
    | TextCode
    | Capability
    | OtherCode
)
