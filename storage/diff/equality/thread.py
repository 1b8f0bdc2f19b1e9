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
    one, other = (tuple(member for each in side for member in _moved(side, each)) for side in (left, right))
    mailbox = ids.selected(found) if found.left.exchange.command.startswith("UID ") else None
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


def _moved(told: Sequence[Thread], thread: Thread) -> tuple[ThreadMember, ...]:
    """The members of one of several THREADs, numbered on from those before it."""
    if thread is told[0]:
        return thread.members
    before = sum(len(each.members) for each in told[: [each is thread for each in told].index(True)])
    return tuple(
        member if member.parent is None else member._replace(parent=member.parent + before) for member in thread.members
    )
