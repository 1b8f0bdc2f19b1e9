"""The mailbox that a session has selected, followed dialogue by dialogue on one side (M 3.11, 3.12)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.imap.grammar.codes import Code
from proxy.imap.grammar.fetch import Fetch
from proxy.imap.grammar.mailboxes import OnMailbox
from proxy.imap.grammar.messages import Count, Vanished
from proxy.imap.grammar.responses import Tagged, Untagged
from proxy.imap.grammar.status import Condition, Status
from proxy.imap.mapping.sets import spread
from proxy.imap.view.mailbox import Mailbox
from proxy.imap.view.searches import Searches
from proxy.imap.view.whose import Asked

if TYPE_CHECKING:
    from collections.abc import Sequence

    from proxy.imap.grammar.responses import Data
    from proxy.imap.view.dialogue import Answer, Dialogue

_LEAVE = frozenset(("CLOSE", "UNSELECT", "LOGOUT", "UNAUTHENTICATE"))


class Selected:
    """Feed it every dialogue of one session in their order. `gone` are UIDs that went by the last one.

    `steady` are how many numbers, from 1 on, have meant the same messages since somebody set it.
    """

    def __init__(self) -> None:
        self.mailbox: Mailbox | None = None
        self.gone: list[int] = []
        self.steady = 0
        self._searches = Searches()
        self._begun = 0

    def begin(self, dialogue: Dialogue) -> None:
        """What was before the dialogue; a second time this does nothing."""
        if dialogue.exchange.number <= self._begun:
            return
        self._begun = dialogue.exchange.number
        self.gone = []
        before = dialogue.before
        # What a SELECT in flight will select is not in `before`; it has been heard here already.
        if before.open:
            self._untagged(dialogue.news, dialogue)
            return
        if before.mailbox is None:
            self.mailbox = None
        elif self.mailbox is None or self.mailbox.name != before.mailbox:
            self.mailbox = Mailbox(before.mailbox, before.read_only)
        self._untagged(dialogue.news, dialogue)
        if self.mailbox is not None:
            self._agree(self.mailbox, before.exists, before.uidvalidity)

    def hear(self, dialogue: Dialogue) -> None:
        """The dialogue's answers."""
        self.begin(dialogue)
        command = dialogue.command
        body = command.body if command else None
        if isinstance(body, OnMailbox) and body.word in (b"SELECT", b"EXAMINE"):
            self._select(dialogue, body)
            return
        self._untagged(dialogue.answers, dialogue)
        if dialogue.exchange.command in _LEAVE and _condition(dialogue) is Condition.OK:
            self.mailbox = None

    def _select(self, dialogue: Dialogue, body: OnMailbox) -> None:
        """RFC 9051 section 6.3.2: NO leaves no mailbox selected, BAD changes nothing."""
        coming = Mailbox(body.mailbox.name, True if body.word == b"EXAMINE" else None)
        answers = dialogue.answers
        closed = next((at for at, answer in enumerate(answers) if _closes(answer)), None)
        if closed is not None:
            self._untagged(answers[:closed], dialogue)
            answers = answers[closed:]
        before, self.mailbox = self.mailbox, coming
        self.steady = 0
        self._untagged(answers, dialogue)
        condition = _condition(dialogue)
        if condition is Condition.OK:
            return
        self.mailbox = before if condition is Condition.BAD else None

    def _untagged(self, answers: Sequence[Answer], dialogue: Dialogue) -> None:
        mailbox = self.mailbox
        if mailbox is None or not answers:
            return
        asked: Asked | None = None
        size = mailbox.numbers.count, mailbox.numbers.changes
        for answer in answers:
            value = answer.parsed.value
            if isinstance(value, Untagged) and not isinstance(value.data, Status):
                self._data(mailbox, value.data)
                if not isinstance(value.data, Fetch) and (command := dialogue.command):
                    asked = asked or Asked("", command.body, *size)
                    number = dialogue.exchange.number
                    self._searches.hear(value.data, number, answer.certainty, asked, mailbox.numbers)
                continue
            status = value.data if isinstance(value, Untagged) else value.status if isinstance(value, Tagged) else None
            if isinstance(status, Status) and status.code is not None:
                mailbox.hear_code(status.code)

    def _data(self, mailbox: Mailbox, data: Data) -> None:
        count = mailbox.numbers.count
        uid, gone = mailbox.hear(data)
        if gone or mailbox.numbers.count < count:
            self.steady = min(self.steady, data.number - 1 if isinstance(data, Count) and gone else 0)
        if isinstance(data, Vanished):
            self.gone += (spread(data.uids) or ()) if not data.earlier else ()
        elif gone and uid is not None:
            self.gone.append(uid)

    def _agree(self, mailbox: Mailbox, exists: int | None, uidvalidity: int | None) -> None:
        """What is known otherwise of the moment: data that came beside another dialogue may be missing here."""
        if exists is not None and exists != mailbox.exists:
            self._data(mailbox, Count(b"EXISTS", exists))
        if uidvalidity is not None:
            mailbox.uidvalidity = uidvalidity


def _closes(answer: Answer) -> bool:
    value = answer.parsed.understood
    status = value.data if isinstance(value, Untagged) else None
    return isinstance(status, Status) and isinstance(status.code, Code) and status.code.name == b"CLOSED"


def _condition(dialogue: Dialogue) -> Condition | None:
    completion = dialogue.completion
    status = completion.status if completion else None
    return status.condition if isinstance(status, Status) else None
