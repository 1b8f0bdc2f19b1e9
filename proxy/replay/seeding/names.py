"""Which mailboxes a user has while a recording is read: those of the beginning, and those that the run made."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from proxy.replay.seeding.history import Mailbox

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proxy.imap.grammar.listing import MailboxList

_NOWHERE = frozenset((b"\\NONEXISTENT",))
_NO_MAIL = frozenset((b"\\NOSELECT", b"\\NONEXISTENT"))


@dataclass(slots=True)
class Mailboxes:
    """Mailboxes by the names that they have now; names compare as they stand, but for INBOX."""

    _now: dict[str, Mailbox] = field(default_factory=dict[str, Mailbox])
    _all: list[Mailbox] = field(default_factory=list[Mailbox])
    _made: list[str] = field(default_factory=list[str])
    """Names that CREATE and RENAME have made: so were the names above them, if nobody had seen these."""
    _delimiter: str | None = None

    def existing(self, name: str) -> Mailbox:
        """The mailbox of that name, of which the server has just shown that it is there."""
        mailbox = self._mailbox(name)
        mailbox.seen = True
        return mailbox

    def valid(self, name: str, uidvalidity: int | None) -> Mailbox:
        """The same; another UIDVALIDITY means that the one of the beginning has been replaced by another."""
        mailbox = self.existing(name)
        if uidvalidity is None or mailbox.uidvalidity in (None, uidvalidity):
            mailbox.uidvalidity = mailbox.uidvalidity or uidvalidity
            return mailbox
        return self._put(Mailbox(name, created=True, seen=True, delimiter=mailbox.delimiter, uidvalidity=uidvalidity))

    def listed(self, data: MailboxList, *, subscribed: bool) -> None:
        """A line of LIST, LSUB or XLIST. LSUB tells of names that may be no mailboxes (RFC 3501 section 6.3.9)."""
        attributes = frozenset(flag.upper() for flag in data.attributes)
        delimiter = data.delimiter.decode("utf-8", "replace") if data.delimiter else None
        self._delimiter = delimiter or self._delimiter
        mailbox = self._mailbox(data.mailbox.name)
        mailbox.delimiter = mailbox.delimiter or delimiter
        if mailbox.subscribed is None and (data.word == b"LSUB" or subscribed or b"\\SUBSCRIBED" in attributes):
            mailbox.subscribed = data.word != b"LSUB" or b"\\NOSELECT" not in attributes
        if data.word == b"LSUB" or attributes & _NOWHERE:
            return
        if not mailbox.seen:
            mailbox.seen = True
            mailbox.attributes = frozenset(data.attributes)
            mailbox.selectable = not attributes & _NO_MAIL
            above = f"{mailbox.name}{delimiter}" if delimiter else None
            mailbox.created |= above is not None and any(name.startswith(above) for name in self._made)
        mailbox.attributes = mailbox.attributes or frozenset(data.attributes)

    def changed(self, word: bytes, name: str) -> None:
        """CREATE, DELETE, SUBSCRIBE or UNSUBSCRIBE has been carried out."""
        if word == b"CREATE":
            name = name.rstrip(self._delimiter) if self._delimiter else name
            self._put(Mailbox(name, created=True, seen=True, delimiter=self._delimiter))
            self._made.append(name)
        elif word == b"DELETE":
            self.existing(name)
            self._put(Mailbox(name, created=True))
        elif word in (b"SUBSCRIBE", b"UNSUBSCRIBE"):
            mailbox = self._mailbox(name)
            if mailbox.subscribed is None:
                # Nobody does what is done already.
                mailbox.subscribed = word == b"UNSUBSCRIBE"

    def rename(self, old: str, new: str) -> None:
        """RENAME has been carried out: what is below moves too, INBOX stays, empty (RFC 9051 section 6.3.6)."""
        self.existing(old)
        below = f"{old}{self._delimiter}" if self._delimiter and old != "INBOX" else None
        for name in [name for name in self._now if name == old or (below and name.startswith(below))]:
            mailbox = self._now[name]
            self._put(Mailbox(name, created=True, seen=name == "INBOX"))
            self._now[new + name[len(old) :]] = mailbox
        self._made.append(new)

    def old(self) -> Iterator[Mailbox]:
        """Those of the beginning, in the order of their names, INBOX first."""
        known = [mailbox for mailbox in self._all if mailbox.seen and not mailbox.created]
        yield from sorted(known, key=lambda mailbox: (mailbox.name != "INBOX", mailbox.name))

    def _mailbox(self, name: str) -> Mailbox:
        return self._now.get(name) or self._put(Mailbox(name))

    def _put(self, mailbox: Mailbox) -> Mailbox:
        self._now[mailbox.name] = mailbox
        self._all.append(mailbox)
        return mailbox
