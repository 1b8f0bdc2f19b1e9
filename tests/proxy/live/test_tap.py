"""What is put off is understood soon, together, and before anybody asks; it reaches the sink in one go."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from proxy.imap.transcript import (
    Direction,
    Ending,
    Event,
    EventKind,
    Exchange,
    Layer,
    Outcome,
    Piece,
    Record,
    SessionClosed,
    Span,
)
from proxy.live.tap import Tap
from proxy.live.turns import Turns

CLIENT, SERVER = Direction.CLIENT, Direction.SERVER


class Basket:
    """A sink that says when something has come."""

    full = crammed = False

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.came = asyncio.Event()
        self.waiting: list[Callable[[], None]] = []
        self.asked = asyncio.Event()

    def put(self, *records: Record) -> None:
        self.records += records
        if records:
            self.came.set()

    def when_drained(self, callback: Callable[[], None]) -> None:
        self.waiting.append(callback)
        self.asked.set()

    def drain(self) -> None:
        self.full = False
        waiting, self.waiting = self.waiting, []
        for callback in waiting:
            callback()

    @property
    def kinds(self) -> list[type]:
        return [type(record) for record in self.records]


def overhear(tap: Tap, said: str) -> None:
    """`C: …` and `S: …` lines, one chunk each."""
    for line in said.splitlines():
        tap.overheard(CLIENT if line[0] == "C" else SERVER, line[3:].encode() + b"\r\n", Layer.PLAIN)


TWO = "S: * OK hi\nC: a NOOP\nS: a OK\nC: b NOOP\nS: b OK"


@pytest.fixture
def basket() -> Basket:
    return Basket()


def test_what_was_overheard_is_understood_together_a_little_later(basket: Basket) -> None:
    async def scene() -> None:
        tap = Tap(1, basket, Turns(), decode=True)
        overhear(tap, TWO)
        assert basket.records == []
        await basket.came.wait()

    asyncio.run(scene())
    pieces = [x for x in basket.records if isinstance(x, Piece)]
    exchanges = [x for x in basket.records if isinstance(x, Exchange)]
    assert [(x.direction, len(x.chunks)) for x in pieces] == [(CLIENT, 2), (SERVER, 3)]
    assert [(x.tag, x.status) for x in exchanges] == [("a", "OK"), ("b", "OK")], "each told once, as it ended"


def test_whoever_asks_finds_all_of_it_understood(basket: Basket) -> None:
    async def scene() -> tuple[int, int]:
        tap = Tap(1, basket, Turns(), decode=True)
        overhear(tap, f"{TWO}\nC: c NOOP")
        return tap.conversation.in_flight, tap.conversation.received(CLIENT)

    assert asyncio.run(scene()) == (1, 24)
    assert basket.kinds.count(Exchange) == 3


def test_what_is_left_for_soon_goes_on_record_with_what_follows(basket: Basket) -> None:
    async def play() -> None:
        tap = Tap(1, basket, Turns(), decode=True)
        tap.heard(CLIENT, b"a NOOP\r\n", Layer.PLAIN, soon=True)
        tap.event(EventKind.STEP, "sent", "1", CLIENT, place=(0, 8), soon=True)
        assert basket.records == []
        assert tap.conversation.in_flight == 1  # and yet it is understood
        tap.heard(SERVER, b"a OK\r\n", Layer.PLAIN)
        assert basket.kinds[:2] == [Piece, Exchange]
        ended = [record for record in basket.records if isinstance(record, Exchange)][-1]
        assert (ended.tag, ended.outcome) == ("a", Outcome.COMPLETED)
        assert Event in basket.kinds

    asyncio.run(play())


def test_what_is_left_for_soon_goes_on_record_by_itself(basket: Basket) -> None:
    async def play() -> None:
        tap = Tap(1, basket, Turns(), decode=True)
        tap.heard(CLIENT, b"a NOOP\r\n", Layer.PLAIN, soon=True)
        await asyncio.wait_for(basket.came.wait(), 10)
        assert Exchange in basket.kinds
        tap.heard(CLIENT, b"b NOOP\r\n", Layer.PLAIN, soon=True)
        tap.catch_up()
        assert [record.tag for record in basket.records if isinstance(record, Exchange)] == ["a", "b"]

    asyncio.run(play())


def test_what_is_left_for_soon_is_bounded(basket: Basket) -> None:
    async def play() -> None:
        tap = Tap(1, basket, Turns(), decode=True)
        tap.heard(CLIENT, b"a APPEND x {1000000+}\r\n", Layer.PLAIN, soon=True)
        for _ in range(100):
            tap.heard(CLIENT, bytes(10_000), Layer.PLAIN, soon=True)
        recorded = sum(len(record.data) for record in basket.records if isinstance(record, Piece))
        assert recorded > 950_000

    asyncio.run(play())


def test_what_is_put_off_is_bounded(basket: Basket) -> None:
    async def scene() -> None:
        tap = Tap(1, basket, Turns(), decode=True)
        for _ in range(33):
            tap.overheard(SERVER, b"* OK " + b"x" * 1017 + b"\r\n", Layer.PLAIN)

    asyncio.run(scene())
    assert Piece in basket.kinds


LETTER = b"x" * 200_000
LINES = b"\r\n" * 100_000


@pytest.mark.parametrize(
    ("data", "at_once"),
    [(LETTER, True), (LETTER[:-1], True), (LETTER + b"\r\nb NOOP\r\n", True), (LETTER + LINES, False)],
)
def test_a_literal_is_understood_at_once_but_not_what_follows_it(basket: Basket, data: bytes, at_once: bool) -> None:
    """Nothing is known yet of how long this client's bytes take; a letter's take no time, however many they are."""

    async def scene() -> bool:
        tap = Tap(1, basket, Turns(), decode=True)
        overhear(tap, f"S: * PREAUTH hi\nC: a APPEND x {{{len(LETTER)}}}\nS: + go on")
        assert tap.conversation.in_flight == 1
        tap.overheard(CLIENT, data, Layer.PLAIN)
        assert tap.behind
        tap.turn(-math.inf)
        return not tap.behind

    assert asyncio.run(scene()) == at_once


def test_the_end_comes_last(basket: Basket) -> None:
    async def scene() -> None:
        turns = Turns()
        tap = Tap(1, basket, turns, decode=True)
        overhear(tap, TWO)
        tap.closed(Ending.CLIENT, "end of stream")
        before = len(basket.records)
        tap.turn(math.inf)
        assert len(basket.records) == before

    asyncio.run(scene())
    assert basket.kinds[-1] is SessionClosed


def test_who_says_little_need_not_wait_for_a_recorder_that_is_behind(basket: Basket) -> None:
    """Unless it is far behind."""

    async def scene() -> list[bool]:
        tap = Tap(1, basket, Turns(), decode=True)
        overhear(tap, TWO)
        found = [tap.full]
        basket.full = True
        found.append(tap.full)
        basket.crammed = True
        found.append(tap.full)
        basket.crammed = False
        overhear(tap, "C: c APPEND x {9000000}\nS: + go on")
        tap.overheard(CLIENT, bytes(2_000_000), Layer.PLAIN)
        found.append(tap.full)
        basket.full = False
        found.append(tap.full)
        basket.full = True
        found.append(tap.full)
        return found

    assert asyncio.run(scene()) == [False, False, True, True, False, False]


def test_what_makes_many_records_is_understood_when_there_is_room_for_them(basket: Basket) -> None:
    async def scene() -> tuple[int, int]:
        tap = Tap(1, basket, Turns(), decode=True)
        overhear(tap, "S: * PREAUTH hi")
        assert tap.conversation.in_flight == 0
        basket.full = True
        tap.overheard(CLIENT, b"a\n" * 20_000, Layer.PLAIN)
        await basket.asked.wait()
        before = len(basket.records)
        for _ in range(100):
            await asyncio.sleep(0)
        assert len(basket.records) == before, "it waits"
        basket.drain()
        understood = asyncio.Event()
        tap.when_understood(understood.set)
        await understood.wait()
        return before, len(basket.records)

    before, after = asyncio.run(scene())
    assert before < 10_000
    assert after > 40_000


@pytest.mark.parametrize(
    ("meanwhile", "told"),
    [(lambda tap: tap.conversation, ["understood"]), (lambda tap: tap.closed(Ending.CUT, "imaptap was stopped"), [])],
)
def test_who_waits_hears_of_it_though_somebody_has_asked_before_there_was_room(
    basket: Basket, meanwhile: Callable[[Tap], object], told: list[str]
) -> None:
    """Legs are held until they hear that all is understood, which it is as soon as somebody asks; not after the end."""

    async def scene() -> list[str]:
        log: list[str] = []
        tap = Tap(1, basket, Turns(), decode=True)
        overhear(tap, "S: * PREAUTH hi")
        await basket.came.wait()
        basket.full = basket.crammed = True
        tap.overheard(SERVER, b"* OK " + b"x" * 33_000 + b"\r\n", Layer.PLAIN)
        await basket.asked.wait()
        tap.when_understood(lambda: log.append("understood"))
        meanwhile(tap)
        assert not tap.behind
        basket.drain()
        for _ in range(10):
            await asyncio.sleep(0)
        return log

    assert asyncio.run(scene()) == told


def test_many_taps_take_turns(basket: Basket) -> None:
    """However many there are, each has its turn."""

    async def scene() -> None:
        turns = Turns()
        taps = [Tap(number, basket, turns, decode=True) for number in range(1, 201)]
        for tap in taps:
            overhear(tap, TWO)
        while len({x.session for x in basket.records}) < len(taps):
            basket.came.clear()
            await basket.came.wait()

    asyncio.run(scene())
    assert basket.kinds.count(Exchange) == 400


@dataclass
class Groups:
    """A sink that remembers what came together."""

    groups: list[tuple[Record, ...]] = field(default_factory=list)
    full: bool = False

    def put(self, *records: Record) -> None:
        self.groups.append(records)

    def when_drained(self, callback: Callable[[], None]) -> None:
        callback()


@pytest.mark.parametrize("soon", [False, True])
def test_every_group_can_stand_without_the_next_one(soon: bool) -> None:
    """Killed behind any of them: no span goes beyond the stream, and of an exchange that has ended all is there."""

    async def play() -> None:
        sink = Groups()
        tap = Tap(1, sink, Turns(), decode=True)
        tap.opened("127.0.0.1:5", "imaps://localhost:1993", "imaps://mail.example:993")
        tap.heard(SERVER, b"* OK hello\r\n", Layer.TLS)
        for number in range(3):
            tap.heard(CLIENT, b"a%d NOOP\r\nb%d FETCH 1 BODY[]\r\n" % (number, number), Layer.TLS, soon=soon)
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
            for exchange in (
                each for each in group if isinstance(each, Exchange) and each.outcome is Outcome.COMPLETED
            ):
                ended += 1
                counts = told[exchange.number, CLIENT], told[exchange.number, SERVER]
                assert counts == (exchange.client_bytes, exchange.server_bytes)
        assert ended == 6

    asyncio.run(play())
