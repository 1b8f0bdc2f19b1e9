"""Rules as data, and what a rule finds."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from proxy.imap.transcript import Direction


class Severity(enum.IntEnum):
    """How bad it is. ERROR: the grammar or a MUST is broken. WARNING: a SHOULD. NOTE: allowed, but worth to know."""

    NOTE = 0
    WARNING = 1
    ERROR = 2

    @property
    def word(self) -> str:
        """note, warning or error."""
        return self.name.lower()


NOTE, WARNING, ERROR = Severity


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing that must not be. `side` is who can break it, None where both can.

    `id` is a readable word for the command line; `family` the group it stands in; `source` names the RFC and its
    section; `text` is one sentence for people.
    """

    id: str
    family: str
    side: Direction | None
    severity: Severity
    source: str
    text: str


class Family:
    """Rules about one subject, in the order of their table."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.rules: list[Rule] = []

    def rule(self, name: str, side: Direction | None, severity: Severity, source: str, text: str) -> Rule:
        """A new rule; `source` without the word RFC: "9051 2.2.1" is RFC 9051 section 2.2.1."""
        number, _, section = source.partition(" ")
        where = f"RFC {number} {section}" if section.startswith("appendix") else f"RFC {number} section {section}"
        made = Rule(name, self.name, side, severity, where if section else f"RFC {number}", text)
        self.rules.append(made)
        return made


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule that was broken, by `side`, at `offset` of its stream.

    `exchange` is the number of the exchange it happened in, None outside of any. `excerpt` is at most EXCERPT_MOST
    bytes of what was said there, as recorded (secrets are masked), without its line end. `detail` says more than the
    rule does, in ASCII without control characters: it may quote words of a peer through `readable` only.
    """

    rule: Rule
    side: Direction
    exchange: int | None
    at: int
    offset: int
    excerpt: bytes
    detail: str = ""
