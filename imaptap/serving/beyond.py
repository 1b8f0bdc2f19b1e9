"""What a served connection has a server asked with: where its session stands, and the server that has taken over."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from proxy.imap.transcript import Direction, EventKind, readable
from proxy.live.errors import LiveError

if TYPE_CHECKING:
    from collections.abc import Callable

    from imaptap.serving.far import Far
    from imaptap.serving.pipe import Pipe
    from proxy.live.tap import Tap
    from proxy.replay.serving.standing import Standing
    from proxy.replay.serving.values import Ask

_LAST_ANSWERS_SECONDS = 1.0


class Beyond:
    """One connection's."""

    def __init__(self, far: Far, standing: Standing, tap: Tap | None, went: Callable[[int, str], None]) -> None:
        """`tap` is the session's ear; `went` hears its number and the command when a server was asked."""
        self.standing = standing
        self.pipe: Pipe | None = None
        """The server's end of the session, once it goes on there."""
        self.known = asyncio.Event()
        """Set when what was asked last has been answered."""
        self._far, self._tap, self._went = far, tap, went
        self._refused: tuple[object, str] = None, ""
        """Where the session was when the server could not take it over, and why."""

    async def ask(self, ask: Ask) -> bytes:
        """Have it asked, and note what came of it in `ask`. Returns what the client is told of it."""
        try:
            return await self._ask(ask)
        finally:
            self.known.set()

    async def _ask(self, ask: Ask) -> bytes:
        # A server that refuses is not asked the same again and again: it may lock somebody out, or take a minute.
        here = (self.standing.credentials, self.standing.selections)
        if self._refused[0] == here:
            ask.refusal = self._refused[1]
            return b""
        try:
            answer = await self._far.enter(self.standing, ask)
        except LiveError as error:
            ask.refusal = readable(str(error).rstrip(".").encode())
            self._refused = here, ask.refusal
            return b""
        self.pipe, ask.taken, ask.refusal = answer.pipe, answer.pipe is not None, ""
        if self._tap is not None:
            text = f"{self._far.endpoint.url} answers what the recording does not know"
            self._tap.event(EventKind.NOTICE, "asked upstream", text, Direction.CLIENT)
            self._went(self._tap.session, ask.shown)
        return answer.said

    async def end(self, saying: asyncio.Future[None]) -> None:
        """The client says no more: the server may answer what it has been asked."""
        pulse = None
        while self.pipe and not saying.done() and pulse != self.pipe.pulse:
            pulse = self.pipe.pulse
            await asyncio.wait({saying}, timeout=_LAST_ANSWERS_SECONDS)
        if self.pipe and not saying.done():
            self.pipe.close()
            await asyncio.wait({saying}, timeout=_LAST_ANSWERS_SECONDS)
        self.close()

    def close(self) -> None:
        """The connection is over."""
        self.standing.command.clear()
        if self.pipe:
            self.pipe.abort()
