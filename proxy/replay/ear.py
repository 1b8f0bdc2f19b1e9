"""What is heard while a session is replayed, as dialogues: each unit with its exchange, as it goes on record."""

from __future__ import annotations

from collections import OrderedDict, deque
from typing import TYPE_CHECKING

from blake3 import blake3

from proxy.imap.grammar import Tagged
from proxy.imap.transcript import Certainty, Direction, Exchange, Origin, Outcome, Piece, Span, readable
from proxy.imap.view.dialogues import Dialogues
from proxy.imap.view.values import Said

if TYPE_CHECKING:
    from collections.abc import Callable

    from proxy.imap.grammar import Command, Done, Parsed, Response, SaslLine
    from proxy.imap.transcript import Layer, LiteralPart, Record
    from proxy.imap.units import Unit
    from proxy.imap.view.dialogue import Before, Dialogue
    from proxy.live.sink import Sink

    _Asked = tuple[Unit, int, Layer, Parsed[Command | Done] | Parsed[SaslLine], int]
    _Answered = tuple[Unit, int, Layer, Parsed[Response]]

ANSWERS_MOST = 200_000
"""Answers to one command from which anything is learned: a server may send them without end (some 700 B each)."""
_DIGESTS_KEPT = 10_000
_OVER_KEPT = 1000


class Ear:
    """A sink that passes all records on, and takes from them whose the units are that it is told of."""

    def __init__(self, sink: Sink, *, learning: bool = True) -> None:
        """Where nobody is `learning` from them, only the last answer to a command is kept."""
        answers_most = ANSWERS_MOST if learning else 0
        self.over: Callable[[Dialogue], None] | None = None
        """Called with each dialogue that has ended, in the order of exchange numbers."""
        self._sink, self._answers_most = sink, answers_most
        self._dialogues = Dialogues(answers_most)
        self._units: deque[_Asked | _Answered] = deque()
        """What was said and is not part of a dialogue yet, in the order in which it was."""
        self._spans: deque[Span] = deque()
        self._exchanges: dict[int, Exchange] = {}
        self.literals = Digests()
        """Of the large literals that were heard last."""
        self._over: OrderedDict[int, Exchange] = OrderedDict()
        """Those that have ended last."""
        self.newest = 0
        """The largest number of an exchange that the recorder has told of."""

    def put(self, *records: Record) -> None:
        """Take records."""
        self._sink.put(*records)
        for record in records:
            if type(record) is Exchange:
                self._exchanges[record.number] = record
                self.newest = max(self.newest, record.number)
            elif type(record) is Span and record.direction is Direction.SERVER:
                self._spans.append(record)
            elif type(record) is Piece and record.literal is not None:
                self.literals.take(record, record.literal)

    @property
    def full(self) -> bool:
        """Whether the recorder is behind."""
        return self._sink.full

    @property
    def crammed(self) -> bool:
        """Whether it is far behind."""
        return self._sink.crammed

    def when_drained(self, callback: Callable[[], None]) -> None:
        """Call back when it has caught up."""
        self._sink.when_drained(callback)

    @property
    def before(self) -> Before:
        """What the session is now."""
        return self._dialogues.view.before()

    def exchange(self, number: int) -> Exchange | None:
        """What the recorder told last of this exchange, if it is not long over."""
        return self._exchanges.get(number) or self._over.get(number)

    def asked(
        self, unit: Unit, at: int, layer: Layer, parsed: Parsed[Command | Done] | Parsed[SaslLine], number: int
    ) -> None:
        """We have said this, in the exchange with this number."""
        self._units.append((unit, at, layer, parsed, number))

    def answered(self, unit: Unit, at: int, layer: Layer, parsed: Parsed[Response]) -> None:
        """The server has said this."""
        # Whose it is may be known no sooner than all of it has come.
        if len(self._units) < self._answers_most or isinstance(parsed.understood, Tagged):
            self._units.append((unit, at, layer, parsed))

    def settle(self, *, idle: bool) -> None:
        """Everything that was said is with the recorder: make dialogues of it. `idle`: no exchange is open."""
        while self._units:
            entry = self._units[0]
            if len(entry) == 5:
                self._ask(*entry)
            elif not self._answer(*entry, idle=idle):
                return
            self._units.popleft()

    def finish(self) -> None:
        """The session is over: what is left."""
        self.settle(idle=True)
        for dialogue in self._dialogues.finish():
            self._give(dialogue)

    def _ask(
        self, unit: Unit, at: int, layer: Layer, parsed: Parsed[Command | Done] | Parsed[SaslLine], number: int
    ) -> None:
        exchange = self._exchanges.get(number) or _begun(number, unit, at)
        said = Said(Direction.CLIENT, at, layer, exchange, Certainty.SURE, (), parsed)
        for dialogue in self._dialogues.feed(unit, said, at):
            self._give(dialogue)

    def _answer(self, unit: Unit, at: int, layer: Layer, parsed: Parsed[Response], *, idle: bool) -> bool:
        """Whether it is known whose it is. What no span holds while nothing is in flight is nobody's."""
        while self._spans and self._spans[0].end <= unit.start:
            self._spans.popleft()
        span = self._spans[0] if self._spans and self._spans[0].start <= unit.start else None
        if span is None and not idle:
            return False
        exchange = self._exchanges.get(span.exchange or 0) if span else None
        value = parsed.understood
        if exchange is not None and isinstance(value, Tagged) and readable(value.tag) != exchange.tag:
            exchange = None  # a line of two words is no completion of what happens to be in flight
        certainty, others = (span.certainty, span.open) if span else (Certainty.UNSOLICITED, ())
        for dialogue in self._dialogues.feed(
            unit, Said(Direction.SERVER, at, layer, exchange, certainty, others, parsed), at
        ):
            self._give(dialogue)
        return True

    def _give(self, dialogue: Dialogue) -> None:
        number = dialogue.exchange.number
        self._over[number] = known = self._exchanges.pop(number, dialogue.exchange)
        if len(self._over) > _OVER_KEPT:
            self._over.popitem(last=False)
        if self.over:
            self.over(dialogue._replace(exchange=known))


class Digests:
    """The hashes of large literals as they go by (`proxy.imap.view.dialogue.Literals`), of the last ones."""

    def __init__(self) -> None:
        self._begun: dict[tuple[Direction, int], blake3] = {}
        self._known: OrderedDict[tuple[Direction, int], str] = OrderedDict()

    def take(self, piece: Piece, literal: LiteralPart) -> None:
        """A piece of one has come."""
        key = (piece.direction, literal.start)
        digest = self._begun.setdefault(key, blake3())
        digest.update(piece.data)
        if piece.offset + len(piece.data) >= literal.start + literal.length:
            del self._begun[key]
            self._known[key] = f"blake3:{digest.hexdigest()}"
            if len(self._known) > _DIGESTS_KEPT:
                self._known.popitem(last=False)

    def content(self, direction: Direction, start: int, size: int) -> None:
        """Nobody keeps them here."""

    def digest(self, direction: Direction, start: int, size: int) -> str | None:
        """Its BLAKE3, as recorded."""
        del size
        return self._known.get((direction, start))

    def sha256(self, direction: Direction, start: int, size: int) -> None:
        """Nobody computes it here."""


def _begun(number: int, unit: Unit, at: int) -> Exchange:
    """What is known of an exchange before the recorder tells of it."""
    tag, _, command = unit.texts[0].partition(b" ")
    name = readable(command.split(b" ", 1)[0].strip().upper())
    return Exchange(
        0, number, readable(tag), name, "", None, Origin.CLIENT, Outcome.OPEN, None, None, None, at, None, 0, 0
    )
