"""What a comparison has to know beside the two dialogues."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from proxy.imap.view.dialogue import Literals


class Mapped(Protocol):
    """What the left server calls this, and the right one that. None where nobody has learned it yet.

    Mailboxes are given by their left names. Names are text, object ids too.
    """

    def name(self, recorded: str) -> str | None:
        """The right name of a mailbox."""
        ...

    def uid(self, mailbox: str, uid: int) -> int | None:
        """The right UID of a message."""
        ...

    def recorded_uid(self, mailbox: str, uid: int) -> int | None:
        """The left UID of a message, by its right one."""
        ...

    def uidvalidity(self, mailbox: str, uidvalidity: int) -> int | None:
        """The right UIDVALIDITY of a mailbox."""
        ...

    def object_id(self, kind: str, recorded: str) -> str | None:
        """The right id of an email, thread or mailbox; `kind` is the item it came in: EMAILID, X-GM-THRID, …"""
        ...

    def recorded_object_id(self, kind: str, replayed: str) -> str | None:
        """The left id, by the right one."""
        ...


class Unmapped:
    """Nothing has been learned: everything may stand for anything, as long as it does so throughout a dialogue."""

    def name(self, recorded: str) -> None:
        """Unknown."""

    def uid(self, mailbox: str, uid: int) -> None:
        """Unknown."""

    def recorded_uid(self, mailbox: str, uid: int) -> None:
        """Unknown."""

    def uidvalidity(self, mailbox: str, uidvalidity: int) -> None:
        """Unknown."""

    def object_id(self, kind: str, recorded: str) -> None:
        """Unknown."""

    def recorded_object_id(self, kind: str, replayed: str) -> None:
        """Unknown."""


Pending = tuple[dict[int, frozenset[bytes]], dict[int, frozenset[bytes]]]
"""Flags of messages by their left UIDs, as the left and the right server told them last."""


@dataclass(slots=True)
class States:
    """What was told of earlier dialogues.

    `told` is how many messages more the right mailbox has than the left one, and `flags` are those that were told
    unasked and not yet compared, both by pair of sessions; `capabilities` are words that only the left and only the
    right server has.
    """

    told: dict[tuple[int, int], int] = field(default_factory=dict["tuple[int, int]", "int"])
    flags: dict[tuple[int, int], Pending] = field(default_factory=dict["tuple[int, int]", "Pending"])
    capabilities: set[tuple[frozenset[bytes], frozenset[bytes]]] = field(
        default_factory=set["tuple[frozenset[bytes], frozenset[bytes]]"]
    )


@dataclass(frozen=True, slots=True)
class Context:
    """Everything around two dialogues, left and right.

    `literals` have the contents of both sessions' bodies, None where nobody has them. `off` are names of rules that
    are switched off: what they would let pass is a difference. `began` is when both sessions were opened, and `since`
    when both recordings began, in microseconds since 1970 UTC, where that is known; without `since`, as `began`.
    `states` is what a comparison remembers for those after it, so that nothing is told twice.
    """

    mapping: Mapped = field(default_factory=Unmapped)
    literals: tuple[Literals | None, Literals | None] = (None, None)
    off: frozenset[str] = frozenset()
    began: tuple[int | None, int | None] = (None, None)
    states: States = field(default_factory=States)
    since: tuple[int | None, int | None] = (None, None)
