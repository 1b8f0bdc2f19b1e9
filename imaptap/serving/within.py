"""The server in the recorder's own process, in place of one that is dialled."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING

from proxy.live.errors import LiveError
from proxy.live.upstream import Upstream

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from proxy.live.endpoint import Endpoint
    from proxy.live.leg import Leg
    from proxy.live.settings import Settings
    from proxy.live.tap import Tap

_BOTH_ENDS = 2
_OF_ONE_THAT_ASKS = 2


class Within(Upstream):
    """Dials nobody: hands each session to a server in this process."""

    def __init__(
        self, settings: Settings, serve: Callable[[socket.socket, Tap | None], Awaitable[None]], *, asks: bool
    ) -> None:
        """`serve` gets a socket, and the ear of the session that it is for.

        `asks`: whether a session may go on at a server, and then has a connection more, and a file for a long command.
        """
        super().__init__(settings)
        self.sockets = _BOTH_ENDS + _OF_ONE_THAT_ASKS * asks
        self._serve = serve
        self._tasks: set[asyncio.Future[None]] = set()

    async def dial(self, endpoint: Endpoint, leg: Leg, *, alpn: bool) -> None:  # noqa: ARG002 - as its base has it
        """Connect `leg` to a served session. Raises LiveError where there are too many open files."""
        ours, theirs = _pair()
        try:
            await asyncio.get_running_loop().connect_accepted_socket(lambda: leg, ours)
        except BaseException:
            ours.close()
            theirs.close()
            raise
        task = asyncio.ensure_future(self._serve(theirs, leg.tap))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """End all sessions that are still served, and wait for them."""
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _pair() -> tuple[socket.socket, socket.socket]:
    try:
        pair = socket.socketpair()
    except OSError as error:
        raise LiveError("This process has too many open files.", "Raise the limit (ulimit -n).") from error
    for sock in pair:
        sock.setblocking(False)
    return pair
