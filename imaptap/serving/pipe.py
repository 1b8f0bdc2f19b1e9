"""A session that goes on at a server: what either side says goes to the other as it is, as fast as it takes it."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

from proxy.replay.serving.pluses import Pluses

if TYPE_CHECKING:
    from proxy.imap.units import Unit
    from proxy.live.leg import Leg
    from proxy.replay.connection import Connection
    from proxy.replay.serving.spool import Spool

_MOST = 256 * 1024
"""Bytes of the server's that may wait for the client before no more is read."""
_PEER = "peer"


class Pipe:
    """The server's end. It owns the leg of a connection that has been brought into the session's state."""

    def __init__(self, connection: Connection) -> None:
        self._chunks: deque[bytes] = deque()
        self._size = 0
        self._heard = 0
        self._came = asyncio.Event()
        self._changed = asyncio.Event()
        """Set when there is room again, when a literal may go, and when nothing will ever change."""
        self._ended = self._full = False
        self._pluses: Pluses | None = None
        self._leg = connection.hand_over(self)
        self._ended = not self._leg.open or self._leg.heard_all

    @property
    def pulse(self) -> tuple[int, int]:
        """Changes while bytes move."""
        return self._heard, self._leg.unsent

    async def hear(self) -> bytes:
        """What the server says next; nothing at its end."""
        while not self._chunks:
            if self._ended:
                return b""
            self._came.clear()
            await self._came.wait()
        data = self._chunks.popleft()
        self._size -= len(data)
        if self._size <= _MOST // 2:
            self._leg.free(_PEER)
        return data

    async def say(self, data: bytes) -> None:
        """Send; waits until there is room for more."""
        self._leg.write(data)
        while self._full and not self._ended:
            await self._change()

    async def say_command(self, tag: bytes, unit: Unit, spool: Spool) -> None:
        """Send a command, all of which is there. Its literals wait for the server; if it wants none, they stay here."""
        waiting = [literal.start - unit.start for literal in unit.literals if literal.synchronising]
        pluses = self._pluses = Pluses(tag, len(waiting))
        said = 0
        for heard, end in enumerate((*waiting, unit.end - unit.start)):
            while pluses.due and pluses.heard < heard and not self._ended:
                await self._change()
            if self._ended or pluses.heard < heard:
                return
            for part in spool.parts(said, end):
                await self.say(part)
            said = end

    def close(self) -> None:
        """Close when all has gone out."""
        self._leg.close()

    def abort(self) -> None:
        """Close at once."""
        self._leg.abort()
        self._end()

    async def _change(self) -> None:
        self._changed.clear()
        await self._changed.wait()

    def _end(self) -> None:
        self._ended = True
        self._came.set()
        self._changed.set()

    # --- what a Leg tells its owner ---------------------------------------------------------------------------------

    def data(self, leg: Leg, data: bytes) -> None:
        """Bytes have come."""
        self._heard += len(data)
        if self._pluses is not None and self._pluses.due:
            data = self._pluses.feed(data)
            self._changed.set()
        if not data:
            return
        self._chunks.append(data)
        self._size += len(data)
        self._came.set()
        if self._size > _MOST:
            leg.hold(_PEER)

    def eof(self, leg: Leg) -> bool:
        """The server sends no more."""
        del leg
        self._end()
        return False

    def lost(self, leg: Leg, error: Exception | None) -> None:
        """The connection is gone."""
        del leg, error
        self._end()

    def gone(self) -> None:
        """Never the case: nothing is kept."""

    def pressed(self, leg: Leg, *, full: bool) -> None:
        """The server does not read fast enough, or does again."""
        del leg
        self._full = full
        if not full:
            self._changed.set()
