"""THREAD as a tree, the order of siblings included (M 10.8)."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from storage.diff.equality import ids
from storage.diff.equality.shown import shown
from storage.diff.values import Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from proxy.imap.grammar.thread import Thread, ThreadMember
    from storage.diff.equality.findings import Findings


def threads(found: Findings, left: Sequence[Thread], right: Sequence[Thread]) -> None:
    """THREAD data; none at all is the same as one without messages."""
    one, other = _members(left), _members(right)
    mailbox = found.mailbox if found.left.exchange.command.startswith("UID ") else None
    lefts, rights = ([member.number for member in side if member.number is not None] for side in (one, other))
    matched = ids.match(found, mailbox, lefts, rights)
    if matched.missing or matched.extra:
        ids.sets(found, "THREAD", mailbox, lefts, rights)
        return
    expected = [(matched.pairs.get(member.number or 0), member.parent) for member in one]
    if expected != [(member.number, member.parent) for member in other]:
        kind = Kind.ORDER if Counter(lefts) == Counter(rights) or mailbox else Kind.VALUE
        found.differ(kind, "THREAD", shown(left[0] if left else None), shown(right[0] if right else None))
        return
    ids.tell_uids(found, "THREAD", matched.pairs)


def _members(told: Sequence[Thread]) -> list[ThreadMember]:
    """The members of all THREADs, their parents numbered on."""
    members: list[ThreadMember] = []
    for thread in told:
        before = len(members)
        members += thread.members if not before else [_later(member, before) for member in thread.members]
    return members


def _later(member: ThreadMember, before: int) -> ThreadMember:
    return member if member.parent is None else member._replace(parent=member.parent + before)
