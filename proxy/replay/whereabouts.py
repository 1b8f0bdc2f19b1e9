"""In which mailbox a replayed session is, and whether that is the one that the recorded session was in.

A mailbox is compared when any session of a user selects it for the first time: where it has another number of messages
than it had then, message numbers and UIDs would mean others, so what is done in it is not reached (M 8.2).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from proxy.imap.commands import SELECTS
from proxy.imap.grammar.mailboxes import OnMailbox
from proxy.imap.grammar.messages import Count
from proxy.replay.changing import changes_mail
from proxy.replay.seeding.facts import closes, untagged

if TYPE_CHECKING:
    from proxy.imap.view.dialogue import Dialogue


@dataclass(slots=True)
class Beginnings:
    """What a user's mailboxes were found to be, by recorded name: why they are not what they were, or nothing."""

    found: dict[str, str] = field(default_factory=dict[str, str])
    comparable: bool = True
    """Whether all that had changed mail was sent again: else the numbers must differ."""

    def compare(self, mailbox: str, recorded: int | None, there: int | None) -> str:
        """Why nothing may be done in it. Both are numbers of messages, None where nobody told."""
        if mailbox not in self.found:
            known = self.comparable and recorded is not None and there is not None
            self.found[mailbox] = _differing(mailbox, recorded, there) if known and recorded != there else ""
        return self.found[mailbox]


class Whereabouts:
    """One session's; sessions of the same user share their `beginnings`. None: mailboxes may hold anything."""

    def __init__(self, beginnings: Beginnings | None) -> None:
        self.lost = ""
        """Why no mailbox, or not the one that was, is selected."""
        self._beginnings = beginnings

    def answered(self, recorded: Dialogue, status: str | None, exists: int | None) -> None:
        """A step was answered so. `exists` is how many messages the selected mailbox has then."""
        if not _selected(recorded):
            return
        if status != "OK":
            self.lost = f"{recorded.exchange.command} was answered {status or 'nothing'}"
            return
        body = recorded.command.body if recorded.command else None
        known = self._beginnings if isinstance(body, OnMailbox) else None
        self.lost = (
            known.compare(_name(body), _exists(recorded), exists) if known and isinstance(body, OnMailbox) else ""
        )

    def skipped(self, recorded: Dialogue, reason: str) -> None:
        """A step was not sent."""
        if _selected(recorded):
            self.lost = f"{recorded.exchange.command} was not sent: {reason}"
        changed = changes_mail(recorded.exchange.command, read_only=recorded.before.read_only)
        if self._beginnings and changed and recorded.exchange.status == "OK":
            self._beginnings.comparable = False


def _selected(recorded: Dialogue) -> bool:
    return recorded.exchange.command in SELECTS and recorded.exchange.status == "OK"


def _name(body: OnMailbox) -> str:
    name = body.mailbox.name
    return "INBOX" if name.upper() == "INBOX" else name


def _exists(recorded: Dialogue) -> int | None:
    """How many messages a SELECT told of; what comes before CLOSED is about another mailbox (M 3.12)."""
    answers = [data for data, _ in untagged(recorded.answers)]
    closed = max((place for place, data in enumerate(answers, 1) if closes(data)), default=0)
    return next((data.number for data in answers[closed:] if isinstance(data, Count) and data.word == b"EXISTS"), None)


def _differing(mailbox: str, recorded: int | None, there: int | None) -> str:
    return f"{mailbox} has {there} messages at the target and had {recorded} when it was recorded (--any-state goes on)"
