"""The items of FETCH data, by kind (M 8, 10.5)."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from proxy.imap.grammar.fetch_items import (
    Annotation,
    BinarySize,
    Content,
    DateItem,
    EnvelopeItem,
    Flags,
    Labels,
    NumberItem,
    ObjectId,
    OtherItem,
    Preview,
    Structure,
)
from proxy.imap.transcript import readable
from storage.diff.equality import ids, words
from storage.diff.equality.causes import lacking
from storage.diff.equality.envelope import envelopes
from storage.diff.equality.rules import Rule
from storage.diff.equality.strings import of_a_letter
from storage.diff.equality.structure import structures
from storage.diff.values import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from proxy.imap.grammar.fetch_items import Item
    from proxy.imap.grammar.sections import Section
    from storage.diff.equality.findings import Findings

SECOND = 1_000_000
CLOCKS = 2
"""Seconds that the clocks of a server and of whoever recorded it may be apart."""
LATELY = 3600
"""Seconds before a recording in which a mailbox may have been filled for it."""
_IDS = (b"X-GM-MSGID", b"X-GM-THRID")
_SAME_NAME = {b"BODY.PEEK": b"BODY", b"BINARY.PEEK": b"BINARY"}


def key(item: Item) -> str:
    """What an item is called: its name, with its section and origin in one spelling."""
    if isinstance(item, Content):
        name = readable(_SAME_NAME.get(item.name, item.name))
        origin = "" if item.origin is None else f"<{item.origin}>"
        return f"{name}{'' if item.section is None else section(item.section)}{origin}"
    if isinstance(item, BinarySize):
        return f"BINARY.SIZE{section(item.section)}"
    if isinstance(item, Structure):
        return "BODYSTRUCTURE"
    return readable(item.name.upper())


def section(of: Section) -> str:
    """A section in one spelling: field names in capitals, in the order of the alphabet."""
    parts = [str(number) for number in of.part]
    if of.text is not None:
        parts.append(readable(of.text))
    if not of.fields:
        return f"[{'.'.join(parts)}]"
    fields = sorted(readable(each.upper()) for each in of.fields if isinstance(each, bytes))
    return f"[{'.'.join(parts)} ({' '.join(fields)})]"


def item(found: Findings, where: str, left: Item, right: Item) -> None:
    """Two items of the same key."""
    if type(left) is not type(right):
        found.value(where, left, right)
        return
    compare = _ITEMS.get(type(left))
    if compare is not None:
        compare(found, where, left, right)
    elif left != right:
        found.value(where, left, right)


def one_sided(found: Findings, where: str, name: str, left: Item | None, right: Item | None) -> None:
    """An item that only one side has."""
    cause = lacking(found, name.partition("[")[0])
    kind = Kind.CAPABILITY if cause else Kind.MISSING if right is None else Kind.EXTRA
    found.differ(kind, where, left, right, cause)


def modseqs(found: Findings, pairs: Sequence[tuple[Item | None, Item | None]]) -> None:
    """MODSEQs of messages that are the same: only their order counts (M 8)."""
    numbers = sorted(
        (one.number, other.number)
        for one, other in pairs
        if isinstance(one, NumberItem) and isinstance(other, NumberItem)
    )
    if not numbers or all(one == other for one, other in numbers):
        return
    where, ties = "FETCH MODSEQ", False
    for (left, right), (next_left, next_right) in pairwise(numbers):
        if right > next_right:
            found.differ(Kind.ORDER, where, f"{left} < {next_left}", f"{right} > {next_right}")
            return
        ties = ties or (left == next_left) != (right == next_right)
    found.let(Rule.MODSEQ, where, numbers[0][0], numbers[0][1])
    if ties:
        found.let(Rule.MODSEQ_TIES, where)


def _flags(found: Findings, where: str, left: Flags, right: Flags) -> None:
    words.flags(found, where, left.flags, right.flags)


def _number(found: Findings, where: str, left: NumberItem, right: NumberItem) -> None:
    if left.name in _IDS:
        ids.object_ids(found, where, readable(left.name), left.number, right.number)
    elif left.name not in (b"UID", b"MODSEQ") and left.number != right.number:
        found.value(where, left.number, right.number)


def _object_id(found: Findings, where: str, left: ObjectId, right: ObjectId) -> None:
    if left.objectid is not None and right.objectid is not None:
        ids.object_ids(found, where, readable(left.name), left.objectid, right.objectid)
    elif left.objectid is not right.objectid:
        found.value(where, left.objectid or "NIL", right.objectid or "NIL")


def _date(found: Findings, where: str, left: DateItem, right: DateItem) -> None:
    if left == right:
        return
    one, other = (side.date.instant if side.date else None for side in (left, right))
    if left.date is None or right.date is None:
        found.value(where, left.date.raw if left.date else "NIL", right.date.raw if right.date else "NIL")
    elif left.name == b"SAVEDATE":
        found.let(Rule.SAVE_DATE, where, left.date.raw, right.date.raw)
    elif one is None or one != other:
        if one is not None and other is not None and _chosen(found, one.timestamp(), other.timestamp()):
            found.let(Rule.INTERNAL_DATE, where, left.date.raw, right.date.raw)
        else:
            found.value(where, left.date.raw, right.date.raw)


def _chosen(found: Findings, left: float, right: float) -> bool:
    """Whether each was chosen by its server for this recording: not long before it began, and before the answer."""
    context = found.context
    for side, began, since, date in zip(
        (found.left, found.right), context.began, context.since, (left, right), strict=True
    ):
        if began is None:
            return False
        answered = began + (side.exchange.ended or side.exchange.started)
        if not (since or began) // SECOND - LATELY <= date <= answered / SECOND + CLOCKS:
            return False
    return True


def _envelope(found: Findings, where: str, left: EnvelopeItem, right: EnvelopeItem) -> None:
    envelopes(found, where, left.envelope, right.envelope)


def _structure(found: Findings, where: str, left: Structure, right: Structure) -> None:
    if left.name != right.name:
        found.let(Rule.SHORT_FORM, where, left.name, right.name)
    structures(found, where, left.body, right.body)


def _content(found: Findings, where: str, left: Content, right: Content) -> None:
    of_a_letter(found, where, left.data, right.data)


def _preview(found: Findings, where: str, left: Preview, right: Preview) -> None:
    if left.text != right.text:
        found.let(Rule.PREVIEW, where, left.text, right.text)


def _other(found: Findings, where: str, left: OtherItem, right: OtherItem) -> None:
    if left == right:
        return
    if left.name.upper() == b"SNIPPET":  # what PREVIEW was called before RFC 8970
        found.let(Rule.PREVIEW, where, left, right)
    else:
        found.value(where, left, right)


def _labels(found: Findings, where: str, left: Labels, right: Labels) -> None:
    one, other = (tuple(each if isinstance(each, bytes) else b"NIL" for each in side.labels) for side in (left, right))
    words.words(found, where, one, other)


def _annotation(found: Findings, where: str, left: Annotation, right: Annotation) -> None:
    missing, extra = ids.multiset_difference(left.entries, right.entries)
    if missing or extra:
        found.value(where, missing or None, extra or None)


_ITEMS: dict[type, Callable[[Findings, str, Any, Any], None]] = {
    Flags: _flags,
    NumberItem: _number,
    ObjectId: _object_id,
    DateItem: _date,
    EnvelopeItem: _envelope,
    Structure: _structure,
    Content: _content,
    Preview: _preview,
    OtherItem: _other,
    Labels: _labels,
    Annotation: _annotation,
}
