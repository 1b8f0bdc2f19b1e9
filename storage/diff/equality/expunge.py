"""EXPUNGE and VANISHED: which messages went, whatever way that was told (M 10.9)."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

from proxy.imap.grammar.messages import Count, Vanished
from storage.diff.equality import ids
from storage.diff.equality.causes import numbers_differ
from storage.diff.equality.rules import Rule
from storage.diff.equality.shown import numbers as ranged
from storage.diff.values import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from storage.diff.equality.findings import Findings
    from storage.diff.equality.told import Told


def expunges(found: Findings, left: Sequence[Told], right: Sequence[Told]) -> None:
    """EXPUNGE and VANISHED data of one command: by UID where all are known, else by number before any went."""
    mailbox = found.mailbox
    lefts, rights = _uids(left), _uids(right)
    named = any(isinstance(each.data, Vanished) for each in (*left, *right))
    if lefts is not None and rights is not None:
        same = ids.sets(found, "EXPUNGE", mailbox, lefts, rights, told=named)
    elif not named:
        same = ids.sets(found, "EXPUNGE", None, _numbers(left), _numbers(right))
    else:
        counts = _count(left), _count(right)
        same = counts[0] == counts[1]
        if not same:
            kind = Kind.MISSING if counts[0] > counts[1] else Kind.EXTRA
            told = f"{counts[0]} messages", f"{counts[1]} messages"
            found.differ(kind, "EXPUNGE", *told, numbers_differ(found))
    if same and _form(left) != _form(right):
        found.let(Rule.EXPUNGE_FORM, "EXPUNGE", " ".join(_form(left)[:10]), " ".join(_form(right)[:10]))


def vanished_earlier(found: Findings, left: Sequence[Told], right: Sequence[Told]) -> None:
    """VANISHED (EARLIER): UIDs that went while the client was away; those of no known message are let pass."""
    where, mailbox = "VANISHED (EARLIER)", found.mailbox
    sets = ids.expanded(*(each.data.uids for each in left)), ids.expanded(*(each.data.uids for each in right))
    if sets[0] is None or sets[1] is None:
        if [each.data.uids for each in left] != [each.data.uids for each in right]:
            found.let(Rule.EARLIER, where, left[0].data.uids if left else None, right[0].data.uids if right else None)
        return
    lefts, rights = {uid for part in sets[0] for uid in part}, {uid for part in sets[1] for uid in part}
    known = {uid: there for uid in lefts if (there := found.mapping.uid(mailbox, uid)) is not None}
    back = {uid: here for uid in rights if (here := found.mapping.recorded_uid(mailbox, uid)) is not None}
    missing = [uid for uid, there in known.items() if there not in rights]
    extra = [uid for uid, here in back.items() if here not in lefts]
    if missing or extra:
        kind = Kind.VALUE if missing and extra else Kind.MISSING if missing else Kind.EXTRA
        found.differ(kind, where, ranged(missing) if missing else None, ranged(extra) if extra else None)
        return
    ids.tell_uids(found, where, {uid: there for uid, there in known.items() if there in rights})
    one, other = lefts - known.keys(), rights - back.keys()
    if one != other:
        found.let(Rule.EARLIER, where, ranged(one), ranged(other))


def _uids(told: Sequence[Told]) -> list[int] | None:
    uids: list[int] = []
    for each in told:
        if isinstance(each.data, Vanished):
            expanded = ids.expanded(each.data.uids)
            if expanded is None:
                return None
            uids += expanded[0]
        elif each.uid is None:
            return None
        else:
            uids.append(each.uid)
    return uids


def _numbers(told: Iterable[Told]) -> list[int]:
    """Numbers that the messages had before any of them went: each EXPUNGE moves those behind it (RFC 9051 7.5.1)."""
    gone: list[int] = []
    for each in told:
        if not isinstance(each.data, Count):
            continue
        # `gone` ascends, and so does each of them less its place: how many went before the one that is told.
        place = bisect_right(range(len(gone)), each.data.number, key=lambda index: gone[index] - index)
        gone.insert(place, each.data.number + place)
    return gone


def _count(told: Iterable[Told]) -> int:
    count = 0
    for each in told:
        if isinstance(each.data, Vanished):
            expanded = ids.expanded(each.data.uids)
            count += len(expanded[0]) if expanded else 0
        else:
            count += 1
    return count


def _form(told: Iterable[Told]) -> list[str]:
    return [f"EXPUNGE {each.data.number}" if isinstance(each.data, Count) else "VANISHED" for each in told]
