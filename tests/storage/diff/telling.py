"""Dialogues told as scripts of C: and S: lines; literals of bodies lie elsewhere, as in a recording."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING

from blake3 import blake3

from proxy.imap.grammar import cut, parse_command, parse_response, parse_sasl
from proxy.imap.transcript import BODY_MIN, Direction, Exchange, Layer, Span
from proxy.imap.units import Boundary, UnitReader
from proxy.imap.view.dialogues import Dialogues
from proxy.imap.view.values import Said
from tests.proxy.imap.playing import lines, play

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proxy.imap.units import Unit
    from proxy.imap.view.dialogue import Dialogue
    from tests.proxy.imap.playing import Heard


@dataclass(frozen=True)
class Bodies:
    """The literals of a session that was told (`Literals`). What `lost` names, by its first bytes, was not kept."""

    streams: dict[Direction, bytes]
    lost: bytes = b""
    hashed: bool = True

    def content(self, direction: Direction, start: int, size: int) -> Iterator[bytes] | None:
        data = self.streams[direction][start : start + size]
        if self.lost and data.startswith(self.lost):
            return None
        return iter((data[: size // 3], data[size // 3 :]))

    def digest(self, direction: Direction, start: int, size: int) -> str | None:
        data = self.streams[direction][start : start + size]
        if self.lost and data.startswith(self.lost) and not self.hashed:
            return None
        known = f"sha256:{hashlib.sha256(data).hexdigest()}"
        return known if self.lost and data.startswith(self.lost) else f"blake3:{blake3(data).hexdigest()}"

    def sha256(self, direction: Direction, start: int, size: int) -> str | None:
        return hashlib.sha256(self.streams[direction][start : start + size]).hexdigest()


@dataclass(frozen=True)
class Session:
    """All dialogues of a session, and its bodies."""

    dialogues: list[Dialogue]
    bodies: Bodies


@cache
def told(script: str) -> Session:
    """A session by its script. Every line gets its CRLF; characters up to U+00FF are bytes."""
    turns = lines(*script.strip().split("\n"))
    played = play(turns)
    made = Dialogues()
    found: list[Dialogue] = []
    units = sorted(_units(played), key=lambda each: _place(script, each[0], min(each[1].end, each[2].end)))
    begun: set[int] = set()
    for direction, unit, span in units:
        exchanges = {exchange.number: exchange for exchange in played.exchanges}
        exchange = exchanges.get(span.exchange or 0)
        said = Said(
            direction, span.first_at, Layer.PLAIN, exchange, span.certainty, span.open,
            _parsed(unit, direction, exchange, begun),
        )  # fmt: skip
        found += made.feed(unit, said, span.first_at)
    found += made.finish()
    return Session(found, Bodies({direction: played.stream(direction) for direction in Direction}))


def _place(script: str, direction: Direction, end: int) -> tuple[int, Direction]:
    """Which line of the script has that byte of a direction's stream."""
    done = 0
    side = "CS"[direction]
    for number, line in enumerate(script.strip().split("\n")):
        if line[0] == side:
            done += len(line) - 3 + 2
        if line[0] == side and end <= done:
            return number, direction
    return len(script), direction


def _units(played: Heard) -> Iterator[tuple[Direction, Unit, Span]]:
    for direction in Direction:
        stream = played.stream(direction)
        for span in played.spans(direction):
            reader, start, pos = UnitReader(direction), span.start, span.start
            while pos < span.end:
                boundary, pos = reader.read(stream[: span.end], pos)
                if boundary is Boundary.UNIT:
                    reader.take_unit()
                    yield direction, _without_bodies(cut(stream[start:pos], direction, start)), span
                    start = pos
            if start < span.end:  # a literal was announced that never came
                yield direction, cut(stream[start : span.end], direction, start), span


def _without_bodies(unit: Unit) -> Unit:
    literals = tuple(each if each.size < BODY_MIN else replace(each, content=None) for each in unit.literals)
    return unit._replace(literals=literals)


def _parsed(unit: Unit, direction: Direction, exchange: Exchange | None, begun: set[int]):  # type: ignore[no-untyped-def]
    if direction is Direction.SERVER:
        return parse_response(unit)
    if exchange is not None and exchange.number in begun and exchange.command == "AUTHENTICATE":
        return parse_sasl(unit)
    begun.add(exchange.number if exchange else 0)
    return parse_command(unit)


@dataclass
class Pairs:
    """A mapping that knows exactly what it is told (`Mapped`)."""

    uids: dict[str, dict[int, int]] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    validities: dict[str, int] = field(default_factory=dict)
    objects: dict[str, str] = field(default_factory=dict)

    def name(self, recorded: str) -> str | None:
        return self.names.get(recorded)

    def uid(self, mailbox: str, uid: int) -> int | None:
        return self.uids.get(mailbox, {}).get(uid)

    def recorded_uid(self, mailbox: str, uid: int) -> int | None:
        return {right: left for left, right in self.uids.get(mailbox, {}).items()}.get(uid)

    def uidvalidity(self, mailbox: str, _uidvalidity: int) -> int | None:
        return self.validities.get(mailbox)

    def object_id(self, _kind: str, recorded: str) -> str | None:
        return self.objects.get(recorded)

    def recorded_object_id(self, _kind: str, replayed: str) -> str | None:
        return {right: left for left, right in self.objects.items()}.get(replayed)
