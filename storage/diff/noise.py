"""Noise: what is not the same although nothing has changed, learned from two runs at one server.

The idea is diffy's (Twitter, 2015): whatever differs between two runs at the server that is known cannot be held
against the other one.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from fnmatch import translate
from functools import lru_cache
from typing import TYPE_CHECKING

from storage.diff.report.values import Noisy
from storage.diff.values import Pass

if TYPE_CHECKING:
    from collections.abc import Iterable

    from storage.diff.values import Difference, Kind


ANYTHING = "*"
RULES_MOST = 1000
"""Rules that are learned; two servers with more do not have noise, they are not the same."""
# Numbers that are words of their own: RFC822.SIZE is a name.
_NUMBERS = re.compile(r"(?<![\w-])\d+(?:[:,.]\d+)*(?!\w)")


@dataclass(frozen=True, slots=True)
class NoiseRule:
    """Differences that are let pass: of this command, kind and place, in each of which `*` stands for anything.

    `seen` of `of` such commands had it when it was learned; `example` shows one. Both are for people.
    """

    where: str
    command: str = ANYTHING
    kind: str = ANYTHING
    seen: int = 0
    of: int = 0
    example: str = ""

    @property
    def name(self) -> str:
        """How it is called in reports."""
        parts = (part for part in (self.command, self.where) if part != ANYTHING)
        return f"noise: {', '.join(parts) or 'anything'} ({self.kind if self.kind != ANYTHING else 'any kind'})"

    def matches(self, command: str, kind: Kind, where: str) -> bool:
        """Whether a difference of that command is noise by this rule."""
        return (
            (self.kind in (ANYTHING, kind.value))
            and bool(_pattern(self.command).match(command))
            and bool(_pattern(self.where).match(where))
        )


@lru_cache(4096)
def _pattern(text: str) -> re.Pattern[str]:
    # Only * is special: places are full of brackets.
    return re.compile(translate(re.sub(r"([\[?])", r"[\1]", text)), re.IGNORECASE)


class Noise:
    """Rules at work; counts how often each of them was needed."""

    def __init__(self, rules: Iterable[NoiseRule] = ()) -> None:
        self.rules = tuple(rules)
        self.hits: Counter[str] = Counter()

    def sift(
        self, command: str, differences: tuple[Difference, ...]
    ) -> tuple[tuple[Difference, ...], tuple[Pass, ...]]:
        """The differences that count, and as passes those that are noise."""
        if not self.rules or not differences:
            return differences, ()
        counting: list[Difference] = []
        passes: list[Pass] = []
        for each in differences:
            rule = self._rule(command, each.kind, each.where)
            if rule is None:
                counting.append(each)
            else:
                passes.append(Pass(rule.name, each.where, each.left, each.right))
        self.hits.update({each.rule for each in passes})
        return tuple(counting), tuple(passes)

    def _rule(self, command: str, kind: Kind, where: str) -> NoiseRule | None:
        return next((rule for rule in self.rules if rule.matches(command, kind, where)), None)


class Learner:
    """Learns rules from the differences of two runs at one server."""

    def __init__(self) -> None:
        self._seen: Counter[tuple[str, str, str]] = Counter()
        self._examples: dict[tuple[str, str, str], Difference] = {}
        self._asked: Counter[str] = Counter()

    def add(self, command: str, differences: Iterable[Difference]) -> None:
        """An exchange of both runs; it may have none."""
        self._asked[command] += 1
        found: dict[tuple[str, str, str], Difference] = {}
        for each in differences:
            found.setdefault((command, each.kind.value, abstract(each.where)), each)
        self._seen.update(found.keys())
        for path, each in found.items():
            self._examples.setdefault(path, each)

    def merge(self, other: Learner) -> None:
        """What was learned of other sessions."""
        self._asked.update(other._asked)
        self._seen.update(other._seen)
        self._examples = other._examples | self._examples

    def rules(self) -> tuple[NoiseRule, ...]:
        """What moves by itself, the most frequent first."""
        return tuple(
            NoiseRule(where, command, kind, seen, self._asked[command], _example(self._examples[command, kind, where]))
            for (command, kind, where), seen in self._seen.most_common(RULES_MOST)
        )


def abstract(where: str) -> str:
    """A place in any exchange: a `*` for each number in it."""
    return _NUMBERS.sub(ANYTHING, where)


def _example(difference: Difference) -> str:
    sides = ("nothing" if side is None else side for side in (difference.left, difference.right))
    return " / ".join(sides)


def shown(rules: Iterable[NoiseRule], hits: Counter[str], commands: Counter[str]) -> tuple[Noisy, ...]:
    """How much each rule was needed, for reports: `commands` counts what was compared."""
    every = commands.total()
    return tuple(
        Noisy(rule.name, (rule.seen, rule.of), (hits[rule.name], commands.get(rule.command, every))) for rule in rules
    )
