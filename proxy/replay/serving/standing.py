"""What a served client has been told of its session: what another server has to agree with to carry the session on.

A server whose mailbox is another one would understand the client's message numbers and UIDs of other messages. Where
it says the same UIDVALIDITY, UIDNEXT and EXISTS, nothing has come to the mailbox and nothing has gone from it, so that
they mean the same (RFC 9051 section 2.3.1.1). Of a mailbox that messages have gone from meanwhile this cannot be said.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from proxy.imap.commands import SELECTS
from proxy.imap.grammar import Untagged, parse_response
from proxy.imap.grammar.capability import Enable, Enabled
from proxy.imap.grammar.codes import NumberCode
from proxy.imap.grammar.mailboxes import OnMailbox, QResync
from proxy.imap.grammar.messages import Count, Vanished
from proxy.imap.grammar.search_commands import Search, Sort
from proxy.imap.grammar.status import Status
from proxy.imap.transcript import Direction
from proxy.imap.units import Boundary, UnitReader
from proxy.replay.changing import changes_mail
from proxy.replay.serving.changes import Changes
from proxy.replay.serving.spool import Spool

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proxy.imap.grammar.commands import Body
    from proxy.replay.login import Credentials
    from proxy.replay.serving.logins import Login
    from proxy.replay.serving.values import Step

_TELLING = re.compile(rb"\* (?:[0-9]+ (?:EXISTS|EXPUNGE)|VANISHED|OK \[UID|ENABLED )", re.IGNORECASE)
"""How lines begin that say something of where the session stands: the others need not be read."""
_SEEN_IN_NUMBERS = frozenset({"EXPUNGE", "UID EXPUNGE", "CLOSE"})
"""What these change shows in the numbers of the mailbox, which are compared; what all others change does not."""


@dataclass(slots=True)
class Numbers:
    """Of the selected mailbox, as far as they are known."""

    uidvalidity: int | None = None
    uidnext: int | None = None
    exists: int | None = None
    gone: int = 0
    """So many messages have gone since it was selected. That as many are left elsewhere does not say that they are the
    same."""

    def hear(self, value: Untagged) -> None:
        """The server has said this."""
        match value.data:
            case Count(word=b"EXISTS", number=number):
                # Each message that comes takes a UID, and UIDNEXT is told when a mailbox is selected only.
                if self.exists is not None and self.uidnext is not None:
                    self.uidnext += max(0, number - self.exists)
                self.exists = number
            case Count(word=b"EXPUNGE"):
                self._gone(1)
            case Vanished(uids=uids, earlier=False):
                self._gone(sum(last - first + 1 for first, last in uids.normal(0)))
            case Status(code=NumberCode(name=b"UIDVALIDITY", number=number)):
                self.uidvalidity = number
            case Status(code=NumberCode(name=b"UIDNEXT", number=number)):
                self.uidnext = number
            case _:
                pass

    def _gone(self, number: int) -> None:
        self.gone += number
        if self.exists is not None:
            self.exists = max(0, self.exists - number)

    def differences(self, there: Numbers) -> Iterator[str]:
        """What is not the same there, in words; numbers that one of both has not told are not compared."""
        mine = (("UIDVALIDITY", self.uidvalidity, there.uidvalidity), ("UIDNEXT", self.uidnext, there.uidnext))
        for name, served, found in (*mine, ("EXISTS", self.exists, there.exists)):
            if served is not None and found is not None and served != found:
                yield f"{name} is {found} there and {served} here"
        if self.gone or there.gone:
            yield "messages have gone from it since it was selected"


def words_enabled(value: Untagged) -> frozenset[bytes]:
    """What the server says that it has enabled by this; words of it that it does not have it leaves out, with OK."""
    return frozenset(word.upper() for word in value.data.words) if isinstance(value.data, Enabled) else frozenset()


class Standing:
    """One served session's: who has logged in, what is enabled, which mailbox is selected, and what it holds."""

    def __init__(self, changes: Changes | None = None) -> None:
        """`changes` are those that all connections have in common."""
        self.credentials: Credentials | None = None
        """Who has logged in, with what, as long as the session lasts."""
        self.selected: OnMailbox | None = None
        """The command that has selected the mailbox."""
        self.selections = 0
        """How often one was."""
        self.enabled: tuple[bytes, ...] = ()
        """The words that it was asked for, with OK."""
        self.told_enabled: frozenset[bytes] = frozenset()
        """Those of them that the client was told are enabled."""
        self.numbers = Numbers()
        self.command = Spool()
        """The bytes of the command that the client says now."""
        self._nameless = "it was logged in from its beginning (PREAUTH)"
        self._user: str | None = None
        self._changed = ""
        self._changes = changes or Changes()
        self._saved = ""
        """The SEARCH that has saved the numbers which `$` stands for in the mailbox that is selected (RFC 5182)."""
        self._reader = UnitReader(Direction.SERVER)

    # --- what happens -----------------------------------------------------------------------------------------------

    def logs_in(self, login: Login, mechanism: str) -> None:
        """Somebody comes in by this mechanism."""
        self.credentials, self._user = login.credentials, login.user
        self._nameless = f"{mechanism} does not give the password away that the server asks for"

    def answered(self, body: Body | None, step: Step) -> None:
        """A command is answered from the recording by this step; `body` is what it says, where it can be read."""
        name, done = step.asked.name, step.status == "OK"
        if name in SELECTS:
            self._saved = ""
            self.selected = body if done and isinstance(body, OnMailbox) else None
            self.selections += 1
        elif done and name in {"CLOSE", "UNSELECT"}:
            self.selected = None
        elif done and isinstance(body, Enable):
            self.enabled += body.words
        elif done and isinstance(body, Search | Sort) and any(each.name == b"SAVE" for each in body.returned or ()):
            self._saved = step.asked.shown
        if done and changes_mail(name) and name not in _SEEN_IN_NUMBERS:
            self._changed = self._changed or step.asked.shown
            self._changes.note(self._user, step.asked.shown)

    def selecting(self) -> None:
        """What the client is told from here on is about another mailbox."""
        self.numbers = Numbers()

    def told(self, data: bytes) -> None:
        """The client is told this."""
        pos = 0
        while pos < len(data):
            boundary, pos = self._reader.read(data, pos)
            if boundary is Boundary.UNIT:
                unit = self._reader.take_unit()
                value = parse_response(unit).understood if _TELLING.match(unit.texts[0]) else None
                if isinstance(value, Untagged):
                    self.numbers.hear(value)
                    self.told_enabled |= words_enabled(value)

    # --- what follows -----------------------------------------------------------------------------------------------

    def obstacle(self, *, logged_in: bool) -> str:
        """Why no other server can carry the session on, without asking it; nothing if one perhaps can."""
        if logged_in and self.credentials is None:
            return f"the session cannot be carried on at the server: {self._nameless}"
        if self._changed:
            return (
                f"the session cannot be carried on at the server: {self._changed} was answered here and not done there"
            )
        if other := self._changes.of(self._user):
            return (
                "the session cannot be carried on at the server: on another connection"
                f" {other} was answered here and not done there"
            )
        if self._saved and self.selected:
            return f"the session cannot be carried on at the server: what {self._saved} has saved is not there"
        return ""

    @property
    def selects(self) -> OnMailbox | None:
        """The command that brings another server into the same mailbox: without what the client knew of it then."""
        body = self.selected
        if body is None or body.params is None:
            return body
        return replace(body, params=tuple(each for each in body.params if not isinstance(each, QResync)) or None)
