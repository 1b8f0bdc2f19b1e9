"""Whose a unit is, once it has been read whole: what the wire had to leave open, where reading can decide it.

While traffic flows only the head of a unit is looked at. Of two FETCHes in flight the one is meant that asked for this
message; an ESEARCH may belong to a search that was answered long ago (M 3.7); after NOTIFY a server speaks unasked
(M 3.9). What reading cannot decide either stays as it was recorded (M 3.8).
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from proxy.imap.grammar.acl import Acl, MyRights
from proxy.imap.grammar.fetch import Fetch
from proxy.imap.grammar.fetch_commands import Attribute, FetchCommand, Store
from proxy.imap.grammar.fetch_items import Flags, NumberItem
from proxy.imap.grammar.listing import List, MailboxList
from proxy.imap.grammar.mailboxes import MailboxStatus, OnMailbox, StatusCommand
from proxy.imap.grammar.messages import Vanished
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
_OF_A_MAILBOX = (MailboxStatus, Acl, MyRights, QuotaRoot, MetadataChanged)
_ON_ONE = (OnMailbox, StatusCommand)
_ON_MESSAGES = (FetchCommand, Store)
_OfAMailbox: TypeAlias = MailboxStatus | Acl | MyRights | QuotaRoot | MetadataChanged


@dataclass(slots=True)
class Asked:
    """A command in flight: what it asks for; how many messages and changes there were when it was sent."""

    command: str
    body: Body | None = None
    messages: int = 0
    changes: int = 0
    listed: set[str] = field(default_factory=set[str])
    """Mailboxes of its LIST so far, while a NOTIFY is in force: STATUS follows for these only (M 3.15)."""
    _ranges: tuple[tuple[int, int], ...] | None = field(default=None)

    def may_mean(self, number: int, uid: int | None) -> bool | None:
        """Whether its set has this message; None where that cannot be told."""
        body = self.body
        if not isinstance(body, _ON_MESSAGES) or body.messages.saved:
            return None
        wanted = uid if body.uid else number
        if wanted is None:
            return None
        if self._ranges is None:
            self._ranges = body.messages.normal(2**64 if body.uid else self.messages)
        index = bisect_right(self._ranges, (wanted, 2**64))
        if index > 0 and wanted <= self._ranges[index - 1][1]:
            return True
        # What `*` stands for is the server's to know: the last UID, or a message that has come since.
        return None if b"*" in body.messages.raw else False


class Around(NamedTuple):
    """What else a unit may belong to: commands in flight, searches kept up to date by tag, the NOTIFY in force."""

    asked: Mapping[int, Asked]
    contexts: Mapping[str, int]
    notify: int | None


def whose(said: Said, data: Data, uid: int | None, around: Around) -> Heard:
    """Whose untagged data is; `uid` is that of the message it is about, if known."""
    heard = Heard(said.exchange.number if said.exchange else None, said.certainty, uid=uid)
    asked = around.asked.get(heard.exchange) if heard.exchange is not None else None
    if isinstance(data, Fetch):
        return _fetched(heard, said, data, around.asked) if asked else heard
    if isinstance(data, Vanished):
        return _vanished(heard, data, asked)
    if isinstance(data, ESearch):
        return _updated(heard, data, around.contexts)
    if isinstance(data, _BY_NOTIFY) and said.certainty is Certainty.UNSOLICITED:
        return _by_notify(heard, around.notify) or heard
    if isinstance(data, _OF_A_MAILBOX) and said.certainty is Certainty.SURE and asked:
        return _of_a_mailbox(heard, data, asked, around.notify)
    return heard


def _by_notify(heard: Heard, notify: int | None) -> Heard | None:
    """The same as what NOTIFY has asked for, if one is in force."""
    if notify is None:
        return None
    return heard._replace(exchange=notify, certainty=Certainty.LIKELY, reason="NOTIFY")


def _updated(heard: Heard, data: ESearch, contexts: Mapping[str, int]) -> Heard:
    """Results that name a search which was answered long ago (RFC 5267 section 4.3)."""
    search = contexts.get(data.tag.decode("latin-1")) if isinstance(data.tag, bytes) else None
    if search is None or heard.certainty is not Certainty.UNSOLICITED:
        return heard
    return heard._replace(exchange=search, certainty=Certainty.SURE, reason="update of a search")


def _vanished(heard: Heard, data: Vanished, asked: Asked | None) -> Heard:
    """(EARLIER) is an answer, and news never has it (RFC 7162 section 3.2.10)."""
    command = asked.command if asked else ""
    if command not in {"UID FETCH", "SELECT", "EXAMINE"} or heard.certainty is Certainty.AMBIGUOUS:
        return heard
    if data.earlier:
        return heard._replace(certainty=Certainty.SURE, reason="(EARLIER)")
    return heard._replace(certainty=Certainty.UNSOLICITED, reason="without (EARLIER)")


def _fetched(heard: Heard, said: Said, data: Fetch, asked: Mapping[int, Asked]) -> Heard:
    if said.certainty is Certainty.AMBIGUOUS:
        return _of_the_message(heard, said, data, asked)
    each = asked.get(heard.exchange or 0)
    if data.uid and said.certainty is Certainty.SURE and _only_news(data):
        heard = heard._replace(certainty=Certainty.LIKELY, reason="may be news")
    if heard.certainty is not Certainty.LIKELY or each is None or not isinstance(each.body, _ON_MESSAGES):
        return heard
    if each.may_mean(data.number, heard.uid) is False:
        return heard._replace(certainty=Certainty.UNSOLICITED, reason="its set has not this message")
    if isinstance(each.body, FetchCommand) and not _wanted(each.body) & {item.name for item in data.items}:
        return heard._replace(certainty=Certainty.UNSOLICITED, reason="not asked for")
    return heard


def _wanted(body: FetchCommand) -> set[bytes]:
    """Which of FLAGS, UID and MODSEQ a FETCH asks for."""
    names = {attribute.name for attribute in body.attributes if isinstance(attribute, Attribute)}
    if names & {b"ALL", b"FAST", b"FULL"}:
        names.add(b"FLAGS")
    if any(modifier.name == b"CHANGEDSINCE" for modifier in body.modifiers or ()):
        names.add(b"MODSEQ")
    return names


def _of_the_message(heard: Heard, said: Said, data: Fetch, asked: Mapping[int, Asked]) -> Heard:
    """The one command whose set has the message; with a NOOP or an IDLE in flight it may be news all the same."""
    numbers = sorted({*said.others, *(() if heard.exchange is None else (heard.exchange,))})
    commands = [(number, asked[number]) for number in numbers if number in asked]
    if len(commands) < len(numbers):
        return heard
    fitting = [number for number, each in commands if _answers(each, data, heard.uid)]
    if len(fitting) != 1:
        return heard
    certainty = Certainty.LIKELY if _only_news(data) else Certainty.SURE
    return heard._replace(exchange=fitting[0], certainty=certainty, reason="its set has the message")


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


def _of_a_mailbox(heard: Heard, data: _OfAMailbox, asked: Asked, notify: int | None) -> Heard:
    reason = _not_asked(data, asked)
    if not reason and isinstance(asked.body, List) and isinstance(data, MailboxStatus) and notify is not None:
        reason = "" if data.mailbox.name in asked.listed else "it was not listed"
    if not reason:
        return heard
    return _by_notify(heard, notify) or heard._replace(certainty=Certainty.UNSOLICITED, reason=reason)


def _not_asked(data: _OfAMailbox, asked: Asked) -> str:
    """Why the only command that may have asked has not: another mailbox, or something else was meant (M 3.7)."""
    body = asked.body
    if isinstance(data, MetadataChanged):
        return "news of metadata"
    if isinstance(body, List):
        wanted = {option.name for option in body.returned or ()}
        return "" if b"STATUS" in wanted or not isinstance(data, MailboxStatus) else "no status was asked for"
    if isinstance(body, _ON_ONE) and body.mailbox.name != data.mailbox.name:
        return "it names another mailbox"
    return ""
