"""Scripts of C: and S: lines as dialogues, of a recorded server and of one that it is replayed to.

A line `C: a SELECT INBOX` with what follows is a step. Nobody logs in: the greeting is PREAUTH.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from proxy.imap.grammar import cut, parse_command, parse_response, parse_sasl
from proxy.imap.mapping import Mapping
from proxy.imap.transcript import BODY_MIN, Direction, Layer
from proxy.imap.units import Unit
from proxy.imap.view.dialogues import Dialogues
from proxy.imap.view.values import Said
from tests.proxy.imap.playing import Said as Turn
from tests.proxy.imap.playing import cut_spans, lines, play, turns

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from proxy.imap.grammar import Command, Done, Parsed, Response, SaslLine
    from proxy.imap.transcript import Exchange
    from proxy.imap.view.dialogue import Dialogue
    from tests.proxy.imap.playing import Heard
    from tests.proxy.imap.scripts import Script

GREETING = "S: * PREAUTH hi"


def told(script: str, session: int = 1, greeting: str = GREETING) -> list[Dialogue]:
    """The dialogues of a script; spaces before its lines are of no meaning."""
    texts = [line.lstrip(" ") for line in script.split("\n") if line.strip()]
    said = [turn for turn in turns(lines(greeting, *texts)) if isinstance(turn, Turn)]
    return _dialogues(play(said), ((turn.direction, len(turn.data)) for turn in said), session)


def of_script(script: Script) -> list[Dialogue]:
    """The dialogues of a file of tests/scripts."""
    steps = ((step.turn.direction, len(step.clear)) for step in script.steps)
    return _dialogues(play(script.turns, ending=script.ending), steps, 1)


def _dialogues(played: Heard, steps: Iterable[tuple[Direction, int]], session: int) -> list[Dialogue]:
    """What was said, by who said how many bytes in which order."""
    exchanges = {each.number: each._replace(session=session) for each in played.exchanges}
    units = {direction: _Units(played, direction, exchanges) for direction in Direction}
    heard = dict.fromkeys(Direction, 0)
    made = Dialogues()
    found: list[Dialogue] = []
    for at, (direction, length) in enumerate(steps):
        heard[direction] += length
        for unit, each in units[direction].until(heard[direction], at):
            secret = any(
                event.direction is direction and event.offset is not None and unit.start <= event.offset < unit.end
                for event in played.secrets
            )
            found += made.feed(unit, each, at, secret=secret and direction is Direction.CLIENT)
    return [*found, *made.finish()]


def learnt(
    recorded: str, replayed: str, mapping: Mapping | None = None, *, session: int = 1, again: int = 1
) -> Mapping:
    """A mapping that has seen both scripts, step by step; `again` is the number of the session that replays."""
    mapping = mapping or Mapping()
    for ours, theirs in zip(told(recorded, session), told(replayed, again), strict=True):
        mapping.learn(ours, theirs)
    return mapping


class _Units:
    """The units of one direction of what was played, bodies away."""

    def __init__(self, played: Heard, direction: Direction, exchanges: dict[int, Exchange]) -> None:
        self._direction, self._stream, self._exchanges = direction, played.stream(direction), exchanges
        self._begun: set[int] = set()
        self._units = sorted(cut_spans(self._stream, direction, played.spans(direction)), key=lambda each: each[0])

    def until(self, offset: int, at: int) -> Iterator[tuple[Unit, Said]]:
        while self._units and self._units[0][1] <= offset:
            start, end, span = self._units.pop(0)
            exchange = self._exchanges.get(span.exchange or 0)
            unit = _away(cut(self._stream[start:end], self._direction, start))
            parsed = self._parsed(unit, exchange)
            yield unit, Said(self._direction, at, Layer.PLAIN, exchange, span.certainty, span.open, parsed)

    def _parsed(
        self, unit: Unit, exchange: Exchange | None
    ) -> Parsed[Response] | Parsed[Command | Done] | Parsed[SaslLine]:
        if self._direction is Direction.SERVER:
            return parse_response(unit)
        if exchange is not None and exchange.number in self._begun and exchange.command == "AUTHENTICATE":
            return parse_sasl(unit)
        self._begun.add(exchange.number if exchange else 0)
        return parse_command(unit)


def _away(unit: Unit) -> Unit:
    literals = tuple(replace(each, content=None) if each.size >= BODY_MIN else each for each in unit.literals)
    return unit._replace(literals=literals)
