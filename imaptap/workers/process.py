"""One worker process, as its parent sees it: born, up, heard, told to end, gone."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
from collections import deque
from collections.abc import Callable
from typing import Final, Self, cast

from imaptap.workers.messages import Closed, Failed, Frames, Message, Opened, Order, Up, frame

_FOR_PARENTS: Final = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
"""Signals that end a recorder. A terminal sends them to all of its processes; each worker is born with them blocked."""

_ENDED_LATELY: Final = 4096
"""How many sessions may have ended whose end was perhaps not on the disk when their worker died."""


class Worker(asyncio.Protocol):
    """A running worker. `hear` gets its process number and what it tells, but for what this class is told itself."""

    def __init__(self, process: asyncio.subprocess.Process, hear: Callable[[int, Message], None]) -> None:
        self.up: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Done when it serves clients; cancelled when it ends without."""
        self.failure: Failed | None = None
        """Why it ended, if it said so."""
        self._process = process
        self._hear = hear
        self._frames = Frames()
        self._open: set[int] = set()
        self._ended: deque[int] = deque(maxlen=_ENDED_LATELY)
        self._transport: asyncio.Transport | None = None
        self._silent = asyncio.get_running_loop().create_future()

    @classmethod
    async def start(cls, order: Order, hear: Callable[[int, Message], None]) -> Self:
        """Start a process that obeys `order`. Raises OSError when the system has no room for one."""
        first_words = frame(order)  # now: once the recording ends, its sockets have no descriptors any more
        ours, theirs = socket.socketpair()
        with theirs:
            inherited = [sock.fileno() for port in order.ports for sock in port.sockets]
            try:
                worker = cls(await _born(theirs.fileno(), order.shared.descriptor, *inherited), hear)
            except BaseException:
                ours.close()
                raise
        transport, _ = await asyncio.get_running_loop().create_unix_connection(lambda: worker, sock=ours)
        transport.write(first_words)
        return worker

    @property
    def pid(self) -> int:
        """Its process number."""
        return self._process.pid

    @property
    def sessions(self) -> frozenset[int]:
        """The numbers of its sessions that may have no end in the store; perhaps some others that have."""
        return frozenset(self._open) | frozenset(self._ended)

    def say(self, message: Message) -> None:
        """Send it a message, if it can still hear."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(frame(message))

    def stop(self) -> None:
        """Have it end its sessions, and itself."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write_eof()

    async def gone(self) -> int:
        """Wait for its end. Returns the exit code; for a signal, its number below zero."""
        await self._silent  # else its last words might be overtaken by its end
        return await self._process.wait()

    # --- asyncio's ---------------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio's."""
        self._transport = cast("asyncio.Transport", transport)  # aiofastnet's has the methods, not the base class

    def data_received(self, data: bytes) -> None:
        """asyncio's."""
        for message in self._frames.feed(data):
            if isinstance(message, Opened):
                self._open.add(message.session)
            elif isinstance(message, Closed):
                self._open.discard(message.session)
                self._ended.append(message.session)
            elif isinstance(message, Failed):
                self.failure = message
            elif isinstance(message, Up):
                self.up.set_result(None)
            else:
                self._hear(self.pid, message)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """asyncio's."""
        self.up.cancel()
        self._silent.set_result(None)


async def _born(theirs: int, *inherited: int) -> asyncio.subprocess.Process:
    words = (sys.executable, "-P", "-m", "imaptap.workers", str(theirs))
    nowhere = asyncio.subprocess.DEVNULL
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _FOR_PARENTS)
    try:
        return await asyncio.create_subprocess_exec(
            *words, stdin=nowhere, stdout=nowhere, pass_fds=(theirs, *inherited)
        )
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
