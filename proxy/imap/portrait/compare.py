"""Two portraits side by side: two versions of a client, or two clients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from proxy.imap.portrait.values import Portrait, Situation, Traits, Way

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


@dataclass(frozen=True, slots=True)
class Difference:
    """What only one of two portraits has in a situation: sentences, and ways. Counts and times are not compared.

    Where one of the two was not seen in the situation at all, `unseen` names it: "first" or "second".
    """

    situation: Situation
    facts: tuple[tuple[str, ...], tuple[str, ...]]
    ways: tuple[tuple[Way, ...], tuple[Way, ...]]
    unseen: str | None = None


def differences(first: Portrait, second: Portrait) -> tuple[Difference, ...]:
    """What differs, in the order of situations; those that are alike are left out."""
    found = (_difference(*pair) for pair in zip(first.traits, second.traits, strict=True))
    return tuple(each for each in found if each is not None)


def capability_differences(first: Portrait, second: Portrait) -> Iterator[tuple[str, tuple[str, ...], tuple[str, ...]]]:
    """Kinds of capabilities ("used", "ignored", "used without an offer"): what only the first, only the second has."""
    kinds = (
        ("used", first.used, second.used),
        ("ignored", first.ignored, second.ignored),
        ("used without an offer", first.unoffered, second.unoffered),
    )
    for kind, one, other in kinds:
        if set(one) != set(other):
            yield kind, _only(one, other), _only(other, one)


def _difference(first: Traits, second: Traits) -> Difference | None:
    if not first.seen and not second.seen:
        return None
    unseen = "first" if not first.seen else "second" if not second.seen else None
    facts = [tuple(fact.text for fact in traits.facts if not fact.measured) for traits in (first, second)]
    ways = (_other_ways(first, second), _other_ways(second, first))
    differing = _only(*facts), _only(*reversed(facts))
    if not any((*differing, *ways)):
        return None
    return Difference(first.situation, differing, ways, unseen)


def _only(one: Sequence[str], other: Sequence[str]) -> tuple[str, ...]:
    known = set(other)
    return tuple(each for each in one if each not in known)


def _other_ways(one: Traits, other: Traits) -> tuple[Way, ...]:
    known = {_shape(way) for way in other.ways}
    return tuple(way for way in one.ways if _shape(way) not in known)


def _shape(way: Way) -> tuple[tuple[str, ...], ...]:
    return tuple(block.forms for block in way.blocks)
