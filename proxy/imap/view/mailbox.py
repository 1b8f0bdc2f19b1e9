"""The selected mailbox as the server tells of it (M 3.11, 3.12)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from proxy.imap.grammar.codes import Code, MailboxId, NumberCode, PermanentFlags
from proxy.imap.grammar.fetch import Fetch
from proxy.imap.grammar.fetch_items import Flags, NumberItem
from proxy.imap.grammar.messages import Count, Vanished
from proxy.imap.transcript import readable
from proxy.imap.view.numbers import Numbers
from proxy.imap.view.values import MailboxState

if TYPE_CHECKING:
    from proxy.imap.grammar.codes import AnyCode
    from proxy.imap.grammar.responses import Data

_TOLD = {b"UIDVALIDITY": "uidvalidity", b"UIDNEXT": "uidnext", b"HIGHESTMODSEQ": "highestmodseq"}
_MODES = {b"READ-ONLY": True, b"READ-WRITE": False}


@dataclass(slots=True)
class Mailbox:
    """One selection of one mailbox."""

    name: str
    read_only: bool | None = None
    exists: int | None = None
    recent: int | None = None
    uidvalidity: int | None = None
    uidnext: int | None = None
    highestmodseq: int | None = None
    mailboxid: str | None = None
    flags: tuple[str, ...] | None = None
    permanent_flags: tuple[str, ...] | None = None
    numbers: Numbers = field(default_factory=Numbers)

    def hear(self, data: Data) -> tuple[int | None, int]:
        """Untagged data: the UID of the message it is about, as far as known, and how many messages went by it."""
        if isinstance(data, Count):
            return self._count(data)
        if isinstance(data, Fetch):
            return self._fetch(data), 0
        if isinstance(data, Vanished):
            return None, 0 if data.earlier else self._vanish(data)
        if isinstance(data, Flags):
            self.flags = _words(data.flags)
        return None, 0

    def hear_code(self, code: AnyCode) -> None:
        """A response code, tagged or not."""
        if isinstance(code, NumberCode) and (name := _TOLD.get(code.name)):
            if name == "uidvalidity" and self.uidvalidity not in {None, code.number}:
                self.numbers.forget()
            setattr(self, name, code.number)
        elif isinstance(code, PermanentFlags):
            self.permanent_flags = _words(code.flags)
        elif isinstance(code, MailboxId):
            self.mailboxid = readable(code.objectid)
        elif isinstance(code, Code) and code.name in _MODES:
            self.read_only = _MODES[code.name]

    def state(self, *, numbers: bool = True) -> MailboxState:
        """As it is now; without its numbers, if nobody wants to read so many."""
        known = self.numbers.copy() if numbers else Numbers()
        return MailboxState(
            self.name, self.read_only, self.exists, self.recent, self.uidvalidity, self.uidnext, self.highestmodseq,
            self.mailboxid, self.flags, self.permanent_flags, known,
        )  # fmt: skip

    def _count(self, data: Count) -> tuple[int | None, int]:
        if data.word == b"RECENT":
            self.recent = data.number
        elif data.word == b"EXISTS":
            self.exists = data.number
            self.numbers.exists(data.number)
        elif self.exists is not None:
            before = self.numbers.count
            uid = self.numbers.expunge(data.number)
            self.exists = self.numbers.count
            return uid, before - self.numbers.count
        return None, 0

    def _fetch(self, data: Fetch) -> int | None:
        if data.uid:
            return data.number
        item = data.get(b"UID")
        if isinstance(item, NumberItem):
            self.numbers.tie(data.number, item.number)
            return item.number
        return self.numbers.uid(data.number)

    def _vanish(self, data: Vanished) -> int:
        if self.exists is None:
            return 0
        # From the end, so that what is gone already moves nothing that is still to go.
        gone = sum(self.numbers.vanish(first or 0, last or 0) for first, last in _ascending(data))
        self.exists = self.numbers.count
        return gone


def _ascending(data: Vanished) -> list[tuple[int, int]]:
    pairs = [(first or 0, last or 0) for first, last in data.uids.ranges]
    return sorted(((min(pair), max(pair)) for pair in pairs), reverse=True)


def _words(words: tuple[bytes, ...]) -> tuple[str, ...]:
    return tuple(map(readable, words))
