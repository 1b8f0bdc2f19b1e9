"""Turns: nobody has to wait for what another one has to say, however much that is."""

from __future__ import annotations

import asyncio
import itertools

import pytest

from proxy.imap.transcript import Direction, Ending, Event, EventKind, Exchange, Layer, Piece, Record
from proxy.live.tap import Tap
from proxy.live.turns import TURN, Pace, Turns
from tests.proxy.live.test_tap import Basket

CLIENT, SERVER = Direction.CLIENT, Direction.SERVER


def hurried() -> Turns:
    """Turns that are over as soon as they have begun."""
    clock = itertools.count()
    return Turns(lambda: next(clock))


class Child:
    """Takes turns until it has had enough."""

    def __init__(self, name: str, log: list[str], turns: Turns, wants: int) -> None:
        self.name, self.log, self.turns, self.wants = name, log, turns, wants
        self.sated = asyncio.Event()

    def turn(self, _: float) -> None:
        """Once more?"""
        self.log.append(self.name)
        self.wants -= 1
        if self.wants:
            self.turns.next(self)
        else:
            self.sated.set()


def test_everybody_gets_one_turn_after_the_other() -> None:
    log: list[str] = []

    async def play() -> None:
        turns = hurried()
        for name in "abc":
            child = Child(name, log, turns, 3)
            turns.next(child)
            turns.next(child)
        for _ in range(15):
            await asyncio.sleep(0)

    asyncio.run(play())
    assert "".join(log) == "abc" * 3


def test_the_loop_comes_first_between_two_turns() -> None:
    log: list[str] = []

    async def play() -> None:
        turns = hurried()
        turns.next(Child("a", log, turns, 4))
        for _ in range(4):
            await asyncio.sleep(0)
            log.append("-")

    asyncio.run(play())
    assert "a-a" in "".join(log)
    assert "aa" not in "".join(log)


def test_soon_is_later_than_next_and_who_is_forgotten_has_none() -> None:
    log: list[str] = []

    async def play() -> None:
        turns = Turns()
        early, late, gone = (Child(name, log, turns, 1) for name in "elg")
        turns.soon(late)
        turns.soon(gone)
        turns.next(gone)
        turns.next(early)
        turns.forget(gone)
        await late.sated.wait()

    asyncio.run(play())
    assert log == ["e", "l"]


def test_who_fails_takes_nobody_elses_turn_away() -> None:
    log: list[str] = []

    class Clumsy:
        def turn(self, _: float) -> None:
            raise ZeroDivisionError

    async def play() -> list[object]:
        failures: list[object] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: failures.append(context["exception"]))
        turns = Turns()
        turns.next(Clumsy())
        turns.next(Child("a", log, turns, 2))
        for _ in range(4):
            await asyncio.sleep(0)
        return failures

    assert [type(failure) for failure in asyncio.run(play())] == [ZeroDivisionError]
    assert log == ["a", "a"]


def test_the_pace_is_learned() -> None:
    """Twice as much when that was quick, so much as fits into a turn when it was not, but no leaps down."""
    pace = Pace()
    first = pace.size
    pace.took(first, TURN / 2)
    assert pace.size == 2 * first
    pace.took(10, TURN / 2)
    assert pace.size == 2 * first, "a little tells nothing"
    pace.took(first, TURN / 2)
    assert pace.size == 2 * first, "neither does half of it that takes half of the time"
    pace.took(first, TURN / 5)
    assert pace.size == 4 * first, "in less than a quarter there was room for more"
    pace.size = 2 * first
    pace.took(2 * first, TURN * 4)
    assert pace.size == first // 2
    pace.size = 1 << 18
    pace.took(1 << 18, TURN * 1000)
    assert pace.size == 1 << 15
    for _ in range(10):
        pace.took(pace.size, TURN * 1000)
    assert 0 < pace.size <= 64
    for _ in range(30):
        pace.took(pace.size, 0.0)
    assert pace.size <= 1 << 20


@pytest.mark.parametrize(
    ("line", "cautious"), [(b"\r\n", True), (b"a NOOP\r\n", True), (b"x" * 76 + b"\r\n", False), (b"\0", False)]
)
def test_dense_lines_are_taken_few_at_a_time(line: bytes, cautious: bool) -> None:
    """Also after much that was quick: a letter, then a hundred thousand commands."""
    pace = Pace()
    pace.size = 1 << 20
    data = line * (300_000 // len(line))
    assert pace.share(data) == (2048 if cautious else len(data))
    assert pace.share(data[:100]) == 100


def test_what_takes_long_is_understood_in_turns() -> None:
    """And whoever asks meanwhile whether it is, learns when."""
    basket, said = Basket(), b"a NOOP\r\n" * 20_000

    async def play() -> int:
        tap = Tap(1, basket, hurried(), decode=True)
        tap.overheard(CLIENT, said, Layer.PLAIN)
        tap.event(EventKind.NOTICE, "after it", "", CLIENT)
        assert tap.behind
        assert basket.records == []
        done, rounds = asyncio.Event(), 0
        tap.when_understood(done.set)
        while not done.is_set():
            await asyncio.sleep(0)
            rounds += 1
        assert not tap.behind
        return rounds

    assert asyncio.run(play()) > 4
    assert heard(basket.records) == said
    [event] = (x for x in basket.records if isinstance(x, Event))
    assert event.offset == len(said)


def test_chunks_small_and_large_are_understood_in_their_order() -> None:
    """And what happened between them stays between them."""
    basket, said, offsets = Basket(), bytearray(), list[int]()
    sizes = [9, 40, 3000, 9, 9, 900, 40_000, 9, 200, 70_000, 12, *[30] * 300, 2000, 9]

    async def play() -> None:
        tap = Tap(1, basket, hurried(), decode=True)
        tap.overheard(SERVER, b"* OK hi\r\n", Layer.PLAIN)
        for size in sizes:
            chunk = b"a NOOP ".ljust(size - 2, b"x") + b"\r\n"
            tap.overheard(CLIENT, chunk, Layer.PLAIN)
            said.extend(chunk)
            tap.event(EventKind.NOTICE, "here", "", CLIENT)
            offsets.append(len(said))
        done = asyncio.Event()
        tap.when_understood(done.set)
        await done.wait()

    asyncio.run(play())
    assert heard(basket.records) == said
    assert [x.offset for x in basket.records if isinstance(x, Event) and x.name == "here"] == offsets


def heard(records: list[Record]) -> bytes:
    """What the client has said."""
    return b"".join(x.data for x in records if isinstance(x, Piece) and x.direction is CLIENT)


def test_a_session_that_is_cut_is_not_understood_to_its_end() -> None:
    """A stop cannot wait for that; the bytes are there, and the client's are hidden."""
    basket, said = Basket(), b"a NOOP\r\n" * 20_000

    async def play() -> None:
        tap = Tap(1, basket, Turns(), decode=True)
        tap.overheard(CLIENT, said, Layer.PLAIN)
        tap.overheard(SERVER, b"* 1 EXISTS\r\n", Layer.PLAIN)
        tap.closed(Ending.CUT, "imaptap was stopped")

    asyncio.run(play())
    assert heard(basket.records) == b"x" * len(said)
    assert not any(isinstance(x, Exchange) for x in basket.records)
    assert "unread" in [x.name for x in basket.records if isinstance(x, Event)]
