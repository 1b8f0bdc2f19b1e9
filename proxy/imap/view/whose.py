"""Whose a unit is, once it has been read whole: what the wire had to leave open, where reading can decide it.

While traffic flows only the head of a unit is looked at. Of two FETCHes in flight the one is meant that asked for this
message; an ESEARCH may belong to a search that was answered long ago (M 3.7); after NOTIFY a server speaks unasked
(M 3.9). What reading cannot decide either stays as it was recorded (M 3.8).
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from proxy.imap.grammar.acl import Acl, MyRights
from proxy.imap.grammar.fetch import Fetch
from proxy.imap.grammar.fetch_commands import FetchCommand, Store
from proxy.imap.grammar.fetch_items import Flags, NumberItem
from proxy.imap.grammar.listing import MailboxList
from proxy.imap.grammar.mailboxes import MailboxStatus, OnMailbox, StatusCommand
from proxy.imap.grammar.metadata import MetadataChanged
from proxy.imap.grammar.quota import QuotaRoot
from proxy.imap.grammar.search_results import ESearch
from proxy.imap.transcript import Certainty
from proxy.imap.view.values import Heard

if TYPE_CHECKING:
    from collections.abc import Mapping

    from proxy.imap.grammar.commands import Body
    from proxy.imap.grammar.responses import Data
    from proxy.imap.view.values import Said

_BY_NOTIFY = (MailboxStatus, MailboxList, MetadataChanged)
_OF_A_MAILBOX = (MailboxStatus, Acl, MyRights, QuotaRoot)


@dataclass(slots=True)
class Asked:
    """A command in flight: what it asks for; how many messages and changes there were when it was sent."""

    command: str
    body: Body | None = None
    messages: int = 0
    changes: int = 0
    _ranges: tuple[tuple[int, int], ...] | None = field(default=None)

    def may_mean(self, number: int, uid: int | None) -> bool | None:
        """Whether its set has this message; None where that cannot be told."""
        body = self.body
        if not isinstance(body, FetchCommand | Store) or body.messages.saved:
            return None
        wanted = uid if body.uid else number
        if wanted is None:
            return None
        if self._ranges is None:
            # A `*` of UIDs is a number nobody has told: all above the last one that was.
            self._ranges = body.messages.normal(2**64 if body.uid else self.messages)
        index = bisect_right(self._ranges, (wanted, 2**64))
        return index > 0 and wanted <= self._ranges[index - 1][1]


def whose(
    said: Said, data: Data, uid: int | None, asked: Mapping[int, Asked], contexts: Mapping[str, int], notify: int | None
) -> Heard:
    """Whose untagged data is."""
    recorded = Heard(said.exchange.number if said.exchange else None, said.certainty, uid=uid)
    if isinstance(data, Fetch) and said.certainty is Certainty.AMBIGUOUS:
        return _of_the_message(recorded, said, data, asked)
    if isinstance(data, ESearch) and said.certainty is Certainty.UNSOLICITED:
        search = contexts.get(data.tag.decode("latin-1")) if isinstance(data.tag, bytes) else None
        if search is not None:
            return recorded._replace(exchange=search, certainty=Certainty.SURE, reason="update of a search")
    if isinstance(data, _BY_NOTIFY) and said.certainty is Certainty.UNSOLICITED and notify is not None:
        return recorded._replace(exchange=notify, certainty=Certainty.LIKELY, reason="NOTIFY")
    if isinstance(data, _OF_A_MAILBOX) and said.certainty is Certainty.SURE and recorded.exchange is not None:
        return _of_the_mailbox(recorded, data.mailbox.name, asked.get(recorded.exchange), notify)
    return recorded


def _of_the_message(recorded: Heard, said: Said, data: Fetch, asked: Mapping[int, Asked]) -> Heard:
    """The one command whose set has the message; with a NOOP or an IDLE in flight it may be news all the same."""
    numbers = sorted({*said.others, *(() if recorded.exchange is None else (recorded.exchange,))})
    commands = [(number, asked[number]) for number in numbers if number in asked]
    if len(commands) < len(numbers):
        return recorded
    fitting = [number for number, each in commands if _answers(each, data, recorded.uid)]
    if len(fitting) != 1:
        return recorded
    certainty = Certainty.LIKELY if _only_news(data) else Certainty.SURE
    return recorded._replace(exchange=fitting[0], certainty=certainty, reason="its set has the message")


def _answers(each: Asked, data: Fetch, uid: int | None) -> bool:
    name = each.command.removeprefix("UID ")
    if name in {"NOOP", "CHECK", "IDLE", "SELECT", "EXAMINE"}:
        return _only_news(data)
    if name not in {"FETCH", "STORE"} or (name == "STORE" and not _only_news(data)):
        return False
    return each.may_mean(data.number, uid) is not False


def _only_news(data: Fetch) -> bool:
    return all(isinstance(item, Flags) or _is_number(item, b"UID", b"MODSEQ") for item in data.items)


def _is_number(item: object, *names: bytes) -> bool:
    return isinstance(item, NumberItem) and item.name in names


def _of_the_mailbox(recorded: Heard, name: str, asked: Asked | None, notify: int | None) -> Heard:
    """Data that names another mailbox than the command did was not asked for by it (M 3.7)."""
    body = asked.body if asked else None
    if not isinstance(body, OnMailbox | StatusCommand) or body.mailbox.name == name:
        return recorded
    if notify is not None:
        return recorded._replace(exchange=notify, certainty=Certainty.LIKELY, reason="NOTIFY")
    return recorded._replace(certainty=Certainty.UNSOLICITED, reason="it names another mailbox")
