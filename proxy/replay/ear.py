"""What is heard while a session is replayed, as dialogues: each unit with its exchange, as it goes on record."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING

from proxy.imap.transcript import Certainty, Direction, Exchange, Origin, Outcome, Span, readable
from proxy.imap.view.dialogues import Dialogues
from proxy.imap.view.values import Said

if TYPE_CHECKING:
    from collections.abc import Callable

    from proxy.imap.grammar import Command, Done, Parsed, Response, SaslLine
    from proxy.imap.transcript import Layer, Record
    from proxy.imap.units import Unit
    from proxy.imap.view.dialogue import Before, Dialogue
    from proxy.live.sink import Sink

    _Asked = tuple[Unit, int, Layer, Parsed[Command | Done] | Parsed[SaslLine], int]
    _Answered = tuple[Unit, int, Layer, Parsed[Response]]


class Ear:
    """A sink that passes all records on, and takes from them whose the units are that it is told of."""

    def __init__(self, sink: Sink, over: Callable[[Dialogue], None]) -> None:
        """`over` is called with each dialogue that has ended, in the order of exchange numbers."""
        self._sink, self._over = sink, over
        self._dialogues = Dialogues()
        self._units: deque[_Asked | _Answered] = deque()
        """What was said and is not part of a dialogue yet, in the order in which it was."""
        self._spans: deque[Span] = deque()
        self._exchanges: dict[int, Exchange] = {}

    def put(self, *records: Record) -> None:
        """Take records."""
        self._sink.put(*records)
        for record in records:
            if type(record) is Exchange:
                self._exchanges[record.number] = record
            elif type(record) is Span and record.direction is Direction.SERVER:
                self._spans.append(record)

    @property
    def full(self) -> bool:
        """Whether the recorder is behind."""
        return self._sink.full

    def when_drained(self, callback: Callable[[], None]) -> None:
        """Call back when it has caught up."""
        self._sink.when_drained(callback)

    @property
    def before(self) -> Before:
        """What the session is now."""
        return self._dialogues.view.before()

    def asked(
        self, unit: Unit, at: int, layer: Layer, parsed: Parsed[Command | Done] | Parsed[SaslLine], number: int
    ) -> None:
        """We have said this, in the exchange with this number."""
        self._units.append((unit, at, layer, parsed, number))

    def answered(self, unit: Unit, at: int, layer: Layer, parsed: Parsed[Response]) -> None:
        """The server has said this."""
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
        certainty, others = (span.certainty, span.open) if span else (Certainty.UNSOLICITED, ())
        for dialogue in self._dialogues.feed(
            unit, Said(Direction.SERVER, at, layer, exchange, certainty, others, parsed), at
        ):
            self._give(dialogue)
        return True

    def _give(self, dialogue: Dialogue) -> None:
        known = self._exchanges.pop(dialogue.exchange.number, dialogue.exchange)
        self._over(replace(dialogue, exchange=known))


def _begun(number: int, unit: Unit, at: int) -> Exchange:
    """What is known of an exchange before the recorder tells of it."""
    tag, _, command = unit.texts[0].partition(b" ")
    name = readable(command.split(b" ", 1)[0].strip().upper())
    return Exchange(
        0, number, readable(tag), name, "", None, Origin.CLIENT, Outcome.OPEN, None, None, None, at, None, 0, 0
    )
