"""A served connection: it ends when either side goes, and no client makes it hang or grow."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import zlib
from typing import TYPE_CHECKING, cast

import pytest

from imaptap.serving.beyond import Beyond
from imaptap.serving.connection import Connection
from proxy.replay.serving.standing import Standing
from proxy.replay.serving.values import Repeat, Scene
from storage import StorageError
from tests.proxy.replay.serving.stages import Stage, scene

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from imaptap.serving.far import Far

GREETING = "S: * PREAUTH hello\n"
SEARCH = f"{GREETING}C: a SEARCH SEEN\nS: a OK found\nC: b XEND\nS: b OK"
IDLE = f"{GREETING}C: a IDLE\nS: + idling\n" + "N: * 4 EXISTS\n" * 2000 + "S: a OK idled\nC: b NOOP\nS: b OK"
DEFLATE = f"{GREETING}C: c COMPRESS DEFLATE\nS: c OK\n" + SEARCH.removeprefix(GREETING)


async def never() -> None:
    """No news may come."""
    await asyncio.Event().wait()


class Client:
    """The other end of a served connection."""

    def __init__(self, stage: Stage, *, stepped: bool = False, far: object = None) -> None:
        """`far` is a server that may be asked."""
        standing = Standing() if far else None
        beyond = Beyond(cast("Far", far), standing, None, lambda *_: None) if standing else None
        self._sock, theirs = socket.socketpair()
        for sock in (self._sock, theirs):
            sock.setblocking(False)
        connection = Connection(stage.enter(standing), None, frozenset(), never if stepped else None, beyond)
        self.served = asyncio.ensure_future(connection.run(theirs))

    async def say(self, data: bytes) -> None:
        await asyncio.get_running_loop().sock_sendall(self._sock, data)

    async def hear(self, wanted: bytes) -> bytes:
        """All until what is wanted has come; b"" wants the end."""
        heard = b""
        while not (wanted and wanted in heard):
            data = await asyncio.get_running_loop().sock_recv(self._sock, 65536)
            if not data:
                assert not wanted, heard
                return heard
            heard += data
        return heard

    def go(self) -> None:
        self._sock.close()


@contextlib.asynccontextmanager
async def connected(stage: Stage, *, stepped: bool = False) -> AsyncIterator[Client]:
    """A client that nothing keeps waiting, whose connection is over when the block is."""
    async with asyncio.timeout(20):
        client = Client(stage, stepped=stepped)
        yield client
        client.go()
        await client.served


def test_done_is_heard_however_much_news_waits() -> None:
    """With --step it would wait for ever."""

    async def main() -> None:
        async with connected(Stage([scene(IDLE)], timed=True), stepped=True) as client:
            await client.say(b"q IDLE\r\n")
            await client.hear(b"+ idling\r\n")
            await client.say(b"DONE\r\n")
            assert (await client.hear(b"q OK idled\r\n")).count(b"EXISTS") == 2000

    asyncio.run(main())


def test_a_client_that_goes_takes_no_news_of_others() -> None:
    """What waits for its time waits no longer than the client."""

    async def main() -> None:
        async with connected(Stage([scene(IDLE)], timed=True), stepped=True) as client:
            await client.say(b"q IDLE\r\n")
            await client.hear(b"+ idling\r\n")

    asyncio.run(main())


def test_a_client_that_never_reads_is_not_understood_for_ever() -> None:
    """Only as far as there is room for what it gets; when it goes, its connection is over."""

    async def main() -> None:
        stage = Stage([scene(SEARCH)], repeat=Repeat.LAST)
        async with connected(stage) as client:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.5):
                    await client.say(b"q SEARCH SEEN\r\n" * 1_000_000)
            assert stage.cast.times(stage.scenes[0], stage.scenes[0].steps[0]) < 100_000

    asyncio.run(main())


LONG = f"{GREETING}C: a SEARCH SEEN\n" + "S: * SEARCH 1234567890\n" * 5000 + "S: a OK found\nC: b XEND\nS: b OK"


def reading(whole: Scene, read: Callable[[int, int], Iterator[bytes]]) -> Scene:
    """The same, read in another way."""
    return Scene(whole.number, whole.user, whole.greeting, whole.steps, whole.rest, whole.hangs_up, read)


def test_a_long_answer_is_not_read_line_by_line() -> None:
    """A question to the store for each takes a thousand times as long, and everybody waits."""
    whole, asked = scene(LONG), list[int]()

    def read(start: int, end: int) -> Iterator[bytes]:
        asked.append(end - start)
        return whole.read(start, end)

    async def main() -> None:
        async with connected(Stage([reading(whole, read)])) as client:
            await client.say(b"q SEARCH SEEN\r\n")
            assert (await client.hear(b"q OK found\r\n")).count(b"* SEARCH 1234567890\r\n") == 5000
        assert len(asked) < 10
        assert max(asked) <= 65536

    asyncio.run(main())


@pytest.mark.parametrize("lost", [0, 1, 4000])
def test_where_the_recording_has_a_hole_the_connection_ends(lost: int) -> None:
    """With what is before it, and at once, whatever was to come."""
    whole = scene(LONG)
    hole = whole.steps[0].lines[lost].start

    def read(start: int, end: int) -> Iterator[bytes]:
        if start <= hole < end:
            raise StorageError("lost", "")
        return whole.read(start, end)

    async def main() -> None:
        async with connected(Stage([reading(whole, read)])) as client:
            await client.say(b"q SEARCH SEEN\r\nr XEND\r\n")
            heard = (await client.hear(b"")).splitlines()
            assert heard[0] == b"* PREAUTH hello"
            assert heard[1:-1] == [b"* SEARCH 1234567890"] * lost
            assert heard[-1] == b"* BYE imaptap: the recording has lost what comes here"

    asyncio.run(main())


def test_what_is_said_in_little_is_heard_as_it_is_answered() -> None:
    """A megabyte of commands compresses to nothing: they are understood one after another, as others are."""

    async def main() -> None:
        stage = Stage([scene(DEFLATE)], repeat=Repeat.LAST)
        async with connected(stage) as client:
            await client.say(b"q COMPRESS DEFLATE\r\n")
            await client.hear(b"q OK\r\n")
            deflate = zlib.compressobj(wbits=-zlib.MAX_WBITS)
            said = deflate.compress(b"q SEARCH SEEN\r\n" * 200_000) + deflate.flush(zlib.Z_SYNC_FLUSH)
            assert len(said) < 30_000
            await client.say(said)
            await client.hear(b"\xff\xff")
            assert stage.cast.times(stage.scenes[0], stage.scenes[0].steps[1]) < 100_000

    asyncio.run(main())


def test_a_compressed_stream_that_ends_is_the_end() -> None:
    """What is behind it is nothing: it would only be gathered."""

    async def main() -> None:
        async with connected(Stage([scene(DEFLATE)])) as client:
            await client.say(b"q COMPRESS DEFLATE\r\n")
            await client.hear(b"q OK\r\n")
            deflate = zlib.compressobj(wbits=-zlib.MAX_WBITS)
            await client.say(deflate.compress(b"r NOOP\r\n") + deflate.flush(zlib.Z_FINISH))
            await client.hear(b"")

    asyncio.run(main())


class Silent:
    """A server that never answers; `told` is set when it is asked."""

    def __init__(self) -> None:
        self.told = asyncio.Event()

    async def enter(self, *_: object) -> None:
        self.told.set()
        await never()


KNOWN = (
    "S: * OK hello\nC: a LOGIN bob x\nS: a OK in\nC: b SEARCH ALL\n"
    + f"S: * SEARCH{' 1234567890' * 20}\n" * 9999
    + "S: b OK"
)


@pytest.mark.parametrize("gone", [False, True])
def test_what_is_being_asked_when_the_run_ends_has_not_been_answered(gone: bool) -> None:
    """Whether its client is still there or not: else a run would end well in which something was not answered."""

    async def main() -> None:
        stage, far = Stage([scene(KNOWN)]), Silent()
        async with asyncio.timeout(20):
            client = Client(stage, far=far)
            await client.say(b"q LOGIN bob x\r\nr SEARCH SEEN\r\n")
            await far.told.wait()
            assert stage.missed == []
            if gone:
                client.go()
            client.served.cancel()
            with pytest.raises(asyncio.CancelledError):
                await client.served
            client.go()
        assert [asked.shown for asked, _, _ in stage.missed] == ["SEARCH SEEN"]
        assert "over before the server had answered" in stage.missed[0][1]

    asyncio.run(main())


def test_a_client_that_goes_before_the_server_is_asked_has_asked_in_vain() -> None:
    """It did not take what it was still being told."""

    async def main() -> None:
        stage, far = Stage([scene(KNOWN)]), Silent()
        async with asyncio.timeout(20):
            client = Client(stage, far=far)
            await client.say(b"q LOGIN bob x\r\ns SEARCH ALL\r\nr SEARCH SEEN\r\n")
            await client.hear(b"* SEARCH")
            client.go()
            await client.served
        assert not far.told.is_set()
        assert [asked.shown for asked, _, _ in stage.missed] == ["SEARCH SEEN"]

    asyncio.run(main())
