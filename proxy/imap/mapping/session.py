"""A recorded session and the one that replays it: what both have selected, their tags, the saved search result."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.imap.mapping.selected import Selected
from proxy.imap.view.searches import SEARCHES

if TYPE_CHECKING:
    from proxy.imap.mapping.messages import Messages
    from proxy.imap.view.dialogue import Dialogue


class Session:
    """Both sides of a session."""

    def __init__(self) -> None:
        self.recorded = Selected()
        self.replayed = Selected()
        self.tags: dict[bytes, bytes] = {}
        """The tags of recorded commands, and of those that were sent for them; of equal ones, the last."""
        self._apart = False
        self._steady = 0
        self.saved = False
        """Whether `$` is the result of the same search on both sides (RFC 5182)."""

    def learn(self, recorded: Dialogue, replayed: Dialogue | None, *, ok: bool) -> None:
        """A step is over; `ok` if both servers said so."""
        command, there = recorded.command, replayed.command if replayed else None
        if command and there:
            self.tags[command.tag] = there.tag
        body = command.body if command else None
        if isinstance(body, SEARCHES) and any(option.name == b"SAVE" for option in body.returned or ()):
            self.saved = ok
        elif recorded.exchange.command in {"SELECT", "EXAMINE"}:
            self.saved = self._apart = False
        self._step(ok=ok)

    def _step(self, *, ok: bool) -> None:
        """Where both have as many messages, they are the same, number by number, until some go.

        Where messages went by a step that was not carried out at the target, it is chance if there are as many again.
        """
        here, there = self.recorded.mailbox, self.replayed.mailbox
        self._apart = self._apart or (bool(self.recorded.gone or self.recorded.steady < self._steady) and not ok)
        if here and there and here.exists == there.exists and not self._apart:
            self.recorded.steady = self.replayed.steady = here.exists or 0
        self._steady = self.recorded.steady

    def number(self, number: int, messages: Messages | None, exists: tuple[int | None, int | None]) -> int | None:
        """A recorded message number at the target; `exists` is how many messages both mailboxes have.

        By the message's UID where both sides have told it. Else the number stays, if there are as many messages on
        both sides or were since the last one before it went, and nobody has said that it is another one there (M 8).
        """
        here, there = self.recorded.mailbox, self.replayed.mailbox
        if there is not None and exists[1] is not None and exists[1] < there.numbers.count:
            there = None  # messages are gone that have not been heard of yet: its numbers are others now
        uid = here.numbers.uid(number) if here else None
        paired = messages.uid(uid) if messages and uid is not None else None
        found = there.numbers.number(paired) if there and paired is not None else None
        if found is not None:
            return found
        steady = min(self.recorded.steady, self.replayed.steady, exists[1] or 0)
        alike = not self._apart and exists[0] == exists[1] and exists[0] is not None and number <= exists[0]
        if not alike and number > steady:
            return None
        other = there.numbers.uid(number) if there else None
        if other is None:
            return number
        ours = messages.recorded_uid(other) if messages else None
        return number if paired is None and ours is None else None
