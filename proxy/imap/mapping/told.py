"""All that one dialogue tells of a server's names, messages and counters, gathered in one pass over its answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from proxy.imap.grammar.capability import Namespace
from proxy.imap.grammar.codes import AppendUid, CopyUid, MailboxId, NumberCode
from proxy.imap.grammar.fetch import Fetch
from proxy.imap.grammar.fetch_items import NumberItem
from proxy.imap.grammar.listing import MailboxList
from proxy.imap.grammar.mailboxes import MailboxStatus
from proxy.imap.grammar.quota import QuotaRoot
from proxy.imap.grammar.responses import Tagged, Untagged
from proxy.imap.grammar.search_results import ESearch, Found
from proxy.imap.grammar.sets import SequenceSet
from proxy.imap.grammar.status import Condition, Status
from proxy.imap.mapping.sets import spread

if TYPE_CHECKING:
    from collections.abc import Iterable

    from proxy.imap.grammar.codes import AnyCode
    from proxy.imap.grammar.responses import Data
    from proxy.imap.mapping.selected import Selected
    from proxy.imap.view.dialogue import Answer, Dialogue


_NAMES = (MailboxList, Namespace)


class Row(NamedTuple):
    """FETCH data whose message is known: UID, message number (0 where there is none), what it says."""

    uid: int
    number: int
    fetched: Fetch


@dataclass(slots=True)
class Told:
    """Of one dialogue. `found` are the UIDs of search results; `numbers` the numbers in codes, by their names.

    `bare`: nothing but whether it was OK.
    """

    ok: bool = False
    bare: bool = False
    rows: list[Row] = field(default_factory=list[Row])
    found: list[int] = field(default_factory=list[int])
    modseq: int | None = None
    numbers: dict[bytes, int] = field(default_factory=dict[bytes, int])
    mailbox_id: bytes | None = None
    appended: AppendUid | None = None
    copied: CopyUid | None = None
    names: list[MailboxList | Namespace] = field(default_factory=list[MailboxList | Namespace])
    statuses: list[MailboxStatus] = field(default_factory=list[MailboxStatus])
    roots: list[QuotaRoot] = field(default_factory=list[QuotaRoot])


_BARE = Told(ok=True, bare=True)
_REFUSED = Told(bare=True)
"""Most dialogues tell no more, so these are made once. Nobody writes into them."""


def told(dialogue: Dialogue, selected: Selected) -> Told:
    """What the dialogue tells, to be read only; `selected` has heard it already."""
    command = dialogue.command
    if (bare := _bare(dialogue)) is not None:
        return _BARE if command is not None and bare is Condition.OK else _REFUSED
    by_uid = dialogue.exchange.command.startswith("UID ")
    gathered = Told()
    for answer in (*dialogue.news, *dialogue.answers):
        value = answer.parsed.value
        if isinstance(value, Untagged):
            _data(gathered, value.data, answer, selected, by_uid=by_uid)
        elif isinstance(value, Tagged) and isinstance(value.status, Status):
            gathered.ok = command is not None and value.status.condition is Condition.OK
            _code(gathered, value.status.code)
    return gathered


def _bare(dialogue: Dialogue) -> Condition | None:
    """How it was completed, where it has nothing else, and no code; None where there is more to it, or less."""
    if dialogue.news or len(dialogue.answers) != 1:
        return None
    value = dialogue.answers[0].parsed.value
    status = value.status if isinstance(value, Tagged) else None
    return status.condition if isinstance(status, Status) and status.code is None else None


def _data(gathered: Told, data: Data, answer: Answer, selected: Selected, *, by_uid: bool) -> None:
    if isinstance(data, Fetch):
        if (uid := _uid(data, answer, selected)) is not None:
            gathered.rows.append(Row(uid, 0 if data.uid else data.number, data))
    elif isinstance(data, Status):
        _code(gathered, data.code)
    elif isinstance(data, Found):
        gathered.found += data.numbers if by_uid else _numbered(data.numbers, selected)
        gathered.modseq = data.modseq if data.modseq is not None else gathered.modseq
    elif isinstance(data, ESearch):
        _esearch(gathered, data, selected)
    elif isinstance(data, _NAMES):
        gathered.names.append(data)
    elif isinstance(data, MailboxStatus):
        gathered.statuses.append(data)
    elif isinstance(data, QuotaRoot):
        gathered.roots.append(data)


def _uid(data: Fetch, answer: Answer, selected: Selected) -> int | None:
    if data.uid:
        return data.number
    item = data.get(b"UID")
    if isinstance(item, NumberItem):
        return item.number
    if answer.uid is not None or selected.mailbox is None:
        return answer.uid
    return selected.mailbox.numbers.uid(data.number)


def _esearch(gathered: Told, data: ESearch, selected: Selected) -> None:
    whole, modseq = data.get(b"ALL"), data.get(b"MODSEQ")
    if isinstance(whole, SequenceSet) and data.mailbox is None:
        numbers = spread(whole) or []
        gathered.found += numbers if data.uid else _numbered(numbers, selected)
    if isinstance(modseq, int):
        gathered.modseq = modseq


def _numbered(numbers: Iterable[int], selected: Selected) -> list[int]:
    """Their UIDs, or none at all where one is not known: what is left would be in no order."""
    if selected.mailbox is None:
        return []
    uids = [selected.mailbox.numbers.uid(number) for number in numbers]
    known = [uid for uid in uids if uid is not None]
    return known if len(known) == len(uids) else []


def _code(gathered: Told, code: AnyCode | None) -> None:
    if isinstance(code, NumberCode):
        gathered.numbers[code.name] = code.number
    elif isinstance(code, CopyUid):
        gathered.copied = code
    elif isinstance(code, AppendUid):
        gathered.appended = code
    elif isinstance(code, MailboxId):
        gathered.mailbox_id = code.objectid
