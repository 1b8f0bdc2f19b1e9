"""What was said, as rules look at it: a unit with its circumstances, and what the grammar makes of it."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from proxy.imap.commands import CommandHead, read_head
from proxy.imap.grammar import (
    Command,
    Done,
    Parsed,
    Response,
    SaslLine,
    Tagged,
    Untagged,
    parse_command,
    parse_response,
    parse_sasl,
)
from proxy.imap.grammar.status import Status
from proxy.imap.lint.rules import Finding, Rule
from proxy.imap.responses import ResponseHead, read_response
from proxy.imap.transcript import Certainty, Direction, Layer

if TYPE_CHECKING:
    from proxy.imap.grammar.commands import Body
    from proxy.imap.transcript import Exchange
    from proxy.imap.units import Unit

EXCERPT_MOST = 80
"""Bytes of what was said that a finding quotes."""


@dataclass(frozen=True, slots=True)
class Said:
    """A unit, whole, at its place in the session.

    `at` and `ended` are when its first and its last byte came; `literals_at`, when the first byte of each of its
    literals did (None for an empty one). `exchange` is as it stands at the end of the recording. `masked` are ranges
    of offsets that hide secrets; `rewritten` is the capability list that was sent on in place of the one in here.
    """

    direction: Direction
    unit: Unit
    at: int
    ended: int
    layer: Layer = Layer.PLAIN
    exchange: Exchange | None = None
    certainty: Certainty = Certainty.SURE
    literals_at: tuple[int | None, ...] = ()
    masked: tuple[tuple[int, int], ...] = ()
    rewritten: bytes | None = None

    @property
    def whole(self) -> bool:
        """Whether all of the unit's text is here: of very long ones only the start is kept."""
        unit = self.unit
        size = sum(map(len, unit.texts)) + sum(literal.size for literal in unit.literals)
        return size == unit.end - unit.start and len(unit.texts) == len(unit.literals) + 1

    @property
    def line(self) -> bytes:
        """The first line, without its line end."""
        return self.unit.texts[0].rstrip(b"\r\n")

    def hidden(self, start: int, end: int) -> bool:
        """Whether any byte from offset `start` up to `end` is masked."""
        return any(first < end and start < last for first, last in self.masked)

    def excerpt(self, start: int) -> bytes:
        """Text from offset `start` on, up to its line end, or just that; a literal's content as far as it is kept."""
        position = self.unit.start
        for number, text in enumerate(self.unit.texts):
            if start < position + len(text):
                rest = text[max(0, start - position) :]
                return (rest.rstrip(b"\r\n") or rest)[:EXCERPT_MOST]
            position += len(text)
            if number < len(self.unit.literals):
                literal = self.unit.literals[number]
                if start < position + literal.size:
                    return (literal.content or b"")[start - position :][:EXCERPT_MOST]
                position += literal.size
        return b""

    def found(self, rule: Rule, start: int | None = None, detail: str = "") -> Finding:
        """`rule` was broken here: at offset `start` of the stream, else by the whole unit."""
        where = self.unit.start if start is None else start
        number = self.exchange.number if self.exchange else None
        return Finding(rule, self.direction, number, self.at, where, self.excerpt(where), detail)


class Kind(enum.Enum):
    """What a client's unit is."""

    COMMAND = enum.auto()
    SASL = enum.auto()
    DONE = enum.auto()
    BLANK = enum.auto()


@dataclass(frozen=True, slots=True)
class FromClient:
    """A client's unit. `body` is None where it is no command, or could not be read."""

    said: Said
    kind: Kind
    head: CommandHead
    parsed: Parsed[Command | Done] | Parsed[SaslLine] | None

    @property
    def body(self) -> Body | None:
        """The command behind its tag."""
        value = self.parsed.understood if self.parsed else None
        return value.body if isinstance(value, Command) else None

    @property
    def name(self) -> str:
        """The command's name in capitals, as "UID FETCH"; empty where this is none."""
        return self.head.name if self.kind is Kind.COMMAND else ""


@dataclass(frozen=True, slots=True)
class FromServer:
    """A server's unit. `value` is None where it could not be read."""

    said: Said
    head: ResponseHead
    parsed: Parsed[Response]

    @property
    def value(self) -> Response | None:
        """What the grammar made of it."""
        return self.parsed.understood


Heard: TypeAlias = FromClient | FromServer


def hear_client(said: Said, kind: Kind) -> FromClient:
    """Read a client's unit of that kind."""
    head = read_head(said.unit.texts[0])
    if kind is Kind.SASL:
        return FromClient(said, kind, head, parse_sasl(said.unit))
    return FromClient(said, kind, head, parse_command(said.unit) if kind is Kind.COMMAND else None)


def hear_server(said: Said) -> FromServer:
    """Read a server's unit."""
    return FromServer(said, read_response(said.unit.texts[0]), parse_response(said.unit))


def status_of(value: Response | None) -> Status | None:
    """The status that a server's unit is, tagged or not."""
    found = value.status if isinstance(value, Tagged) else value.data if isinstance(value, Untagged) else None
    return found if isinstance(found, Status) else None
