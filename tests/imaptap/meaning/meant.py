"""Sessions told as lines, and what their exchanges mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imaptap.meaning.exchange import Gathered
from proxy.imap.transcript import Layer
from proxy.imap.view.session import SessionView
from tests.proxy.imap.playing import play
from tests.proxy.imap.scripts import read
from tests.proxy.imap.view.seeing import Units

if TYPE_CHECKING:
    from imaptap.meaning.values import Meaning

HELLO = "S: * PREAUTH hello\n"


def meanings(text: str, *, deep: bool = False) -> dict[int, Meaning]:
    """Exchange number -> meaning, for a session in the language of tests/scripts."""
    script = read("told.imap", HELLO + text.strip("\n"))
    played = play(script.turns)
    units = {side: Units(played, side) for side in (step.turn.direction for step in script.steps)}
    view = SessionView()
    gathered: dict[int, Gathered] = {}
    for at, step in enumerate(script.steps):
        for said in units[step.turn.direction].until(step.offset + len(step.clear), at, Layer.PLAIN):
            heard = view.feed(said)
            if heard.exchange is None:
                continue
            if heard.exchange not in gathered:
                exchange = next(x for x in played.exchanges if x.number == heard.exchange)
                gathered[heard.exchange] = Gathered(exchange, deep=deep)
            gathered[heard.exchange].add(said, heard, view)
    return {number: each.meaning() for number, each in gathered.items()}


def meaning(text: str, *, deep: bool = False) -> Meaning:
    """Of the last exchange."""
    found = meanings(text, deep=deep)
    return found[max(found)]
