"""The server in the recorder's own process: its sessions end with the recorder, and files are counted."""

from __future__ import annotations

import asyncio
import errno
import socket
from typing import TYPE_CHECKING, cast

import pytest

from imaptap.serving.within import Within
from proxy.live.endpoint import Endpoint, Security
from proxy.live.errors import LiveError
from proxy.live.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from proxy.live.leg import Leg
    from proxy.live.tap import Tap

HERE = Endpoint(Security.PLAIN, "localhost", 143)


class Deaf(asyncio.Protocol):
    """A leg that nobody listens at."""

    tap = None


def within(serve: Callable[[socket.socket, Tap | None], Awaitable[None]]) -> Within:
    """What dials nobody."""
    return Within(Settings(upstream=HERE, listen=()), serve, asks=False)


def test_sessions_that_are_served_end_with_the_recorder() -> None:
    """None is left to the end of the process, with its sockets."""
    ended: list[int] = []

    async def serve(sock: socket.socket, _: object) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(sock.fileno())
            sock.close()

    async def main() -> None:
        upstream = within(serve)
        await upstream.dial(HERE, cast("Leg", Deaf()), alpn=False)
        await asyncio.sleep(0)
        await upstream.close()
        assert len(ended) == 1

    asyncio.run(main())


def test_too_many_open_files_are_told_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a sentence and a hint: it is no fault of imaptap's."""

    def scarce() -> None:
        raise OSError(errno.EMFILE, "too many")

    async def serve(_sock: socket.socket, _tap: object) -> None:
        raise AssertionError("nobody is there")

    async def main() -> None:
        upstream = within(serve)
        monkeypatch.setattr(socket, "socketpair", scarce)
        with pytest.raises(LiveError, match="too many open files") as told:
            await upstream.dial(HERE, cast("Leg", Deaf()), alpn=False)
        assert told.value.hint

    with asyncio.Runner() as runner:
        runner.run(asyncio.sleep(0))  # the loop has a pair of its own
        runner.run(main())


@pytest.mark.parametrize(("asks", "files"), [(False, 2), (True, 4)])
def test_a_session_that_goes_on_at_a_server_has_more_files(asks: bool, files: int) -> None:
    """Its connection there, and the letter that is said again."""

    async def serve(_sock: socket.socket, _tap: object) -> None:
        raise AssertionError("nobody is there")

    assert Within(Settings(upstream=HERE, listen=()), serve, asks=asks).sockets == files
