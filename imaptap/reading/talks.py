"""Recorded sessions as talks: what a portrait is made of."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from imaptap.reading.script import Script
from imaptap.reading.values import Line, Run
from proxy.imap.grammar import cut
from proxy.imap.grammar.sets import SequenceSet
from proxy.imap.portrait import Step, Talk, Told
from proxy.imap.transcript import Certainty, Direction, Ending, EventKind, Exchange, Origin, readable
from proxy.imap.units import Literal, Unit

if TYPE_CHECKING:
    from collections.abc import Iterable

    from proxy.imap.transcript import Event
    from storage import Session, Store

_COUNT = re.compile(rb"\* +(\d{1,10}) +(EXISTS|EXPUNGE) *", re.IGNORECASE)
_VANISHED = re.compile(rb"\* +VANISHED +([0-9:,]+) *", re.IGNORECASE)
_CAPABILITY = re.compile(
    rb"\* +CAPABILITY +([^\]]*)|[^ ]+ +(?:OK|PREAUTH|NO|BAD) +\[CAPABILITY +([^\]]*)\].*", re.IGNORECASE
)
_ANNOUNCED = re.compile(rb"(~?)\{(\d{1,20})([+-]?)\}\Z")
_DONE = re.compile(rb" *DONE *", re.IGNORECASE)
_TLS = {"imaps": "TLS from the first byte", "imap": "STARTTLS", "imap+insecure": "no TLS"}


def talk(store: Store, session: Session) -> Talk:
    """One session. Its literals are not read, so it takes memory for its commands only."""
    draft = _Draft()
    for entry in Script(store, session).whole():
        if isinstance(entry, Exchange):
            draft.begin(entry)
        elif isinstance(entry, Line):
            draft.hear(entry)
    draft.finish()
    rewrites = [event for event in store.events(session, EventKind.REWRITE) if event.name == "capability"]
    withheld = _words(rewrites, sent=False) - _words(rewrites, sent=True)
    offered = draft.offered - withheld | _words(rewrites, sent=True)
    closed = None if session.at_end is None else session.wall + session.at_end
    return Talk(
        session.wall, closed, _secured(session, draft.steps), offered, withheld, tuple(draft.steps),
        session.ending is Ending.CLIENT,
    )  # fmt: skip


def _secured(session: Session, steps: list[Step]) -> str:
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
class _Draft:
    """A talk that is being put together."""

    offered: frozenset[str] = frozenset()
    steps: list[Step] = field(default_factory=list[Step])
    exchange: Exchange | None = None
    lines: list[Line] = field(default_factory=list[Line])
    told: list[Told] = field(default_factory=list[Told])

    def begin(self, exchange: Exchange) -> None:
        """A command, whose lines follow."""
        self.finish()
        # What imaptap itself has asked tells nothing of the client.
        self.exchange = None if exchange.origin is Origin.PROXY else exchange

    def hear(self, line: Line) -> None:
        """A line of either side."""
        if line.direction is Direction.SERVER:
            self._hear_server(_start(line))
        elif line.certainty is not Certainty.UNSOLICITED and self.exchange is not None:
            self.lines.append(line)

    def finish(self) -> None:
        """The end of what belongs to the last command."""
        exchange, self.exchange = self.exchange, None
        lines, self.lines = self.lines, []
        told, self.told = tuple(self.told), []
        if exchange is None:
            return
        # A command that is still open has no spans yet; what is known of it stands in the exchange.
        command = unit(lines) if lines else _known(exchange)
        done = next((line.at for line in lines[1:] if _DONE.fullmatch(_start(line))), None)
        self.steps.append(
            Step(exchange.command, command, exchange.started, exchange.ended, exchange.status, done, told)
        )

    def _hear_server(self, text: bytes) -> None:
        if match := _COUNT.fullmatch(text):
            self.told.append(Told(match[2].decode().upper(), int(match[1])))
        elif match := _VANISHED.fullmatch(text):
            gone = SequenceSet(match[1]).ranges
            self.told.append(Told("VANISHED", sum(abs((last or 0) - (first or 0)) + 1 for first, last in gone)))
        elif match := _CAPABILITY.fullmatch(text):
            self.offered |= frozenset(_capabilities(match[1] or match[2] or b""))


def _known(exchange: Exchange) -> Unit:
    words = (exchange.tag, exchange.command, exchange.arguments)
    return cut(" ".join(filter(None, words)).encode() + b"\r\n", Direction.CLIENT)


def unit(lines: list[Line]) -> Unit:
    """The unit at the beginning of a command's lines; literals that are not in them are without content."""
    texts: list[bytes] = []
    literals: list[Literal] = []
    for line in lines:
        content, text = _split(line, literals[-1].size if literals else 0)
        if literals:
            literals[-1] = Literal(*_head(literals[-1]), content)
        announced = _ANNOUNCED.search(text)
        texts.append(text + b"\r\n")
        if announced is None:
            break
        size = int(announced[2])
        literals.append(Literal(0, size, not announced[3], bool(announced[1])))
    if len(texts) == len(literals):  # the literal never came
        texts.append(b"")
    end = sum(map(len, texts)) + sum(literal.size for literal in literals)
    return Unit(0, end, tuple(texts), tuple(literals), ())


def _head(literal: Literal) -> tuple[int, int, bool, bool]:
    return literal.start, literal.size, literal.synchronising, literal.binary


def _split(line: Line, size: int) -> tuple[bytes | None, bytes]:
    """What a line has of the literal before it, of `size` bytes, and its text behind that."""
    runs = b"".join(part.data for part in line.parts if isinstance(part, Run))
    if isinstance(line.parts[0], Run):
        return runs[:size], runs[size:]
    return None, runs


def _start(line: Line) -> bytes:
    """The text a line begins with; nothing where it begins with a literal."""
    first = line.parts[0]
    return first.data if isinstance(first, Run) and len(line.parts) == 1 else b""
