"""What one command is mapped by."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from proxy.imap.mapping import NoCounterpartError, Place
from proxy.imap.mapping.ranges import About
from proxy.replay.changing import changes_mail

if TYPE_CHECKING:
    from collections.abc import Callable

    from proxy.imap.mapping import Mapping
    from proxy.imap.mapping.messages import Messages
    from proxy.imap.mapping.session import Session
    from proxy.imap.offers import Offers
    from proxy.imap.view.dialogue import Dialogue
    from proxy.replay.values import Policy, Target

Mapper: TypeAlias = "Callable[[Context, Any, Any], Any]"
"""What maps a field: the context, the value that the field is of, and what stands in it."""


@dataclass(slots=True)
class Context:
    """One command of one dialogue. `changes` says for people what has become something else.

    `mailbox` is the recorded name of the selected one; `several`, that the command searches other ones.
    """

    dialogue: Dialogue
    mapping: Mapping
    session: Session
    target: Target
    policy: Policy
    offers: Offers
    mailbox: str | None = None
    several: bool = False
    changes: list[str] = field(default_factory=list[str])

    @property
    def place(self) -> Place:
        """The target's personal namespace."""
        return Place(self.target.prefix, self.target.delimiter)

    @property
    def messages(self) -> Messages | None:
        """The messages of the selected mailbox; None where nothing is known of them. Raises NoCounterpartError."""
        if self.several:
            raise NoCounterpartError("messages of several mailboxes cannot be told apart by number")
        return self.mapping.mailboxes.find(self.mailbox) if self.mailbox is not None else None

    @property
    def about(self) -> About:
        """The selected mailbox: its recorded name, and how many messages it has in the recording and at the target."""
        here, there = self.session.recorded.mailbox, self.session.replayed.mailbox
        known = there.exists if there else None
        exists = (
            here.exists if here else self.dialogue.before.exists,
            known if self.target.exists is None else self.target.exists,
        )
        return About(self.mailbox or "the mailbox", exists, changes_mail(self.dialogue.exchange.command))

    def counterpart(self, name: str) -> str:
        """What the target calls a recorded mailbox. Raises NoCounterpartError."""
        return self.mapping.names.counterpart(name, self.place, self.policy.names)

    def note(self, change: str) -> None:
        """Something is sent otherwise than it was recorded."""
        if change not in self.changes:
            self.changes.append(change)
