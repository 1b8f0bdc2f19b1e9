"""Who waits for an answer goes on first; what is left for afterwards is done then, in order, and once."""

from __future__ import annotations

import asyncio

import pytest

from proxy.imap.grammar import Tagged
from proxy.imap.grammar.status import Condition, Status
from proxy.replay.flights import Flights

OK = Tagged(b"a", Status(Condition.OK, None, b"done"))


def test_the_next_command_does_not_wait_for_what_is_left_for_afterwards() -> None:
    async def play() -> None:
        flights, went = Flights(), list[str]()
        first, second = flights.begin(b"a", 0, 0), flights.begin(b"b", 10, 0)

        async def wait() -> None:
            await first.over
            went.append("sends the next one")

        def landed(name: str) -> None:
            went.append(f"{name} landed")
            flights.afterwards(lambda: went.append(f"{name} told"))

        first.landed, second.landed = (lambda: landed("a")), (lambda: landed("b"))
        waiting = asyncio.create_task(wait())
        await asyncio.sleep(0)
        flights.end(first, OK)
        flights.end(second, None)
        assert went == []
        flights.land()
        assert went == ["a landed", "b landed"]
        await waiting
        await asyncio.sleep(0)
        assert went == ["a landed", "b landed", "sends the next one", "a told", "b told"]
        flights.clear_up()
        assert len(went) == 5

    asyncio.run(play())


def test_nothing_is_left_where_nothing_will_be_answered() -> None:
    async def play() -> None:
        flights, went = Flights(), list[str]()
        flight = flights.begin(b"a", 0, 0)
        flight.landed = lambda: flights.afterwards(lambda: went.append("told"))
        flights.give_up()
        assert (flight.completion, flight.over.done(), bool(flights), went) == (None, True, False, ["told"])
        await asyncio.sleep(0)
        assert went == ["told"]

    asyncio.run(play())


@pytest.mark.parametrize(("newest", "number"), [(0, 2), (1, 2), (2, 3), (7, 8)])
def test_numbers_are_those_of_the_recorder(newest: int, number: int) -> None:
    """It may have taken a stray DONE for a command."""

    async def play() -> None:
        flights = Flights()
        assert flights.begin(b"a", 0, 0).number == 1
        flight = flights.begin(b"b", 8, newest)
        assert (flight.number, flight.start, flights.find(b"b")) == (number, 8, flight)

    asyncio.run(play())
