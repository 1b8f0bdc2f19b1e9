"""The units of one direction, whole: what grammar and linter read. Literals stored as bodies are passed over."""

from __future__ import annotations

import functools
import itertools
from typing import TYPE_CHECKING, NamedTuple

from imaptap.reading.pieces import Pieces
from imaptap.reading.spans import Spans, unfinished
from imaptap.reading.values import ENDLESS
from proxy.imap.cutter import TEXT_WHOLE, CutUnit, UnitCutter, plain_line
from proxy.imap.transcript import Certainty, Direction, Layer, Outcome, Span, readable
from proxy.imap.units import Unit

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from imaptap.reading.pieces import TimedPiece
    from storage import Session, Store


class Whole(NamedTuple):
    """A unit, the span that it stands in, and under which layers its last byte came."""

    cut: CutUnit
    span: Span
    layer: Layer


class Lost(NamedTuple):
    """From here on bytes are missing or are no units; what follows in `span` may be the rest of a literal."""

    at: int
    span: Span | None = None


def units(
    store: Store, session: Session, direction: Direction, spans: Iterable[Span], *, most: int = TEXT_WHOLE
) -> Iterator[Whole | Lost]:
    """All units of these spans of one direction, which come in the order of the stream; `most` bytes of each."""
    pieces = Pieces(store, session, direction)
    for span in spans:
        timed = pieces.holding(span.start, span.end)
        plain = _plain_units(span, timed) if timed is not None and span.end - span.start <= most else None
        yield from _units(span, pieces, most) if plain is None else plain


def session_units(store: Store, session: Session) -> Iterator[Whole]:
    """All whole units of a session in the order in which they ended, those too that no span holds yet."""
    spans = Spans(store, session)
    tails = {span.direction: span for span in unfinished(store, session, spans.ends)}
    client, server = (
        units(store, session, side, itertools.chain(spans.of(side), [tails[side]] if side in tails else []))
        for side in Direction
    )
    under_way = _UnderWay(store, session, spans.newest) if tails else None
    for whole in _merged(client, server):
        yield whole._replace(span=under_way.owned(whole)) if under_way and whole.span.end == ENDLESS else whole


def _merged(client: Iterator[Whole | Lost], server: Iterator[Whole | Lost]) -> Iterator[Whole]:
    """Both sides' units by when they ended; the client's first, where both ended at once."""
    said, answered = _whole(client), _whole(server)
    while said is not None and answered is not None:
        if said.cut.ended <= answered.cut.ended:
            yield said
            said = _whole(client)
        else:
            yield answered
            answered = _whole(server)
    while said is not None:
        yield said
        said = _whole(client)
    while answered is not None:
        yield answered
        answered = _whole(server)


def _whole(side: Iterator[Whole | Lost]) -> Whole | None:
    """The next one; None at the end."""
    for each in side:
        if isinstance(each, Whole):
            return each
    return None


class _UnderWay:
    """Whose units are that no span holds yet: since the last completion, commands have begun and none has ended."""

    def __init__(self, store: Store, session: Session, newest: int) -> None:
        found = (stored.exchange for stored in store.exchanges(session))
        self._open = [exchange for exchange in found if exchange.outcome is not Outcome.COMPLETED]
        self._begun = [exchange.number for exchange in self._open if exchange.number <= newest]

    def owned(self, whole: Whole) -> Span:
        """The unit's span, with what is known of its exchange."""
        span, begun = whole.span, self._begun
        if span.direction is Direction.CLIENT:
            self._begin(whole.cut.unit.texts[0])
            return span._replace(exchange=begun[-1] if begun else None)
        if not begun:
            return span._replace(certainty=Certainty.UNSOLICITED)
        certainty = Certainty.AMBIGUOUS if len(begun) > 1 else Certainty.LIKELY
        return span._replace(exchange=begun[-1], certainty=certainty, open=tuple(begun[:-1]))

    def _begin(self, line: bytes) -> None:
        coming = next((exchange for exchange in self._open if exchange.number not in self._begun), None)
        if coming is not None and readable(line.split(b" ", 1)[0]) == coming.tag:
            self._begun.append(coming.number)


def _plain_units(span: Span, timed: TimedPiece) -> list[Whole] | None:
    """The units of a span that lies in one piece, where each is a plain line; None where any has to be looked at."""
    piece, times_of = timed.piece, timed.times_of
    data, offset, layer = piece.data or b"", piece.offset, piece.layer
    start, last, found = span.start, span.end, list[Whole]()
    while start < last:
        size = plain_line(data, start - offset)
        end = start + size
        if not size or end > last:
            return None
        unit = Unit(start, end, (data[start - offset : end - offset],), (), ())
        found.append(Whole(CutUnit(unit, *times_of(start, end), ()), span, layer))
        start = end
    return found


def _units(span: Span, pieces: Pieces, most: int) -> Iterator[Whole | Lost]:
    anew = functools.partial(UnitCutter, span.direction, most=most)
    cutter, position, layer = anew(span.start), span.start, Layer.PLAIN
    for timed in pieces.between(span.start, span.end):
        piece = timed.piece
        start, stop = max(position, piece.offset), min(piece.end, span.end)
        if start > position:
            yield Lost(span.last_at, span)
            cutter = anew(start, torn=True)
        position, layer = stop, piece.layer
        if piece.data is not None:
            data = piece.data[start - piece.offset : stop - piece.offset]
            for cut in cutter.feed(start, data, timed.time_of):
                yield Whole(cut, span, layer)
        elif not cutter.skip(start, stop - start, timed.time_of):  # behind a hole nothing announces it
            yield Lost(span.last_at, span)
            cutter = anew(stop, torn=True)
    if position < span.end != ENDLESS:
        yield Lost(span.last_at, span)
    for cut in cutter.flush():
        yield Whole(cut, span, layer)
