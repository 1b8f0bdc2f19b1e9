"""Talks told as scripts, without a conversation or a store: `C:` and `S:` lines, a millisecond each."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from proxy.imap.grammar import cut
from proxy.imap.portrait import Block, Situation, Step, Talk, Told, portray
from proxy.imap.transcript import Direction

if TYPE_CHECKING:
    from proxy.imap.portrait import Portrait, Traits

STEP = 1000
_COUNT = re.compile(r"\* (\d+) (EXISTS|EXPUNGE)")
_VANISHED = re.compile(r"\* VANISHED (\d+)$")


def talk(
    script: str,
    *,
    offered: str = "",
    withheld: str = "",
    tls: str = "TLS from the first byte",
    opened: int = 0,
    closed: int | None = 10**9,
    by_client: bool = True,
) -> Talk:
    """A session. `C: a FETCH …` begins a command, `S: a OK` ends it; `\\r\\n` within a line makes literals; `C: DONE`
    ends IDLE; `wait N` lets N seconds go by.
    """
    steps: dict[str, Step] = {}
    at = 0
    for line in script.strip("\n").split("\n"):
        at += STEP
        side, _, said = line.strip().partition(" ")
        tag, _, rest = said.partition(" ")
        last = next(reversed(steps), None)
        if side == "wait":
            at += int(said) * 1_000_000
        elif side == "C:" and said == "DONE" and last is not None:
            steps[last] = _with(steps[last], done=at)
        elif side == "C:":
            data = said.encode("latin-1").replace(rb"\r\n", b"\r\n") + b"\r\n"
            words = rest.upper().split()
            name = " ".join(words[:2]) if words[0] == "UID" else words[0]
            assert tag not in steps, f"the tag {tag} twice"
            steps[tag] = Step(name, cut(data, Direction.CLIENT), at, None, None)
        elif tag in steps:
            steps[tag] = _with(steps[tag], ended=at, status=rest.split()[0])
        elif last is not None:
            steps[last] = _with(steps[last], told=_and_told(steps[last].told, said))
    before, after = frozenset(offered.upper().split()), frozenset(withheld.upper().split())
    return Talk(opened, closed, tls, before, after, tuple(steps.values()), by_client)


def portrait(script: str, *, offered: str = "") -> Portrait:
    """The portrait made of one session."""
    return portray([talk(script, offered=offered)])


def traits(told: Portrait, situation: Situation) -> Traits:
    """What a portrait has of a situation."""
    return next(each for each in told.traits if each.situation is situation)


def facts(told: Portrait, situation: Situation) -> list[str]:
    """Its sentences."""
    return [fact.text for fact in traits(told, situation).facts]


def ways(told: Portrait, situation: Situation) -> list[str]:
    """Its ways, each on one line."""
    return ["; ".join(map(_block, way.blocks)) for way in traits(told, situation).ways]


def _block(block: Block) -> str:
    times = f" x {block.least}-{block.most}" if block.most > 1 else ""
    return ", ".join(block.forms) + times + (" pipelined" if block.pipelined else "")


def _with(step: Step, **changes: object) -> Step:
    values = {name: getattr(step, name) for name in ("name", "unit", "started", "ended", "status", "done", "told")}
    return Step(**{**values, **changes})


def _and_told(told: Told, said: str) -> Told:
    if match := _COUNT.fullmatch(said):
        return told.exist(int(match[1])) if match[2] == "EXISTS" else told.go(1)
    return told.go(1) if _VANISHED.fullmatch(said) else told
