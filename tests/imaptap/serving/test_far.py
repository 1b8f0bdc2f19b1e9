"""A server that is asked, brought to where a session is: what it says on the way, however it says it."""

from __future__ import annotations

import asyncio
import contextlib
import tracemalloc
from typing import TYPE_CHECKING

import pytest

from imaptap.serving import far
from imaptap.serving.far import Answer, Far
from proxy.imap.grammar import Command, cut, parse_command
from proxy.imap.transcript import Direction
from proxy.live.endpoint import Endpoint, Security
from proxy.live.errors import LiveError
from proxy.live.settings import Settings
from proxy.live.upstream import Upstream
from proxy.replay.serving.logins import Door
from proxy.replay.serving.standing import Standing
from proxy.replay.serving.values import Ask
from tests.proxy.replay.serving.test_standing import step

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterable

    from proxy.imap.transcript import Record

    Says = Callable[[bytes], Iterable[bytes]]


class Nowhere:
    """A sink that forgets."""

    full = crammed = False

    def put(self, *records: Record) -> None:
        """Forget."""

    def when_drained(self, callback: Callable[[], None]) -> None:
        callback()


def tell(_message: str, _hint: str) -> None:
    """Nobody wants to hear it."""


@contextlib.asynccontextmanager
async def server(says: Says) -> AsyncGenerator[Far, None]:
    """One that says to each line what `says` makes of it, in these parts, each a moment after the one before."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talks.append(asyncio.current_task())
        with contextlib.suppress(OSError):
            writer.write(b"* OK [CAPABILITY IMAP4rev1] hello\r\n")
            while line := await reader.readline():
                for part in says(line):
                    writer.write(part)
                    await writer.drain()
                    await asyncio.sleep(0.05)
            writer.close()
            await writer.wait_closed()

    talks: list[asyncio.Task[None] | None] = []
    async with asyncio.timeout(20), await asyncio.start_server(serve, "127.0.0.1", 0) as listening:
        port = listening.sockets[0].getsockname()[1]
        endpoint = Endpoint(Security.PLAIN, "127.0.0.1", port)
        yield Far(endpoint, Upstream(Settings(endpoint, ())), Nowhere(), tell)
        await asyncio.gather(*filter(None, talks))


def standing(*commands: str) -> Standing:
    """Bob has logged in, and these were answered."""
    found = Standing()
    found.logs_in(Door().login(b"bob", b"secret"), "LOGIN")
    for each in commands:
        value = parse_command(cut(f"a {each}\r\n".encode(), Direction.CLIENT)).understood
        found.answered(value.body if isinstance(value, Command) else None, step(each, "OK"))
    return found


def ok(line: bytes) -> list[bytes]:
    return [line.split()[0] + b" OK done\r\n"]


NEW = Ask(b"q", "SEARCH ALL", cut(b"q SEARCH ALL\r\n", Direction.CLIENT), logged_in=True)


async def hear(answer: Answer) -> bytes:
    """What of it a client is told next."""
    assert answer.pipe is not None
    data = await answer.pipe.hear()
    answer.pipe.abort()
    return data


def test_no_half_of_a_line_comes_behind_a_login() -> None:
    """What a server says in one breath with its OK may end later."""

    def says(line: bytes) -> list[bytes]:
        return [*ok(line), b"* 1 EX", b"ISTS\r\n", b"* 2 EXISTS\r\n"] if b"LOGIN" in line else ok(line)

    def at_once(line: bytes) -> list[bytes]:
        return [b"".join(says(line)[:2]), *says(line)[2:]] if b"LOGIN" in line else says(line)

    async def main() -> None:
        async with server(at_once) as there:
            answer = await there.enter(standing(), Ask(b"q", "LOGIN bob", None, logged_in=True))
            assert answer.said == b"q OK done\r\n"
            assert await hear(answer) == b"* 2 EXISTS\r\n"

    asyncio.run(main())


def test_what_is_enabled_here_is_enabled_there() -> None:
    """Words that a server does not have it leaves out of its answer, and says OK."""

    def says(line: bytes) -> list[bytes]:
        return [b"* ENABLED condstore\r\n", *ok(line)] if b"ENABLE " in line else ok(line)

    async def main() -> None:
        async with server(says) as there:
            session = standing("ENABLE CONDSTORE X-NONE UTF8=ACCEPT")
            session.told(b"* ENABLED CONDSTORE\r\n")
            answer = await there.enter(session, NEW)
            assert answer.pipe is not None
            answer.pipe.abort()
            session.told(b"* ENABLED UTF8=ACCEPT\r\n")
            with pytest.raises(LiveError, match="does not enable UTF8=ACCEPT"):
                await there.enter(session, NEW)

    asyncio.run(main())


def test_a_server_that_only_talks_is_not_waited_for_forever(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is never silent, and never answers."""
    monkeypatch.setattr(far, "_ENTRY_SECONDS", 0.5)

    def says(line: bytes) -> list[bytes]:
        return [b"* OK still here\r\n"] * 1000 if b"LOGIN" in line else ok(line)

    async def main() -> None:
        async with server(says) as there:
            with pytest.raises(LiveError, match=r"took more than 0\.5 seconds"):
                await there.enter(standing(), NEW)

    asyncio.run(main())


def test_what_a_server_says_on_the_way_is_not_kept() -> None:
    """It may be without end, and nobody learns from it."""
    part = (b"* OK " + b"x" * 60_000 + b"\r\n") * 10

    def says(line: bytes) -> Iterable[bytes]:
        return (part if number < 30 else ok(line)[0] for number in range(31)) if b"LOGIN" in line else ok(line)

    async def main() -> None:
        async with server(says) as there:
            answer = await there.enter(standing(), NEW)
            assert answer.pipe is not None
            answer.pipe.abort()

    tracemalloc.start()
    try:
        asyncio.run(main())
        assert tracemalloc.get_traced_memory()[1] < 15 * len(part)
    finally:
        tracemalloc.stop()
