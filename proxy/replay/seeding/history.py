"""One mailbox while a recording is read: its messages at the beginning and now, whatever sessions tell of it.

A message is one object for all sessions. Sessions number them each in their own list, since each is told of changes in
its own time (M 3.11); what has gone is taken from the common list by whoever hears of it first.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from proxy.replay.seeding.beginning import OldMailbox, OldMessage
from proxy.replay.seeding.contents import Contents

if TYPE_CHECKING:
    from proxy.imap.grammar.dates import DateTime

MESSAGES_MOST = 100_000
"""Messages of a mailbox whose numbers are followed; of a larger one only messages with a known UID are."""

Change = tuple[bytes, frozenset[bytes]]
"""What a STORE did: `+`, `-` or nothing, and the flags."""


@dataclass(slots=True, eq=False)
class Message:
    """A message. `came` says that it was not there at the beginning; `order` grows along the mailbox."""

    order: int = 0
    came: bool = False
    uid: int | None = None
    date: DateTime | None = None
    flags: frozenset[bytes] | None = None
    deleted: bool = False
    """Whether it has \\Deleted by now, so that CLOSE removes it."""
    contents: Contents = field(default_factory=Contents)
    changes: list[Change] = field(default_factory=list[Change])
    """What was done to its flags before anybody told of them."""
    told: bool = False
    """Whether anything is known of it but its number."""
    guesses: dict[bytes, bool] = field(default_factory=dict[bytes, bool])
    """Single flags that it had, or had not, as searches tell."""

    def store(self, how: bytes, flags: frozenset[bytes]) -> None:
        """Flags are changed."""
        if self.flags is None:
            self.changes.append((how, flags))
        if b"\\DELETED" in {flag.upper() for flag in flags} or not how:
            self.deleted = how != b"-" and any(flag.upper() == b"\\DELETED" for flag in flags)

    def has(self, flags: frozenset[bytes]) -> None:
        """These are its flags now. The first time, those at the beginning follow from them.

        A flag that was added is taken for one that was not there before, and one that was taken away for one that
        was. Where all were replaced, nobody can tell.
        """
        self.deleted = any(flag.upper() == b"\\DELETED" for flag in flags)
        if self.flags is not None or any(not how for how, _ in self.changes):
            return
        for how, stored in reversed(self.changes):
            flags = flags - stored if how == b"+" else flags | stored
        self.flags = frozenset(flag for flag in flags if flag.upper() != b"\\RECENT")

    def knew(self, flag: bytes, *, has: bool) -> None:
        """A single flag that it has, or has not; of interest while nothing was done to its flags."""
        if self.flags is None and not self.changes:
            self.guesses.setdefault(flag, has)

    def old(self, number: int | None, *, seen: bool) -> OldMessage:
        """What is known of it, as it was at the beginning; `seen`: all messages of its mailbox were."""
        contents, flags = self.contents, self.flags
        if seen:
            self.knew(b"\\Seen", has=True)
        guessed = flags is None and bool(self.guesses)
        if guessed:
            flags = frozenset(flag for flag, has in self.guesses.items() if has)
        return OldMessage(
            number,
            self.uid,
            None if flags is None else tuple(sorted(flags)),
            self.date,
            contents.size,
            contents.whole,
            contents.header,
            None if contents.some is None else (contents.some,),
            contents.envelope,
            contents.masked,
            all_flags=not guessed,
        )


@dataclass(slots=True, eq=False)
class Mailbox:
    """A mailbox. `created` by the run itself it is no part of the beginning; `seen` where it is known to be there."""

    name: str
    created: bool = False
    seen: bool = False
    selectable: bool = True
    subscribed: bool | None = None
    delimiter: str | None = None
    attributes: frozenset[bytes] = frozenset()
    uidvalidity: int | None = None
    uidnext: int | None = None
    """Every UID from here on came in the run."""
    exists: int | None = None
    """How many messages there were at the beginning."""
    opened: bool = False
    grown: bool = False
    """Whether anything has come since."""
    changed: bool = False
    """Whether flags of its messages were changed since."""
    all_seen: bool = False
    """Whether STATUS told at the beginning that no message was unseen."""
    begun: list[Message] = field(default_factory=list[Message])
    """Those of the beginning, by their numbers."""
    now: dict[Message, None] = field(default_factory=dict[Message, None])
    loose: list[Message] = field(default_factory=list[Message])
    """Those of the beginning that are known by their UIDs alone."""
    by_uid: dict[int, Message] = field(default_factory=dict[int, Message])
    unclaimed: list[Message] = field(default_factory=list[Message])
    """Those that came and nobody knows from where: an APPEND whose completion comes later may have brought them."""
    _order: int = 0

    def count(self, exists: int) -> None:
        """How many messages it has, told before anything was done that nobody knows of."""
        if self.exists is None and not self.opened:
            self.exists = max(0, exists - len(self.now))

    def expect(self, uidnext: int) -> None:
        """The next UID; the first one told counts, unless something had come by then."""
        if self.uidnext is None and not self.grown:
            self.uidnext = uidnext

    def select(self, exists: int) -> list[Message] | None:
        """A session selects it: its messages by number, or None where it is not known which they are."""
        self.count(exists)
        if not self.opened:
            self.opened = True
            come = list(self.now)
            if self.exists and self.exists <= min(exists, MESSAGES_MOST):
                self.begun = [self._new() for _ in range(self.exists)]
                for message in come:
                    message.order = self._next()
                self.now = dict.fromkeys((*self.begun, *come))
        if exists > MESSAGES_MOST or exists < len(self.now):
            return None
        if len(self.now) < (self.exists or 0) and not self.begun:
            return None
        self._grow(exists - len(self.now))
        return list(self.now)

    def more(self, numbers: list[Message], exists: int) -> bool:
        """A session hears that there are more; False where the numbers are not to be trusted any longer."""
        extra = exists - len(numbers)
        if extra < 0 or exists > MESSAGES_MOST:
            return False
        last = numbers[-1].order if numbers else 0
        fresh: list[Message] = []
        for message in reversed(self.now):
            if message.order <= last:
                break
            fresh.append(message)
        fresh = fresh[::-1][:extra]
        numbers += fresh
        numbers += self._grow(extra - len(fresh))
        return True

    def arrive(self, uid: int | None = None, original: Message | None = None) -> None:
        """APPEND, COPY or MOVE has brought a message; a session may have heard of it before."""
        self.grown = True
        message = None if uid is None else self.by_uid.get(uid)
        if uid is not None:
            self.uidnext = uid if self.uidnext is None else min(self.uidnext, uid)
        while message is None and self.unclaimed:
            first = self.unclaimed.pop(0)
            message = first if first.uid is None else None
        if message is None:
            message = self._new(came=True)
            self.now[message] = None
        if original is not None:
            message.contents, message.deleted = original.contents, original.deleted
            message.date = message.date or original.date
        if uid is not None:
            self.tie(message, uid)

    def tie(self, message: Message, uid: int) -> Message:
        """This message has this UID. Returns the one that is known by it, which may be another."""
        known = self.by_uid.setdefault(uid, message)
        if known is message:
            message.uid = uid
            message.told = True
        return known

    def of_uid(self, uid: int) -> Message:
        """The message of that UID; a new one if it has never been heard of."""
        message = self.by_uid.get(uid)
        if message is None:
            message = self._new(came=self.created or (self.grown if self.uidnext is None else uid >= self.uidnext))
            self.tie(message, uid)
            if not message.came:
                self.loose.append(message)
        return message

    def remove(self, message: Message) -> None:
        """It is gone, for all sessions."""
        self.now.pop(message, None)

    def old(self) -> OldMailbox:
        """As it was at the beginning."""
        known = [
            message.old(number, seen=self.all_seen)
            for number, message in enumerate(self.begun, 1)
            if message.told or message.guesses
        ]
        if self.loose:
            known += [message.old(None, seen=self.all_seen) for message in self.loose]
            known.sort(key=lambda message: (message.uid is None, message.uid or 0, message.number or 0))
        return OldMailbox(
            self.name, self.delimiter, self.attributes, self.selectable, bool(self.subscribed), self.uidvalidity,
            self.exists, tuple(known), self.all_seen,
        )  # fmt: skip

    def _grow(self, count: int) -> list[Message]:
        """Messages that came and nobody has said from where."""
        fresh = [self._new(came=True) for _ in range(max(0, count))]
        self.grown = self.grown or bool(fresh)
        self.now.update(dict.fromkeys(fresh))
        self.unclaimed += fresh
        return fresh

    def _new(self, *, came: bool = False) -> Message:
        return Message(self._next(), came)

    def _next(self) -> int:
        self._order += 1
        return self._order
