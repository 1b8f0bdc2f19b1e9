"""Sessions told as lines, and what their exchanges mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imaptap.meaning.exchange import Gathered
from proxy.imap.transcript import Direction, Layer
from proxy.imap.view.session import SessionView
from tests.proxy.imap.playing import Said, play
from tests.proxy.imap.scripts import read
from tests.proxy.imap.view.seeing import Units

if TYPE_CHECKING:
    from collections.abc import Iterable

    from imaptap.meaning.values import Meaning
    from tests.proxy.imap.playing import Turn

HELLO = "S: * PREAUTH hello\n"


def meanings(text: str, *, deep: bool = False) -> dict[int, Meaning]:
    """Exchange number -> meaning, for a session in the language of tests/scripts."""
    return gather(read("told.imap", HELLO + text.strip("\n")).turns, deep=deep)


def gather(turns: Iterable[Turn], *, deep: bool = True) -> dict[int, Meaning]:
    """The same, for turns of which each is one chunk."""
    turns = list(turns)
    played = play(turns)
    units = {direction: Units(played, direction) for direction in Direction}
    ends = dict.fromkeys(Direction, 0)
    view = SessionView()
    gathered: dict[int, Gathered] = {}
    for at, turn in enumerate(turns):
        if not isinstance(turn, Said):
            continue
        ends[turn.direction] += len(turn.data)
        for said in units[turn.direction].until(ends[turn.direction], at, Layer.PLAIN):
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


def printable(meaning: Meaning) -> bool:
    """Whether all of it stays on its line."""
    return all(line.isprintable() for line in (meaning.summary, *meaning.details, *meaning.quirks))
