"""What a server says of its own accord: the greeting, and news, which count by what they leave behind (M 10.11)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from proxy.imap.commands import SELECTS
from proxy.imap.grammar import Continuation, Raw, Tagged, Untagged
from proxy.imap.grammar.listing import MailboxList
from proxy.imap.grammar.mailboxes import MailboxStatus
from proxy.imap.grammar.messages import Count, Vanished
from proxy.imap.grammar.metadata import MetadataChanged
from proxy.imap.grammar.search_results import ESearch
from proxy.imap.grammar.status import Status
from storage.diff.equality import flags, ids
from storage.diff.equality.codes import codes
from storage.diff.equality.others import key_of, others, told_of
from storage.diff.equality.rules import Rule
from storage.diff.equality.shown import shortened
from storage.diff.equality.statuses import conditions, texts
from storage.diff.equality.told import family_of, is_news, may_be_news
from storage.diff.values import Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from proxy.imap.view.dialogue import Answer, Dialogue
    from storage.diff.equality.findings import Findings

LEAVING = frozenset(("SELECT", "EXAMINE", "CLOSE", "UNSELECT", "LOGOUT"))
"""Commands by which a mailbox is left."""
_NOTIFIED = (MailboxStatus, MailboxList, MetadataChanged, ESearch)
SHOWN_NEWS = 10


def between(found: Findings) -> None:
    """What was said since the command before: the greeting before the first one, and `+` to literals of this one."""
    left, right = _data(found.left.news), _data(found.right.news)
    counts = [sum(isinstance(each, Continuation) for each in side) for side in (left, right)]
    if counts[0] != counts[1]:
        found.let(Rule.CONTINUATION, "+", counts[0], counts[1])
    left, right = ([each for each in side if not isinstance(each, Continuation)] for side in (left, right))
    if found.left.exchange.number == found.right.exchange.number == 1:
        one, other = _greeting(left), _greeting(right)
        if one is not None and other is not None:
            _greetings(found, one, other)
            left, right = left[1:], right[1:]
    # What NOTIFY and CONTEXT have asked for comes here too.
    lefts, rights = ([each for each in side if isinstance(each, _NOTIFIED)] for side in (left, right))
    _news(found, lefts, rights)
    unasked(found, *([each for each in side if not isinstance(each, _NOTIFIED)] for side in (left, right)))


def unasked(found: Findings, left: Sequence[Any], right: Sequence[Any]) -> None:
    """What nobody asked for: news are not compared line by line, what cannot be news is."""
    if not left and not right:
        return
    _news(found, *([each for each in side if may_be_news(each)] for side in (left, right)))
    lefts, rights = ([each for each in side if not may_be_news(each)] for side in (left, right))
    conditions(found, *([each for each in side if isinstance(each, Status)] for side in (lefts, rights)))
    others(found, *([each for each in side if not isinstance(each, Status)] for side in (lefts, rights)))


def _news(found: Findings, left: Sequence[Any], right: Sequence[Any]) -> None:
    if list(map(key_of, left)) != list(map(key_of, right)):
        found.let(Rule.UNSOLICITED, "unasked", _all(left), _all(right))


def mailbox_left(found: Findings) -> None:
    """The selected mailbox is left: as many messages, with the same flags, but for what was told before."""
    one, other = found.left.before, found.right.before
    states = found.context.states
    if one.mailbox is not None and other.mailbox is not None:
        known = states.told.pop(found.sessions, 0)
        if one.exists is not None and other.exists is not None and other.exists - one.exists not in (0, known):
            found.value(f"{one.mailbox} EXISTS when it is left", one.exists, other.exists)
        flags.left_behind(found)
    if found.left.exchange.command in SELECTS:
        counts = _exists(found.left), _exists(found.right)
        if counts[0] is not None and counts[1] is not None:
            states.told[found.sessions] = counts[1] - counts[0]


def removed(found: Findings) -> None:
    """Messages that went as an answer: not the same number is told there."""
    left, right = _gone(found.left), _gone(found.right)
    if left != right:
        told = found.context.states.told
        told[found.sessions] = told.get(found.sessions, 0) + left - right


def _greetings(found: Findings, left: Status, right: Status) -> None:
    if left.condition is not right.condition:
        found.differ(Kind.STATUS, "greeting", left, right)
        return
    codes(found, "greeting", left.code, right.code)
    texts(found, "greeting", left.text, right.text)


def _greeting(told: list[Any]) -> Status | None:
    return told[0] if told and isinstance(told[0], Status) else None


def _data(answers: Sequence[Answer]) -> list[Any]:
    """What they say; of a tagged line that belongs to no command, its status."""
    values = (answer.parsed.value for answer in answers)
    return [
        value.data if isinstance(value, Untagged) else value.status if isinstance(value, Tagged) else value
        for value in values
    ]


def _exists(dialogue: Dialogue) -> int | None:
    counts = [data.number for data in _data(dialogue.answers) if isinstance(data, Count) and data.word == b"EXISTS"]
    return counts[-1] if counts else None


def _gone(dialogue: Dialogue) -> int:
    command, gone = dialogue.exchange.command, 0
    for data in _data(dialogue.answers):
        if isinstance(data, Raw) or family_of(data) != "EXPUNGE" or is_news(command, data):
            continue
        if isinstance(data, Vanished):
            uids = ids.expanded(data.uids)
            gone += len(uids[0]) if uids else 0
        else:
            gone += 1
    return gone


def _all(told: Sequence[object]) -> str | None:
    return shortened(" / ".join(told_of(each) or "" for each in told[:SHOWN_NEWS])) or None
