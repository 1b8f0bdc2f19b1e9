"""FETCH by message: its items by kind, several answers about one message put together (M 10.5)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from proxy.imap.grammar.fetch_commands import Attribute, FetchCommand, Store, StoreFlags
from proxy.imap.grammar.fetch_items import NumberItem
from proxy.imap.transcript import readable
from storage.diff.equality import ids, items
from storage.diff.equality.causes import numbers_differ
from storage.diff.equality.rules import Rule
from storage.diff.equality.shown import listed, numbers
from storage.diff.values import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from proxy.imap.grammar.fetch import Fetch
    from proxy.imap.grammar.fetch_items import Item
    from storage.diff.equality.findings import Findings
    from storage.diff.equality.told import Told

_NEWS = frozenset(("FLAGS", "UID", "MODSEQ"))


@dataclass(slots=True)
class _Message:
    """What one side has told of a message; `named` is whether its UID was told now, not known from before."""

    number: int
    uid: int | None
    items: dict[str, Item] = field(default_factory=dict["str", "Item"])
    answers: int = 0
    named: bool = False


def fetches(found: Findings, left: Sequence[Told], right: Sequence[Told]) -> None:
    """All FETCH data of one command."""
    lefts, rights = _messages(left), _messages(right)
    mailbox = found.mailbox
    swapped = _swapped(found, lefts, rights)
    pairs, missing, extra = _paired(found, None if swapped else mailbox, lefts, rights)
    asked = _asked(found)
    for one, other in pairs:
        if one.uid is not None and other.uid is not None and not swapped and (one.named or other.named):
            _uids(found, f"FETCH {one.number or one.uid} UID", mailbox, one.uid, other.uid)
        _message(found, one, other, asked)
    items.modseqs(found, [(one.items.get("MODSEQ"), other.items.get("MODSEQ")) for one, other in pairs])
    _one_sided(found, Kind.MISSING, missing, asked)
    _one_sided(found, Kind.EXTRA, extra, asked)
    _order(found, pairs, rights)
    if any(one.answers != other.answers for one, other in pairs):
        found.let(Rule.ITEM_ORDER, "FETCH", f"{len(left)} answers", f"{len(right)} answers", Kind.ORDER)


def _messages(told: Iterable[Told]) -> list[_Message]:
    """Messages in the order of their first answers; what is told again takes the place of what was told before."""
    messages: list[_Message] = []
    by_uid: dict[int, _Message] = {}
    by_number: dict[int, _Message] = {}
    for each in told:
        data: Fetch = each.data
        item = data.get(b"UID")
        uid = item.number if isinstance(item, NumberItem) else data.number if data.uid else each.uid
        number = 0 if data.uid else data.number
        message = by_uid.get(uid) if uid is not None else None
        if message is None:
            message = by_number.get(number)
            if message is None or (uid is not None and message.uid is not None):
                message = _Message(number, uid)
                messages.append(message)
        if number:
            by_number[number] = message
        message.named = message.named or data.uid or item is not None
        if uid is not None:
            message.uid = uid
            by_uid[uid] = message
        message.answers += 1
        for one in data.items:
            message.items[items.key(one)] = one
    return messages


def _swapped(found: Findings, left: list[_Message], right: list[_Message]) -> bool:
    """Whether UIDs ascend with the numbers on one side only (RFC 9051 section 2.3.1.1): that is told, once."""
    lefts, rights = (
        [each.uid for each in sorted(side, key=lambda each: each.number) if each.number and each.uid is not None]
        for side in (left, right)
    )
    if (lefts == sorted(lefts)) == (rights == sorted(rights)):
        return False
    found.differ(Kind.ORDER, "FETCH UID", listed(lefts), listed(rights), "UIDs have to ascend with message numbers.")
    return True


def _paired(
    found: Findings, mailbox: str | None, left: list[_Message], right: list[_Message]
) -> tuple[list[tuple[_Message, _Message]], list[_Message], list[_Message]]:
    """Messages that are the same: by mapped UID, where the mailbox is given and knows it, else by number."""
    by_uid = {each.uid: each for each in right if each.uid is not None}
    by_number = {each.number: each for each in right if each.number}
    pairs: list[tuple[_Message, _Message]] = []
    taken: set[int] = set()
    unknown: list[_Message] = []
    missing: list[_Message] = []
    for one in left:
        known = ids.known_uid(found, mailbox, one.uid) if mailbox is not None and one.uid is not None else None
        other = by_uid.get(known) if known is not None else None
        if other is not None and id(other) not in taken:
            taken.add(id(other))
            pairs.append((one, other))
        else:
            unknown.append(one)
    for one in unknown:
        other = by_number.get(one.number)
        if other is None or id(other) in taken or (mailbox is not None and _other(found, mailbox, one, other)):
            missing.append(one)
        else:
            taken.add(id(other))
            pairs.append((one, other))
    return pairs, missing, [each for each in right if id(each) not in taken]


def _other(found: Findings, mailbox: str, left: _Message, right: _Message) -> bool:
    """Whether they are known to be two messages, of mailboxes that have not the same ones.

    Where as many messages are on both sides, it is the UID that is wrong.
    """
    if left.uid is None or right.uid is None or not numbers_differ(found):
        return False
    known, back = ids.known_uid(found, mailbox, left.uid), found.mapping.recorded_uid(mailbox, right.uid)
    return known not in (None, right.uid) or back not in (None, left.uid)


def _message(found: Findings, left: _Message, right: _Message, asked: frozenset[str] | None) -> None:
    where = f"FETCH {left.number or left.uid}"
    if left.number != right.number and left.number and right.number:
        found.let(Rule.MESSAGE_NUMBER, where, left.number, right.number)
    for key in dict.fromkeys((*left.items, *right.items)):
        one, other = left.items.get(key), right.items.get(key)
        if one is None or other is None:
            _item_one_sided(found, f"{where} {key}", key, one, other, asked)
        elif key in _NEWS and asked is not None and key not in asked:
            if one != other and key == "FLAGS":
                found.let(Rule.NOT_ASKED_FOR, f"{where} {key}", one, other)
        else:
            items.item(found, f"{where} {key}", one, other)
    if [key for key in left.items if key in right.items] != [key for key in right.items if key in left.items]:
        found.let(Rule.ITEM_ORDER, where, " ".join(left.items), " ".join(right.items), Kind.ORDER)


def _uids(found: Findings, where: str, mailbox: str, left: int, right: int) -> None:
    if not ids.same_uid(found, mailbox, left, right):
        expected = ids.known_uid(found, mailbox, left)
        cause = "" if expected is None else f"The message has had UID {expected} on the right side."
        found.value(where, left, right, cause)
    elif left != right:
        found.let(Rule.UID, where, left, right)


def _item_one_sided(
    found: Findings, where: str, key: str, left: Item | None, right: Item | None, asked: frozenset[str] | None
) -> None:
    if key in _NEWS and asked is not None and key not in asked:
        found.let(Rule.NOT_ASKED_FOR, where, left, right)
    else:
        items.one_sided(found, where, key, left, right)


def _one_sided(found: Findings, kind: Kind, messages: list[_Message], asked: frozenset[str] | None) -> None:
    """Messages that only one side has told of: one difference; those with nothing but news are let pass."""
    news = [each for each in messages if _only_news(each, asked)]
    asked_for = [each for each in messages if not _only_news(each, asked)]
    for group, rule in ((news, Rule.NOT_ASKED_FOR), (asked_for, None)):
        if not group:
            continue
        where = f"FETCH {numbers(each.number or each.uid or 0 for each in group)}"
        told = " ".join(group[0].items)
        left, right = (told, None) if kind is Kind.MISSING else (None, told)
        if rule is not None:
            found.let(rule, where, left, right, kind)
        else:
            found.differ(kind, where, left, right, numbers_differ(found))


def _only_news(message: _Message, asked: frozenset[str] | None) -> bool:
    if asked is None or (message.items.keys() == {"UID"} and "UID" in asked):
        return False
    return not message.items.keys() - (_NEWS - asked) - {"UID"}


def _order(found: Findings, pairs: list[tuple[_Message, _Message]], right: list[_Message]) -> None:
    """In which order messages come is free; pairs are in the left one."""
    places = {id(each): place for place, each in enumerate(right)}
    rights = [places[id(other)] for _, other in pairs]
    if rights != sorted(rights):
        left, there = (listed(each.number for each in side) for side in ([one for one, _ in pairs], right))
        found.let(Rule.ORDER, "FETCH", left, there, Kind.ORDER)


def _asked(found: Findings) -> frozenset[str] | None:
    """Which of FLAGS, UID and MODSEQ the command has asked for; None where it is no FETCH or STORE."""
    command = found.left.command
    body = command.body if command else None
    if isinstance(body, Store):
        silent = isinstance(body.change, StoreFlags) and body.change.silent
        return frozenset(("UID",) if silent else ("FLAGS", "UID"))
    if not isinstance(body, FetchCommand):
        return None
    names = {readable(each.name) for each in body.attributes if isinstance(each, Attribute)}
    if names & {"ALL", "FAST", "FULL"}:
        names.add("FLAGS")
    if body.uid:
        names.add("UID")
    if any(modifier.name == b"CHANGEDSINCE" for modifier in body.modifiers or ()):
        names.add("MODSEQ")
    return frozenset(names)
