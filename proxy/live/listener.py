"""The server's bytes as a queue, for the while in which imaptap itself talks to it."""

from __future__ import annotations

import asyncio


class UpstreamListener:
    """Hears the server's bytes; the session reads them."""

    def __init__(self) -> None:
        self._chunks: asyncio.Queue[bytes] = asyncio.Queue()
        self.heard_bytes = 0

    def heard(self, data: bytes) -> None:
        """The server has sent these."""
        self.heard_bytes += len(data)
        self._chunks.put_nowait(data)

    @property
    def waiting(self) -> bool:
        """Whether chunks have come that nobody has read."""
        return not self._chunks.empty()

    def ended(self) -> None:
        """The server has gone."""
        self._chunks.put_nowait(b"")

    async def read(self) -> bytes:
        """The next chunk; empty when the server has gone."""
        return await self._chunks.get()
