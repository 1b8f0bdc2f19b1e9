"""The starting state of a recording: what was in a user's mailboxes before the run changed anything (M 8.2)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from proxy.imap.grammar.dates import DateTime
    from proxy.imap.grammar.envelope import Envelope
    from proxy.imap.transcript import Direction


class Place(NamedTuple):
    """The content of a recorded literal: session, direction, offset in that stream, size in bytes."""

    session: int
    direction: Direction
    start: int
    size: int


Part: TypeAlias = bytes | Place
"""A run of a message's bytes: themselves, or where they lie."""


def length(parts: tuple[Part, ...]) -> int:
    """How many bytes they are together."""
    return sum(part.size if isinstance(part, Place) else len(part) for part in parts)


@dataclass(frozen=True, slots=True)
class OldMessage:
    """A message that was there at the beginning. What has never been told is None.

    `number` is the one it had then. `flags` without \\Recent: all of them, or, not `all_flags`, those that searches
    told. `body` is the whole message; `header` all of its header, or `some` of its fields, each with the
    empty line behind it. `masked`: more was told of it, with a secret masked in it.
    """

    number: int | None
    uid: int | None
    flags: tuple[bytes, ...] | None = None
    date: DateTime | None = None
    size: int | None = None
    body: tuple[Part, ...] | None = None
    header: tuple[Part, ...] | None = None
    some: tuple[Part, ...] | None = None
    envelope: Envelope | None = None
    masked: bool = False
    all_flags: bool = True


@dataclass(frozen=True, slots=True)
class OldMailbox:
    """A mailbox that was there at the beginning. `name` is Unicode, in the recorded server's spelling.

    `exists` is how many messages it had, None where nobody told; `messages` are those of which anything is known, in
    the order of their numbers, or of their UIDs where the numbers are not known. `all_seen`: no message was unseen.
    `selectable` is False for a name that only has others below it.
    """

    name: str
    delimiter: str | None = None
    attributes: frozenset[bytes] = frozenset()
    selectable: bool = True
    subscribed: bool = False
    uidvalidity: int | None = None
    exists: int | None = None
    messages: tuple[OldMessage, ...] = field(default=())
    all_seen: bool = False

    @property
    def count(self) -> int:
        """How many messages it is known to have had."""
        return max(self.exists or 0, len(self.messages))

    @property
    def known(self) -> bool:
        """Whether anybody told how many it had, or of one of them."""
        return self.exists is not None or bool(self.messages)

    @property
    def without_body(self) -> int:
        """How many of them the recording does not hold whole."""
        return self.count - sum(message.body is not None for message in self.messages)


@dataclass(frozen=True, slots=True)
class Beginning:
    """All mailboxes of one user, in the order of their names, INBOX first."""

    mailboxes: tuple[OldMailbox, ...]

    def get(self, name: str) -> OldMailbox | None:
        """The mailbox of that name."""
        return next((mailbox for mailbox in self.mailboxes if mailbox.name == name), None)
