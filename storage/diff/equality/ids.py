"""Ids of two servers: whether they stand for the same thing (M 8). A UID is equal to the one it is mapped to.

Where nobody has learned yet what an id stands for, any may stand for any other, but always for the same. One thing
is known without learning: the same mailbox with the same UIDVALIDITY has the same UIDs (RFC 9051 section 2.3.1.1).
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from proxy.imap.transcript import readable
from storage.diff.equality.causes import numbers_differ
from storage.diff.equality.rules import Rule
from storage.diff.equality.shown import numbers as ranged
from storage.diff.values import Kind

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from proxy.imap.grammar.mailbox_names import Mailbox
    from proxy.imap.grammar.sets import SequenceSet
    from storage.diff.equality.findings import Findings

EXPANDED_MOST = 500_000
"""Numbers that the sets of one answer may be expanded to; larger ones are compared as ranges."""


def same_uid(found: Findings, mailbox: str, left: int, right: int) -> bool:
    """Whether the UIDs stand for the same message; to be asked for pairs that seem to belong together."""
    known = known_uid(found, mailbox, left)
    if known is not None:
        return known == right
    back = found.mapping.recorded_uid(mailbox, right)
    if back is not None:
        return back == left
    return found.pair(("uid", mailbox), left, right)


def known_uid(found: Findings, mailbox: str, left: int) -> int | None:
    """The right UID of a message, where it is known."""
    known = found.mapping.uid(mailbox, left)
    if known is None and mailbox == found.left.before.mailbox and _same_uidvalidity(found):
        return left
    return known


def _same_uidvalidity(found: Findings) -> bool:
    one, other = found.left.before, found.right.before
    return one.uidvalidity is not None and one.uidvalidity == other.uidvalidity


def uidvalidity(found: Findings, where: str, mailbox: str, left: int, right: int) -> None:
    """UIDVALIDITYs of a mailbox: the right one is what it was before, or nobody has seen it yet."""
    known = found.mapping.uidvalidity(mailbox, left)
    if known == right or (known is None and left == right):
        if left != right:
            found.let(Rule.UIDVALIDITY, where, left, right)
    elif known is None and found.pair(("uidvalidity", mailbox), left, right):
        found.let(Rule.UIDVALIDITY, where, left, right)
    else:
        cause = "" if known is None else f"The right mailbox had UIDVALIDITY {known} before."
        found.value(where, left, right, cause)


def object_ids(found: Findings, where: str, kind: str, left: bytes | int, right: bytes | int) -> None:
    """Ids of one kind that servers choose: equal ones stay equal (M 8)."""
    one, other = (readable(each) if isinstance(each, bytes) else str(each) for each in (left, right))
    known, back = found.mapping.object_id(kind, one), found.mapping.recorded_object_id(kind, other)
    if known is None and back is None:
        fits = found.pair(kind, one, other)
    else:
        fits = known in (None, other) and back in (None, one)
    if not fits:
        found.value(where, one, other, "One of the two ids stood for another one before.")
    elif one != other:
        found.let(Rule.OBJECT_ID, where, one, other)


def right_name(found: Findings, mailbox: Mailbox) -> str:
    """The right name of a left mailbox: as it is mapped, or the same."""
    name = mailbox.name
    return (found.mapping.name(name) or name) if name else name


def names(found: Findings, where: str, left: Mailbox, right: Mailbox) -> bool:
    """Whether both name the same mailbox; a difference is told."""
    one, other = left.name, right.name
    if right_name(found, left) != other:
        found.value(where, one, other)
        return False
    if one != other:
        found.let(Rule.MAILBOX_NAME, where, one, other)
    elif left.raw != right.raw:
        found.let(Rule.MAILBOX_ENCODING, where, left.raw, right.raw)
    return True


class Matched(NamedTuple):
    """Messages of two sets: the right one of each left one, the left ones without, and the right ones without."""

    pairs: dict[int, int]
    missing: list[int]
    extra: list[int]


def match(found: Findings, mailbox: str | None, left: Collection[int], right: Collection[int]) -> Matched:
    """Which of them are the same messages: UIDs of that mailbox, or with None message numbers.

    UIDs that nobody knows are paired in ascending order, after those that are the same on both sides.
    """
    rights = set(right)
    if mailbox is None:
        return Matched(
            {number: number for number in left if number in rights},
            sorted({number for number in left if number not in rights}),
            sorted(rights.difference(left)),
        )
    pairs: dict[int, int] = {}
    missing: list[int] = []
    unknown: list[int] = []
    for uid in dict.fromkeys(left):
        known = known_uid(found, mailbox, uid)
        if known is None:
            unknown.append(uid)
        elif known in rights:
            pairs[uid] = known
        else:
            missing.append(uid)
    rest = rights.difference(pairs.values())
    extra = [uid for uid in rest if found.mapping.recorded_uid(mailbox, uid) is not None]
    free = rest.difference(extra)
    same = free.intersection(unknown)
    lefts = sorted(uid for uid in unknown if uid not in same)
    others = sorted(free - same)
    for uid, other in [*((uid, uid) for uid in sorted(same)), *zip(lefts, others, strict=False)]:
        if found.pair(("uid", mailbox), uid, other):
            pairs[uid] = other
        else:
            missing.append(uid)
            extra.append(other)
    missing += lefts[len(others) :]
    extra += others[len(lefts) :]
    return Matched(pairs, sorted(missing), sorted(extra))


def sets(
    found: Findings,
    where: str,
    mailbox: str | None,
    left: Collection[int],
    right: Collection[int],
    *,
    told: bool = True,
) -> bool:
    """Whether two sets have the same messages; what is missing or extra is one difference.

    `told` is whether the numbers stand in the answers; UIDs that are only known are not told to be mapped.
    """
    matched = match(found, mailbox, left, right)
    if matched.missing or matched.extra:
        kind = Kind.VALUE if matched.missing and matched.extra else Kind.MISSING if matched.missing else Kind.EXTRA
        found.differ(
            kind, where, ranged(matched.missing) if matched.missing else None,
            ranged(matched.extra) if matched.extra else None, numbers_differ(found),
        )  # fmt: skip
        return False
    if told:
        tell_uids(found, where, matched.pairs)
    return True


def tell_uids(found: Findings, where: str, pairs: dict[int, int]) -> None:
    """Pairs of UIDs that are not the same number are let pass."""
    changed = {left: right for left, right in pairs.items() if left != right}
    if changed:
        found.let(Rule.UID, where, ranged(changed), ranged(changed.values()))


def expanded(*sets: SequenceSet) -> list[list[int]] | None:
    """The numbers of sets in their order; None where they are too many, or hold `*`."""
    if any(b"*" in each.raw for each in sets):
        return None
    size = sum(abs((last or 0) - (first or 0)) + 1 for each in sets for first, last in each.ranges)
    return None if size > EXPANDED_MOST else [list(each.numbers()) for each in sets]


def multiset_difference(left: Iterable[object], right: Iterable[object]) -> tuple[list[object], list[object]]:
    """What only the left one has, and only the right one; each as often as it is there too many."""
    lefts, rights = Counter(left), Counter(right)
    return list((lefts - rights).elements()), list((rights - lefts).elements())
