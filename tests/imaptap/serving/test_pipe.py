"""A session that goes on at a server: neither side is read faster than the other one takes it, and each end is one."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

import pytest

from imaptap.serving.pipe import Pipe
from proxy.imap.grammar import cut
from proxy.imap.transcript import Direction
from proxy.replay.serving.spool import Spool

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from proxy.live.leg import Leg
    from proxy.replay.connection import Connection

MEGABYTE = 1 << 20


class Far:
    """A connection and its leg, with what was said on it."""

    def __init__(self, *, closed: bool = False) -> None:
        self.open, self.heard_all, self.held = not closed, False, False
        self.said = b""
        self.pipe = Pipe(cast("Connection", self))

    def hand_over(self, _: object) -> Far:
        return self

    def write(self, data: bytes) -> None:
        self.said += data

    def hold(self, _: str) -> None:
        self.held = True

    def free(self, _: str) -> None:
        self.held = False

    def abort(self) -> None:
        self.open = False

    def says(self, data: bytes) -> None:
        self.pipe.data(cast("Leg", self), data)

    def presses(self, *, full: bool) -> None:
        self.pipe.pressed(cast("Leg", self), full=full)

    def goes(self) -> None:
        self.pipe.lost(cast("Leg", self), None)


def main(work: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(20):
            await work()

    asyncio.run(bounded())


async def turns() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def test_a_server_is_not_read_faster_than_its_client_takes_it() -> None:
    """What has come stays in order, and its end behind it."""

    async def work() -> None:
        far = Far()
        sent = [bytes([number]) * 65536 for number in range(20)]
        for part in sent[:4]:
            far.says(part)
        assert not far.held
        far.says(sent[4])
        assert far.held
        heard = [await far.pipe.hear() for _ in range(4)]
        assert not far.held
        for part in sent[5:]:
            far.says(part)
        far.goes()
        while data := await far.pipe.hear():
            heard.append(data)
        assert b"".join(heard) == b"".join(sent)

    main(work)


def test_a_client_is_not_read_faster_than_the_server_takes_it() -> None:
    """And is not kept waiting by one that is gone."""

    async def work() -> None:
        for gone in (False, True):
            far = Far()
            far.presses(full=True)
            saying = asyncio.ensure_future(far.pipe.say(b"a"))
            await turns()
            assert not saying.done()
            if gone:
                far.goes()
            else:
                far.presses(full=False)
            await saying

    main(work)


def test_a_connection_that_is_closed_already_has_an_end() -> None:
    """It may close between its last answer and the first byte of the client's."""

    async def work() -> None:
        far = Far(closed=True)
        assert await far.pipe.hear() == b""
        await far.pipe.say(b"lost")

    main(work)


def command(data: bytes) -> tuple[Spool, asyncio.Future[None], Far]:
    spool, far = Spool(), Far()
    spool.take(data)
    unit = cut(data, Direction.CLIENT)
    return spool, asyncio.ensure_future(far.pipe.say_command(b"a", unit, spool)), far


TWO = (b"a APPEND b {4}\r\n", b"one\n {5}\r\n", b"two\r\n\r\n")


def test_literals_wait_for_the_server() -> None:
    """Each for its own +, which the client does not hear."""

    async def work() -> None:
        _, saying, far = command(b"".join(TWO))
        for number in range(3):
            await turns()
            assert far.said == b"".join(TWO[: number + 1])
            if number < 2:
                far.says(b"+ go on\r\n")
        await saying
        far.says(b"a OK done\r\n")
        assert await far.pipe.hear() == b"a OK done\r\n"

    main(work)


@pytest.mark.parametrize("end", [b"a NO too large\r\n", b""])
def test_literals_that_are_not_wanted_stay_here(end: bytes) -> None:
    """The server has refused, or is gone."""

    async def work() -> None:
        _, saying, far = command(b"".join(TWO))
        await turns()
        if end:
            far.says(end)
            assert await far.pipe.hear() == end
        else:
            far.goes()
        await saying
        assert far.said == TWO[0]

    main(work)


def test_literals_that_do_not_wait_go_along() -> None:
    """`{n+}`; and what is longer than the memory shall hold is told whole."""

    async def work() -> None:
        data = b"a APPEND b {%d+}\r\n" % MEGABYTE + b"x" * MEGABYTE + b"\r\n"
        spool, saying, far = command(data)
        await saying
        assert far.said == data
        spool.clear()

    main(work)
