"""The tap: what it hears in one go reaches the sink in one go."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from proxy.imap.transcript import Direction, Exchange, Layer, Outcome, Piece, Record, Span
from proxy.live.tap import Tap, Ticker

if TYPE_CHECKING:
    from collections.abc import Callable

CLIENT, SERVER = Direction.CLIENT, Direction.SERVER


@dataclass
class Groups:
    """A sink that remembers what came together."""

    groups: list[tuple[Record, ...]] = field(default_factory=list)
    full: bool = False

    def put(self, *records: Record) -> None:
        self.groups.append(records)

    def when_drained(self, callback: Callable[[], None]) -> None:
        callback()


def test_every_group_can_stand_without_the_next_one() -> None:
    """Killed behind any of them: no span goes beyond the stream, and of an exchange that has ended all is there."""
    sink = Groups()
    tap = Tap(1, sink, Ticker(), decode=True)
    tap.opened("127.0.0.1:5", "imaps://localhost:1993", "imaps://mail.example:993")
    tap.heard(SERVER, b"* OK hello\r\n", Layer.TLS)
    for number in range(3):
        tap.heard(CLIENT, b"a%d NOOP\r\nb%d FETCH 1 BODY[]\r\n" % (number, number), Layer.TLS)
        tap.heard(SERVER, b"* 1 EXISTS\r\na%d OK\r\n* 1 FETCH (BODY[] {5000}\r\n" % number, Layer.TLS)
        tap.heard(SERVER, bytes(3000), Layer.TLS)
        tap.heard(SERVER, bytes(2000) + b")\r\nb%d OK\r\n" % number, Layer.TLS)
    ends, told, ended = {CLIENT: 0, SERVER: 0}, dict[tuple[int | None, Direction], int](), 0
    for group in sink.groups:
        for piece in (each for each in group if isinstance(each, Piece)):
            ends[piece.direction] = piece.offset + len(piece.data)
        for span in (each for each in group if isinstance(each, Span)):
            assert span.end <= ends[span.direction]
            key = span.exchange, span.direction
            told[key] = told.get(key, 0) + span.end - span.start
        for exchange in (each for each in group if isinstance(each, Exchange) and each.outcome is Outcome.COMPLETED):
            ended += 1
            counts = told[exchange.number, CLIENT], told[exchange.number, SERVER]
            assert counts == (exchange.client_bytes, exchange.server_bytes)
    assert ended == 6
