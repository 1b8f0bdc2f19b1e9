"""Recorded sessions as talks: what a portrait is made of."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from imaptap.reading.units import session_units
from proxy.imap.grammar import cut
from proxy.imap.grammar.sets import SequenceSet
from proxy.imap.portrait import NOTHING, Step, Talk, Told
from proxy.imap.transcript import Direction, Ending, EventKind, Origin, readable
from proxy.imap.units import Literal, Unit

if TYPE_CHECKING:
    from collections.abc import Iterable

    from imaptap.reading.units import Whole
    from proxy.imap.cutter import CutUnit
    from proxy.imap.transcript import Event, Exchange
    from storage import Session, Store

_COUNT = re.compile(rb"\* +(\d{1,10}) +(EXISTS|EXPUNGE) *", re.IGNORECASE)
_VANISHED = re.compile(rb"\* +VANISHED +([0-9:,]+) *", re.IGNORECASE)
_CAPABILITY = re.compile(
    rb"\* +CAPABILITY +([^\]]*)|[^ ]+ +(?:OK|PREAUTH|NO|BAD) +\[CAPABILITY +([^\]]*)\].*", re.IGNORECASE
)
_OFFERED_MOST = 1000
_DONE = re.compile(rb" *DONE *", re.IGNORECASE)
_TLS = {"imaps": "TLS from the first byte", "imap": "STARTTLS", "imap+insecure": "no TLS"}


def talk(store: Store, session: Session, most: int) -> Talk:
    """One session, up to `most` commands. Its large literals are not read, so it takes memory for its commands only."""
    coming = (stored.exchange for stored in store.exchanges(session))
    draft = _Draft(itertools.islice(coming, most))
    behind = next(coming, None)
    for whole in session_units(store, session):
        if behind and (whole.span.exchange or 0) >= behind.number:
            break
        if whole.span.direction is Direction.SERVER:
            draft.hear_server(whole)
        elif (command := draft.commands.get(whole.span.exchange or 0)) is not None:
            command.hear(whole.cut)
            draft.last = command
    steps = tuple(command.step() for command in draft.commands.values())
    rewrites = [event for event in store.events(session, EventKind.REWRITE) if event.name == "capability"]
    withheld = _words(rewrites, sent=False) - _words(rewrites, sent=True)
    offered = frozenset(draft.offered) - withheld | _words(rewrites, sent=True)
    closed = None if session.at_end is None or behind else session.wall + session.at_end
    return Talk(
        session.wall,
        closed,
        _secured(session, steps),
        offered,
        withheld,
        steps,
        session.ending is Ending.CLIENT,
        behind is None,
    )


def _secured(session: Session, steps: Iterable[Step]) -> str:
    """How the client's side was secured: what its listener speaks, and whether STARTTLS was said there."""
    scheme = session.listen.partition(":")[0]
    if scheme == "imap" and not any(step.name == "STARTTLS" and step.status == "OK" for step in steps):
        return "no TLS"
    return _TLS.get(scheme, scheme)


def _words(rewrites: Iterable[Event], *, sent: bool) -> frozenset[str]:
    lists = (event.sent if sent else event.received for event in rewrites)
    return frozenset(word for data in lists for word in _capabilities(data or b""))


def _capabilities(data: bytes) -> list[str]:
    return [readable(word.upper()) for word in data.strip(b"[] ").split() if word.upper() != b"CAPABILITY"]


@dataclass
class _Command:
    """A command and what followed it."""

    exchange: Exchange
    unit: Unit | None = None
    done: int | None = None
    told: Told = NOTHING

    def hear(self, cut: CutUnit) -> None:
        """What the client says: the command itself, a line of SASL, DONE."""
        if self.unit is None:
            self.unit = _as_announced(cut)
        elif self.done is None and _DONE.fullmatch(cut.unit.texts[0].rstrip(b"\r\n")):
            self.done = cut.at

    def step(self) -> Step:
        """All of it. Where bytes were lost, what is known of the command stands in its exchange."""
        exchange = self.exchange
        unit = self.unit or _known(exchange)
        return Step(exchange.command, unit, exchange.started, exchange.ended, exchange.status, self.done, self.told)


class _Draft:
    """A talk that is being put together."""

    def __init__(self, exchanges: Iterable[Exchange]) -> None:
        # What imaptap itself has asked tells nothing of the client.
        self.commands = {each.number: _Command(each) for each in exchanges if each.origin is not Origin.PROXY}
        self.offered: set[str] = set()
        self.last: _Command | None = None
        """The command that the client has said last."""

    def hear_server(self, whole: Whole) -> None:
        """What the server says of messages belongs to its command; where there is none, to the last one."""
        unit, number = whole.cut.unit, whole.span.exchange
        if unit.literals:
            return
        text = unit.texts[0].rstrip(b"\r\n")
        if match := _CAPABILITY.fullmatch(text):
            self._offer(_capabilities(match[1] or match[2] or b""))
        elif command := self.commands.get(number) if number else self.last:
            command.told = _and_told(command.told, text)

    def _offer(self, words: Iterable[str]) -> None:
        """A server has a hundred words at most; of one that makes up others in every line, those are kept that fit."""
        self.offered.update(itertools.islice(words, _OFFERED_MOST - len(self.offered)))


def _and_told(told: Told, text: bytes) -> Told:
    """With what a line says of the number of messages, if it does."""
    if match := _COUNT.fullmatch(text):
        return told.exist(int(match[1])) if match[2].upper() == b"EXISTS" else told.go(1)
    if match := _VANISHED.fullmatch(text):
        gone = SequenceSet(match[1]).ranges
        return told.go(sum(abs((last or 0) - (first or 0)) + 1 for first, last in gone))
    return told


def _known(exchange: Exchange) -> Unit:
    words = (exchange.tag, exchange.command, exchange.arguments)
    return cut(" ".join(filter(None, words)).encode() + b"\r\n", Direction.CLIENT)


def _as_announced(cut: CutUnit) -> Unit:
    """The unit as it would be if the literal that it announces last had come."""
    unit, due = cut.unit, cut.due
    if due is None:
        return unit
    end = sum(map(len, unit.texts)) + sum(literal.size for literal in unit.literals) + due.size
    absent = Literal(due.start, due.size, due.synchronising, due.binary)
    return Unit(unit.start, unit.start + end, (*unit.texts, b""), (*unit.literals, absent), unit.flaws)
