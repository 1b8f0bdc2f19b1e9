"""Whether a command is the recorded one: by its meaning, with rules that loosen or tighten single parts of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple, cast

from proxy.replay.asked import Asked, Day, Part
from proxy.replay.part_names import part_names

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

    _Meanings = tuple[Hashable, ...]

NEAREST = 3
_LOOKED_AT = 2000
"""Recorded commands of the same name that are compared with one that matches none: a recording may have millions."""
_READ = 200
"""Of these so many, which differ least, are also compared by how they read."""
_TEXT_MOST = 200
_TEXT_BEFORE = 20
_RULE = re.compile(r"(\*|[A-Za-z][A-Za-z0-9 -]*?)(?:\.([a-z]+))?=(any|same|exact)")
_NOTHING = Part("", None, "none")


class RuleError(ValueError):
    """A rule that cannot be read; `str()` says why."""


class Closeness(StrEnum):
    """How close a part has to be: whatever it is, of the same meaning, or of the same spelling."""

    ANY = "any"
    SAME = "same"
    EXACT = "exact"


class Rule(NamedTuple):
    """For commands of this name ("*": all; "FETCH" is UID FETCH too), a part ("": the whole), how close it must be."""

    command: str
    part: str
    closeness: Closeness


_DEFAULTS = (
    # What a client says of itself, and when it appends what, is another thing each time that it runs.
    Rule("ID", "", Closeness.ANY),
    Rule("APPEND", "date", Closeness.ANY),
    Rule("APPEND", "content", Closeness.ANY),
    Rule("REPLACE", "date", Closeness.ANY),
    Rule("REPLACE", "content", Closeness.ANY),
)


class Difference(NamedTuple):
    """A part that is not as recorded: both sides as people read them."""

    part: str
    recorded: str
    asked: str

    def __str__(self) -> str:
        return f"{self.part}: recorded {self.recorded}, asked {self.asked}"


class Near(NamedTuple):
    """A recorded command that is not the one asked for, but not far from it."""

    session: int
    number: int
    recorded: Asked
    differences: tuple[Difference, ...]


@dataclass(frozen=True, slots=True)
class Rules:
    """What counts as the same command. The rule that was given last wins."""

    rules: tuple[Rule, ...] = ()
    any_date: bool = False
    """Whether any date stands for any other."""
    prefix: tuple[str, str] | None = None
    """Mailbox names that begin with the first are taken to begin with the second, which was recorded."""

    def closeness(self, command: str, part: str) -> Closeness:
        """How close this part of a command of this name has to be to the recorded one."""
        names = {"*", command, command.removeprefix("UID ")}
        for rule in reversed((*_DEFAULTS, *self.rules)):
            if rule.command in names and rule.part in {part, ""}:
                return rule.closeness
        return Closeness.SAME

    def key(self, asked: Asked, *, recorded: bool) -> Hashable:
        """Equal for a recorded command and one that is asked if there is no difference between them."""
        closeness = [(part, self.closeness(asked.name, part.name)) for part in asked.parts]
        if any(close is Closeness.EXACT for _, close in closeness):
            return asked.name, asked.spelled
        parts = [part if recorded else self._renamed(part) for part, close in closeness if close is Closeness.SAME]
        return asked.name, frozenset((part.name, self._meaning(part)) for part in parts)

    def differences(self, recorded: Asked, asked: Asked) -> tuple[Difference, ...]:
        """What keeps `asked` from being the `recorded` command; nothing if it is."""
        if recorded.name != asked.name:
            return (Difference("command", recorded.name, asked.name),)
        if recorded.spelled == asked.spelled:
            return ()
        if recorded.pattern is not None:
            same = recorded.pattern.fullmatch(asked.spelled)
            return () if same else (Difference("spelling", recorded.shown, asked.shown),)
        return tuple(self._differences(recorded, asked))

    def _differences(self, recorded: Asked, asked: Asked) -> Iterable[Difference]:
        name, exact = recorded.name, False
        theirs = {part.name: part for part in asked.parts}
        for ours in recorded.parts:
            closeness = self.closeness(name, ours.name)
            other = theirs.pop(ours.name, _NOTHING)
            exact = exact or closeness is Closeness.EXACT
            if closeness is not Closeness.ANY and self._meaning(ours) != self._meaning(self._renamed(other)):
                yield _differing(ours.name, ours.shown, other.shown)
        for other in theirs.values():
            if self.closeness(name, other.name) is not Closeness.ANY:
                yield _differing(other.name, "none", other.shown)
        if exact:
            yield Difference("spelling", recorded.shown, asked.shown)

    def _meaning(self, part: Part) -> Hashable:
        return _dateless(part.meaning) if self.any_date else part.meaning

    def _renamed(self, part: Part) -> Part:
        if self.prefix is None:
            return part
        old, new = (text.encode() for text in self.prefix)
        return part._replace(meaning=_with_prefix(part.meaning, old, new))


def varied(recorded: Asked, asked: Asked) -> dict[str, bytes]:
    """What a command that is the `recorded` one says where that varies, by name (with _ for -)."""
    found = recorded.pattern.fullmatch(asked.spelled) if recorded.pattern else None
    return found.groupdict() if found else {}


def parse_rules(texts: Iterable[str]) -> Rules:
    """`COMMAND[.PART]=any|same|exact`, `dates=any`, `prefix=NEW=RECORDED`. Raises RuleError."""
    rules: list[Rule] = []
    any_date, prefix = False, None
    for text in texts:
        name, _, value = text.partition("=")
        new, equals, recorded = value.partition("=")
        if text in {"dates=any", "dates=same"}:
            any_date = value == "any"
        elif name == "prefix" and equals:
            prefix = (new, recorded)
        elif found := _RULE.fullmatch(text):
            rules.append(_rule(found[1].upper(), found[2] or "", Closeness(found[3])))
        else:
            raise RuleError(f"{text!r} is no rule")
    return Rules(tuple(rules), any_date, prefix)


def _rule(command: str, part: str, closeness: Closeness) -> Rule:
    if part and part not in (there := part_names(command)):
        whose = "no command has" if command == "*" else f"{command} does not have"
        raise RuleError(f"{part!r} is a part that {whose}; there is {', '.join(there)}")
    return Rule(command, part, closeness)


def nearest(rules: Rules, asked: Asked, recorded: Iterable[tuple[int, int, Asked]]) -> tuple[Near, ...]:
    """The few recorded commands (session, number, what it asked) that are least unlike; each spelling once.

    Of very many those count that come first.
    """
    alike: dict[bytes, tuple[int, int, Asked]] = {}
    others: dict[str, tuple[int, int, Asked]] = {}
    for place in recorded:
        name, spelled = place[2].name, place[2].spelled
        if name != asked.name:
            others.setdefault(name, place)
        elif spelled not in alike:
            alike[spelled] = place
            if len(alike) == _LOOKED_AT:
                break
    near = [Near(*place, rules.differences(place[2], asked)) for place in (alike or others).values()]
    few = sorted(near, key=lambda each: len(each.differences))[:_READ]
    return tuple(sorted(few, key=lambda each: _distance(each, asked))[:NEAREST])


def _distance(near: Near, asked: Asked) -> tuple[int, float]:
    alike = SequenceMatcher(None, near.recorded.shown, asked.shown, autojunk=False).quick_ratio()
    return (len(near.differences), -alike)


def _differing(part: str, recorded: str, asked: str) -> Difference:
    """Of long texts what is about the place where they part."""
    if max(len(recorded), len(asked)) <= _TEXT_MOST:
        return Difference(part, recorded, asked)
    parting = (at for at, (one, other) in enumerate(zip(recorded, asked, strict=False)) if one != other)
    start = max(0, next(parting, min(len(recorded), len(asked))) - _TEXT_BEFORE)
    return Difference(part, _cut(recorded, start), _cut(asked, start))


def _cut(text: str, start: int) -> str:
    return f"{'…' if start else ''}{text[start : start + _TEXT_MOST]}{'…' if len(text) > start + _TEXT_MOST else ''}"


def _dateless(meaning: Hashable) -> Hashable:
    if isinstance(meaning, Day):
        return Day(None)
    if isinstance(meaning, frozenset):
        return frozenset(map(_dateless, cast("frozenset[Hashable]", meaning)))
    if isinstance(meaning, tuple):
        return tuple(map(_dateless, cast("_Meanings", meaning)))
    return meaning


def _with_prefix(meaning: Hashable, old: bytes, new: bytes) -> Hashable:
    """Within a meaning a mailbox is ("Mailbox", its name)."""
    if not isinstance(meaning, tuple):
        return meaning
    parts = cast("_Meanings", meaning)
    if len(parts) == 2 and parts[0] == "Mailbox" and isinstance(parts[1], bytes) and parts[1].startswith(old):
        return ("Mailbox", new + parts[1].removeprefix(old))
    return tuple(_with_prefix(each, old, new) for each in parts)
