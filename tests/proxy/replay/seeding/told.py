"""Dialogues of sessions that are told as scripts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.imap.grammar import cut, parse_response
from proxy.imap.transcript import BODY_MIN, Direction
from proxy.imap.units import Unit
from proxy.imap.view.dialogues import Dialogues
from tests.proxy.imap.playing import Said, Turn, play
from tests.proxy.imap.view.seeing import Units

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from proxy.imap.view.dialogue import Dialogue
    from tests.proxy.imap.scripts import Script


def told(script: str, session: int = 1) -> list[Dialogue]:
    """`C: a NOOP`, `S: a OK`: one line each, CRLF added. `«n|text»` is a literal of n bytes: see `filled`."""
    turns = list(_turns(script))
    heard = dict.fromkeys(Direction, 0)
    ends: list[tuple[Said, int]] = []
    for turn in turns:
        heard[turn.direction] += len(turn.data)
        ends.append((turn, heard[turn.direction]))
    return _dialogues(turns, ends, session)


def of_script(script: Script) -> list[Dialogue]:
    """The dialogues of one of tests/scripts/."""
    ends = [(step.turn, step.offset + len(step.clear)) for step in script.steps]
    return _dialogues(script.turns, ends, 1)


def _dialogues(turns: Iterable[Turn], ends: Iterable[tuple[Said, int]], session: int) -> list[Dialogue]:
    """What was said, and up to where its side had come by then."""
    played = play(turns)
    units = {direction: Units(played, direction) for direction in Direction}
    streams = {direction: played.stream(direction) for direction in Direction}
    begun = dict.fromkeys(Direction, 0)
    made = Dialogues()
    found: list[Dialogue] = []
    for at, (turn, end) in enumerate(ends):
        side = turn.direction
        for said in units[side].until(end, at, turn.layer):
            unit = _stored(streams[side], side, begun[side])
            begun[side] = unit.end
            exchange = said.exchange and said.exchange._replace(session=session)
            parsed = parse_response(unit) if side is Direction.SERVER else said.parsed
            found += made.feed(unit, said._replace(exchange=exchange, parsed=parsed), at)
    return [*found, *made.finish()]


def filled(size: int, text: str) -> bytes:
    """The content of a literal: `text` over and over, `¶` a line end, to so many bytes."""
    data = text.replace("¶", "\r\n").encode("latin-1")
    return (data * (size // len(data) + 1))[:size] if data else b""


def _stored(stream: bytes, direction: Direction, start: int) -> Unit:
    """The unit that begins there, as a recording gives it: large literals lie elsewhere."""
    whole = cut(stream[start:], direction, start)
    literals = tuple(
        type(each)(each.start, each.size, each.synchronising, each.binary, None) if each.size >= BODY_MIN else each
        for each in whole.literals
    )
    end = start + sum(map(len, whole.texts)) + sum(each.size for each in literals)
    return Unit(start, end, whole.texts, literals, ())


def _turns(script: str) -> Iterator[Said]:
    sides = {"C: ": Direction.CLIENT, "S: ": Direction.SERVER}
    for line in script.strip("\n").split("\n"):
        data = b""
        for place, part in enumerate(line[3:].replace("»", "«").split("«")):
            if place % 2:
                size, _, text = part.partition("|")
                data += b"{%d}\r\n" % int(size) + filled(int(size), text)
            else:
                data += part.encode("latin-1")
        yield Said(sides[line[:3]], data + b"\r\n")
