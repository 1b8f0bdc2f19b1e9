"""Most answers are the same to the byte: whether they are, without a look into them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.imap.grammar import Continuation, Tagged, Untagged
from proxy.imap.grammar.acl import Acl, ListRights, MyRights
from proxy.imap.grammar.capability import Capability, Enabled, Id, Namespace
from proxy.imap.grammar.codes import AppendUid, CopyUid, MailboxId, Modified, NumberCode
from proxy.imap.grammar.fetch import Fetch
from proxy.imap.grammar.fetch_items import Content, DateItem, Flags, NumberItem, ObjectId
from proxy.imap.grammar.listing import MailboxList
from proxy.imap.grammar.mailboxes import MailboxStatus
from proxy.imap.grammar.messages import Count, Vanished
from proxy.imap.grammar.metadata import Metadata
from proxy.imap.grammar.quota import Quota, QuotaRoot
from proxy.imap.grammar.search_results import Found
from proxy.imap.grammar.status import Status
from proxy.imap.grammar.thread import Thread
from proxy.imap.grammar.values import Absent
from proxy.imap.transcript import BODY_MIN
from storage.diff.equality import ids
from storage.diff.equality.rules import Rule
from storage.diff.equality.shown import numbers as ranged
from storage.diff.equality.strings import hidden

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from proxy.imap.grammar.fetch_items import Item
    from proxy.imap.grammar.responses import Data
    from proxy.imap.view.dialogue import Answer
    from storage.diff.equality.findings import Findings

    Moved = tuple[str, object, object]

_PLAIN = frozenset((Capability, Enabled, Flags, Count, Quota))
"""Data whose values mean the same on both sides, and hold no literals that lie elsewhere."""
_WITH_STRINGS = frozenset((Id, Namespace, Metadata))
"""The same, but that they may hold such literals."""


_OF_MESSAGES = (AppendUid, CopyUid, Modified, MailboxId)
_SMALL = (Flags, DateItem)


def alike(found: Findings) -> bool:
    """Whether all answers are the same value by value, and their ids stand for each other; texts are not looked at.

    UIDs that are other numbers are told as let pass.
    """
    left, right = found.left, found.right
    if len(left.answers) != len(right.answers):
        return False
    whole = left.exchange.server_bytes < BODY_MIN or right.exchange.server_bytes < BODY_MIN
    moved: list[Moved] = []
    for one, other in zip(left.answers, right.answers, strict=True):
        value, counterpart = one.parsed.value, other.parsed.value
        if isinstance(value, Tagged) and isinstance(counterpart, Tagged):
            if not _completions(found, value, counterpart):
                return False
        elif isinstance(value, Untagged) and isinstance(counterpart, Untagged):
            if not _same(found, value.data, counterpart.data, whole, moved) or not _of_same_message(found, one, other):
                return False
        elif not isinstance(value, Continuation) or value != counterpart:
            return False
    for each in moved:
        found.let(Rule.UID, *each)
    return True


def _same(found: Findings, left: Data, right: Data, whole: bool, moved: list[Moved]) -> bool:
    if left == right:
        return _stands(found, left, whole)
    if isinstance(left, Fetch) and isinstance(right, Fetch):
        return _fetch_moved(found, left, right, whole, moved)
    if isinstance(left, Found) and isinstance(right, Found) and left.word == right.word and left.modseq == right.modseq:
        return _found_moved(found, left, right, moved)
    return False


def _fetch_moved(found: Findings, left: Fetch, right: Fetch, whole: bool, moved: list[Moved]) -> bool:
    """Whether a message is the same, but for a UID that stands for the other one."""
    if left.number != right.number or left.uid or right.uid or len(left.items) != len(right.items):
        return False
    for one, other in zip(left.items, right.items, strict=True):
        if one == other:
            if not _item_stands(found, one, whole):
                return False
            continue
        uids = _uids(one, other)
        if uids is None or not _same_uid(found, *uids):
            return False
        moved.append((f"FETCH {left.number} UID", *uids))
    return True


def _uids(left: Item, right: Item) -> tuple[int, int] | None:
    if not isinstance(left, NumberItem) or not isinstance(right, NumberItem) or not left.name == right.name == b"UID":
        return None
    return left.number, right.number


def _found_moved(found: Findings, left: Found, right: Found, moved: list[Moved]) -> bool:
    """Whether the same messages were found in the same order, by UIDs that stand for each other."""
    if not found.left.exchange.command.startswith("UID ") or len(left.numbers) != len(right.numbers):
        return False
    if not all(_same_uid(found, one, other) for one, other in zip(left.numbers, right.numbers, strict=True)):
        return False
    moved.append((left.word.decode(), ranged(left.numbers), ranged(right.numbers)))
    return True


def _of_same_message(found: Findings, left: Answer, right: Answer) -> bool:
    """Whether what is known beside the words agrees: the UIDs of the messages."""
    if left.uid is None or right.uid is None:
        return True
    return _same_uid(found, left.uid, right.uid)


def _stands(found: Findings, data: Data, whole: bool) -> bool:
    """Whether data that is the same on both sides means the same there."""
    kind: type = type(data)
    if kind in _PLAIN or (whole and kind in _WITH_STRINGS):
        return True
    stands = _STANDS.get(kind)
    return stands is not None and stands(found, data, whole)


def _completions(found: Findings, left: Tagged, right: Tagged) -> bool:
    one, other = left.status, right.status
    if not isinstance(one, Status) or not isinstance(other, Status) or one.condition is not other.condition:
        return False
    return one.code == other.code and (one.code is None or _condition(found, one, True))


def _fetch(found: Findings, data: Fetch, whole: bool) -> bool:
    return all(_item_stands(found, item, whole) for item in data.items) and (not data.uid or _uid(found, data.number))


def _item_stands(found: Findings, item: Item, whole: bool) -> bool:
    """Whether an item that is the same on both sides means the same there."""
    if isinstance(item, NumberItem):
        return item.name[:1] != b"X" and (item.name != b"UID" or _uid(found, item.number))
    if isinstance(item, Content):
        return not (isinstance(item.data, Absent) or hidden(found, item.data))
    return isinstance(item, _SMALL) or (whole and not isinstance(item, ObjectId))


def _uid(found: Findings, uid: int) -> bool:
    return _same_uid(found, uid, uid)


def _same_uid(found: Findings, left: int, right: int) -> bool:
    return ids.same_uid(found, found.mailbox, left, right)


def _found(found: Findings, data: Found, _: bool) -> bool:
    if not found.left.exchange.command.startswith("UID "):
        return True
    return all(_uid(found, number) for number in data.numbers)


def _thread(found: Findings, data: Thread, _: bool) -> bool:
    if not found.left.exchange.command.startswith("UID "):
        return True
    return all(member.number is None or _uid(found, member.number) for member in data.members)


def _vanished(found: Findings, data: Vanished, _: bool) -> bool:
    if data.earlier:
        return False
    expanded = ids.expanded(data.uids)
    return expanded is not None and all(_uid(found, uid) for uid in expanded[0])


def _listed(found: Findings, data: MailboxList, whole: bool) -> bool:
    name = data.mailbox.name
    small = whole or (data.extended is None and isinstance(data.mailbox.raw, bytes))
    return small and found.mapping.name(name) in (None, name)


def _of_mailbox(found: Findings, data: Acl | MyRights | ListRights | QuotaRoot, whole: bool) -> bool:
    name = data.mailbox.name
    return whole and found.mapping.name(name) in (None, name)


def _status(found: Findings, data: MailboxStatus, whole: bool) -> bool:
    name = data.mailbox.name
    if not whole or found.mapping.name(name) not in (None, name):
        return False
    return all(item[0] not in (b"UIDVALIDITY", b"MAILBOXID") for item in data.items)


def _condition(found: Findings, data: Status, _: bool) -> bool:
    code = data.code
    if isinstance(code, NumberCode):
        if code.name != b"UIDVALIDITY":
            return True
        return found.mapping.uidvalidity(found.mailbox, code.number) in (None, code.number)
    return not isinstance(code, _OF_MESSAGES)


_STANDS: dict[type, Callable[[Findings, Any, bool], bool]] = {
    Fetch: _fetch,
    Found: _found,
    Thread: _thread,
    Vanished: _vanished,
    MailboxList: _listed,
    MailboxStatus: _status,
    Status: _condition,
    **dict.fromkeys((Acl, MyRights, ListRights, QuotaRoot), _of_mailbox),
}
