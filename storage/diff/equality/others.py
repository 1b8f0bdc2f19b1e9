"""EXISTS and RECENT; and what nobody here knows, or could not be read."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from proxy.imap.grammar import Raw
from proxy.imap.transcript import readable
from storage.diff.equality.rules import Rule
from storage.diff.equality.shown import shown
from storage.diff.values import Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from proxy.imap.grammar.messages import Count
    from storage.diff.equality.findings import Findings


def counts(found: Findings, left: Sequence[Count], right: Sequence[Count]) -> None:
    """EXISTS or RECENT of a mailbox that is being selected: the last one counts, RECENT not at all."""
    one, other = left[-1].number if left else None, right[-1].number if right else None
    if one == other:
        return
    word = (left or right)[0].word
    if word == b"RECENT":
        found.let(Rule.RECENT, "RECENT", one, other)
    else:
        found.value("EXISTS", one, other)


def others(found: Findings, left: Sequence[Any], right: Sequence[Any]) -> None:
    """Data without a meaning of its own here: the same values, in whatever order."""
    missing, extra = _rest(left, right), _rest(right, left)
    for one, other in zip(missing, extra, strict=False):
        found.differ(Kind.VALUE, _where(one), told_of(one), told_of(other))
    for one in missing[len(extra) :]:
        found.differ(Kind.MISSING, _where(one), told_of(one))
    for other in extra[len(missing) :]:
        found.differ(Kind.EXTRA, _where(other), None, told_of(other))


def _rest(one: Sequence[Any], other: Sequence[Any]) -> list[object]:
    """What the one has that the other has not, or not as often."""
    there = Counter(map(key_of, other))
    rest: list[object] = []
    for each in one:
        key = key_of(each)
        if there[key]:
            there[key] -= 1
        else:
            rest.append(each)
    return rest


def key_of(data: object) -> object:
    """What two values that mean the same have in common, wherever they stood."""
    if isinstance(data, Raw):
        return data.unit.texts, tuple((literal.size, literal.content) for literal in data.unit.literals)
    return data


def _where(data: object) -> str:
    if isinstance(data, Raw):
        return "an answer that could not be read"
    return readable(getattr(data, "word", b"")) or type(data).__name__.upper()


def told_of(data: object) -> str | None:
    """The value as text, one that could not be read too."""
    if isinstance(data, Raw):
        return readable(b"{}".join(data.unit.texts).rstrip(b"\r\n"))
    return shown(data)
