"""A recorded session understood: every unit read by the grammar, in the order in which they were said."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, NamedTuple

from imaptap.reading.exchanges import EXCHANGES_KEPT, Exchanges
from imaptap.reading.units import session_units
from proxy.imap.grammar import parse_command, parse_response, parse_sasl
from proxy.imap.grammar.remembered import Remembered
from proxy.imap.transcript import Direction
from proxy.imap.view.session import SessionView
from proxy.imap.view.values import Said

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proxy.imap.cutter import CutUnit
    from proxy.imap.grammar import Parsed
    from proxy.imap.grammar.commands import Command, Done
    from proxy.imap.grammar.responses import Response
    from proxy.imap.grammar.sasl import SaslLine
    from proxy.imap.transcript import Exchange
    from proxy.imap.units import Unit
    from proxy.imap.view.values import Heard, State
    from storage import Session, Store

_response, _command = Remembered(parse_response), Remembered(parse_command)


class Told(NamedTuple):
    """A unit of a session: the offsets of its first byte and of the one behind it, and what it says."""

    start: int
    end: int
    said: Said
    heard: Heard


class Understood:
    """Goes through one session once. `view` has its state after the unit that came last."""

    def __init__(self, store: Store, session: Session) -> None:
        self.view = SessionView()
        self._parsed = ParsedUnits(store, session)

    def __iter__(self) -> Iterator[Told]:
        """Every unit: where it stands in its stream, what was said, and what it turned out to be."""
        for cut, said in self._parsed:
            yield Told(cut.unit.start, cut.unit.end, said, self.view.feed(said))


class ParsedUnits:
    """Reads one session once: its units and what they say, before it is known what they turn out to be."""

    def __init__(self, store: Store, session: Session) -> None:
        self._exchanges = Exchanges(store, session)
        self._units = session_units(store, session)
        self._begun: OrderedDict[int, None] = OrderedDict()

    def __iter__(self) -> Iterator[tuple[CutUnit, Said]]:
        """Every unit, in the order in which they ended."""
        for cut, span, layer in self._units:
            exchange = self._exchanges.of(span.exchange)
            parsed = self._parsed(cut.unit, span.direction, exchange)
            yield cut, Said(span.direction, cut.ended, layer, exchange, span.certainty, span.open, parsed)

    def _parsed(
        self, unit: Unit, direction: Direction, exchange: Exchange | None
    ) -> Parsed[Response] | Parsed[Command | Done] | Parsed[SaslLine]:
        if direction is Direction.SERVER:
            return _response(unit)
        if exchange is None or exchange.command != "AUTHENTICATE":
            return _command(unit)
        if exchange.number in self._begun:
            return parse_sasl(unit)
        self._begun[exchange.number] = None
        if len(self._begun) > EXCHANGES_KEPT:
            self._begun.popitem(last=False)
        return _command(unit)


def state_at(store: Store, session: Session, exchange: Exchange) -> State:
    """What the session had become when this exchange ended; or with the last that was said in it, if it did not."""
    ends = dict.fromkeys(Direction, -1)
    for span in store.spans(session, exchange.number):
        ends[span.direction] = max(ends[span.direction], span.end)
    # Of one that was just begun no span is written yet: it is the newest, and the state is the last one there is.
    newest = max(ends.values()) < 0
    over = set[Direction]() if newest else {side for side, end in ends.items() if end < 0}
    understood = Understood(store, session)
    for _, end, said, _ in understood:
        if not newest and end >= ends[said.direction]:
            over.add(said.direction)
        if over == set(Direction) or _completes(said, exchange):
            break
    return understood.view.state()


def _completes(said: Said, exchange: Exchange) -> bool:
    return said.exchange is not None and said.exchange.number == exchange.number and said.completes
