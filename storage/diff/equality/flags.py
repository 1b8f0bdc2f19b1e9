"""Flags that a server tells unasked: what they are when the mailbox is left (M 10.11).

Kept are only those of messages about which one side has said something else, or nothing, so far. What was asked for
is compared where it was answered, and settles it. Messages whose UID nobody knows are left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from proxy.imap.grammar import Untagged
from proxy.imap.grammar.fetch import Fetch
from proxy.imap.grammar.fetch_items import Flags
from proxy.imap.grammar.messages import Count, Vanished
from proxy.imap.transcript import Certainty, readable
from storage.diff.equality import ids
from storage.diff.equality.told import is_news
from storage.diff.values import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from proxy.imap.view.dialogue import Answer, Dialogue
    from storage.diff.equality.context import Pending
    from storage.diff.equality.findings import Findings


class _Told(NamedTuple):
    """The flags of a message without `\\Recent`, in capitals; and whether they were asked for."""

    flags: frozenset[bytes]
    asked: bool


def hear(found: Findings) -> None:
    """Flags that two dialogues tell. To be called where something is told unasked, or was before."""
    mailbox, left = found.mailbox, dict(filter(None, _told(found.left)))
    right: dict[int, _Told] = {}
    for uid, told in filter(None, _told(found.right)):
        known = found.mapping.recorded_uid(mailbox, uid)
        right[uid if known is None else known] = told
    pending = found.context.states.flags.setdefault(found.sessions, ({}, {}))
    for uid in left.keys() | right.keys():
        _hear(pending, uid, left.get(uid), right.get(uid))
    for uid in (*_gone(found.left), *(found.mapping.recorded_uid(mailbox, uid) or uid for uid in _gone(found.right))):
        for side in pending:
            side.pop(uid, None)
    if not any(pending):
        del found.context.states.flags[found.sessions]


def _hear(pending: Pending, uid: int, left: _Told | None, right: _Told | None) -> None:
    asked = any(each is not None and each.asked for each in (left, right))
    if asked or (left and right and left.flags == right.flags):
        for side in pending:
            side.pop(uid, None)
        return
    for side, told in zip(pending, (left, right), strict=True):
        if told is not None:
            side[uid] = told.flags


def left_behind(found: Findings) -> None:
    """The selected mailbox is left: its messages have the flags that both sides were told."""
    pending = found.context.states.flags.pop(found.sessions, None)
    if pending is None:
        return
    for uid in sorted(pending[0].keys() | pending[1].keys()):
        one, other = pending[0].get(uid), pending[1].get(uid)
        if one != other:
            where = f"{found.left.before.mailbox} UID {uid} FLAGS when it is left"
            kind = (
                Kind.VALUE if one is not None and other is not None else Kind.MISSING if one is not None else Kind.EXTRA
            )
            found.differ(kind, where, _shown(one), _shown(other))


def _gone(dialogue: Dialogue) -> Iterable[int]:
    """UIDs of messages that went: nobody asks for their flags any more."""
    for answer in (*dialogue.news, *dialogue.answers):
        value = answer.parsed.value
        data = value.data if isinstance(value, Untagged) else None
        if isinstance(data, Vanished):
            expanded = ids.expanded(data.uids)
            yield from expanded[0] if expanded else ()
        elif isinstance(data, Count) and data.word == b"EXPUNGE" and answer.uid is not None:
            yield answer.uid


def _shown(flags: frozenset[bytes] | None) -> str | None:
    return None if flags is None else f"({readable(b' '.join(sorted(flags)))})"


def _told(dialogue: Dialogue) -> Iterable[tuple[int, _Told] | None]:
    """UIDs and flags, None for everything else."""
    for answers, between in ((dialogue.news, True), (dialogue.answers, False)):
        for answer in answers:
            yield _flags(dialogue.exchange.command, answer, between)


def _flags(command: str, answer: Answer, between: bool) -> tuple[int, _Told] | None:
    value = answer.parsed.value
    if answer.uid is None or not isinstance(value, Untagged) or not isinstance(value.data, Fetch):
        return None
    item = value.data.get(b"FLAGS")
    if not isinstance(item, Flags):
        return None
    news = between or answer.certainty is Certainty.UNSOLICITED or is_news(command, value.data)
    return answer.uid, _Told(frozenset(flag.upper() for flag in item.flags) - {b"\\RECENT"}, not news)
