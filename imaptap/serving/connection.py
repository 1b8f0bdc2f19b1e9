"""One served connection: does what its session says, in order and not too fast for its peer."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import zlib
from collections import deque
from typing import TYPE_CHECKING, Protocol

from imaptap.serving.lines import Lines, follows
from proxy.replay.serving.values import Ask, Kind, Pass, Plain, Play, Say, Several
from storage import StorageError

if TYPE_CHECKING:
    import socket
    from collections.abc import Awaitable, Callable, Iterable, Iterator

    from imaptap.serving.beyond import Beyond
    from imaptap.serving.pipe import Pipe
    from proxy.replay.pace import Pace
    from proxy.replay.serving.served import Served
    from proxy.replay.serving.values import Act

    class _Inflate(Protocol):
        @property
        def unconsumed_tail(self) -> bytes: ...

        @property
        def eof(self) -> bool: ...

        def decompress(self, data: bytes, max_length: int = ..., /) -> bytes: ...

    class _Deflate(Protocol):
        def compress(self, data: bytes, /) -> bytes: ...

        def flush(self, mode: int = ..., /) -> bytes: ...


_CHUNK = 64 * 1024
_WAITING_MOST = 1000
"""Acts that may wait before more of what the client says is read."""
_APART_SECONDS = 0.1
_SHORTEST_SECONDS = 0.002
_LOST = b"* BYE imaptap: the recording has lost what comes here\r\n"


class Connection:
    """One served session's connection."""

    def __init__(
        self,
        served: Served,
        pace: Pace | None,
        mechanisms: frozenset[str],
        told: Callable[[], Awaitable[None]] | None,
        beyond: Beyond | None = None,
    ) -> None:
        """`pace` says how long to wait for what came late, None: not at all; `told` waits until news may come.

        `beyond` has what nothing recorded answers asked of a server.
        """
        self._served, self._pace, self._told, self._beyond = served, pace, told, beyond
        self._lines = Lines(mechanisms)
        self._acts: deque[Act] = deque()
        self._hurry = asyncio.Event()
        self._hurried = 0
        """So many of the acts that come next were there when the client went on."""
        self._late = 0.0
        """Seconds of pauses too short for the clock, which come with the next ones."""
        self._wake = asyncio.Event()
        self._room = asyncio.Event()
        self._inflate: _Inflate | None = None
        self._deflate: _Deflate | None = None
        self._heard_all = asyncio.Event()

    async def run(self, sock: socket.socket) -> None:
        """Serve until either side closes."""
        reader, writer = await asyncio.open_connection(sock=sock)
        saying = asyncio.ensure_future(self._say(writer))
        # Nobody makes room any more where the client has gone while it was being told something.
        saying.add_done_callback(lambda _: self._room.set())
        try:
            await self._put(self._served.begin(), saying)
            while not saying.done() and (data := await reader.read(_CHUNK)):
                await self._hear(data, saying)
            self._end_of_client()
            if self._beyond:
                await self._beyond.end(saying)
            await saying
        except (OSError, zlib.error):
            pass  # the client is gone, or speaks no deflate
        finally:
            saying.cancel()
            with contextlib.suppress(asyncio.CancelledError, OSError):
                await saying
            if self._beyond:
                self._beyond.close()
            writer.close()

    async def _hear(self, data: bytes, saying: asyncio.Future[None]) -> None:
        if self._inflate is None:
            await self._put(self._served.receive(data), saying)
            return
        while data and not saying.done():
            part = self._inflate.decompress(data, _CHUNK)
            data = self._inflate.unconsumed_tail
            await self._put(self._served.receive(part), saying)
        if self._inflate.eof:
            raise zlib.error("the client has ended its compressed stream")

    async def _put(self, acts: Iterator[Act], saying: asyncio.Future[None]) -> None:
        """Have these done. What the client said is understood as far only as there is room for what it gets."""
        for act in acts:
            if saying.done():
                return
            if act is Plain.HURRY:
                self._go_on()
                continue
            if isinstance(act, Pass):
                await self._pass(act.data)
                continue
            if act is Plain.DEFLATE:
                self._inflate = zlib.decompressobj(-zlib.MAX_WBITS)
            self._acts.append(act)
            self._wake.set()
            if isinstance(act, Ask):
                try:
                    await self._asked(act, saying)
                except asyncio.CancelledError:
                    next(acts, None)  # what came of it is noted there
                    raise
            while len(self._acts) > _WAITING_MOST and not saying.done():
                self._room.clear()
                await self._room.wait()

    async def _pass(self, data: bytes) -> None:
        if self._beyond and self._beyond.pipe:
            await self._beyond.pipe.say(data)

    async def _asked(self, ask: Ask, saying: asyncio.Future[None]) -> None:
        """What the client says next is not understood before it is known who answers it."""
        if self._beyond is None:
            return
        known = asyncio.ensure_future(self._beyond.known.wait())
        try:
            await asyncio.wait((known, saying), return_when=asyncio.FIRST_COMPLETED)
        finally:
            known.cancel()
        self._beyond.known.clear()
        if ask.taken and self._beyond.pipe and ask.unit is not None:
            await self._beyond.pipe.say_command(ask.tag, ask.unit, self._beyond.standing.command)
            self._beyond.standing.command.clear()

    def _go_on(self) -> None:
        if self._acts:
            self._hurried = len(self._acts)
            self._hurry.set()

    def _end_of_client(self) -> None:
        """It says nothing any more, and perhaps is gone: nothing waits for its time, or for --step, on its account."""
        self._heard_all.set()
        self._wake.set()
        self._go_on()

    async def _say(self, writer: asyncio.StreamWriter) -> None:
        while True:
            while not self._acts:
                if self._heard_all.is_set():
                    return
                self._wake.clear()
                await self._wake.wait()
            act = self._acts[0]
            if act is Plain.CLOSE:
                break
            if isinstance(act, Ask) and self._beyond:
                await self._send(await self._beyond.ask(act), writer)
                if self._beyond.pipe:
                    await self._carry(self._beyond.pipe, writer)
                    break
            await self._do(act, writer)
            self._acts.popleft()
            self._hurried = max(0, self._hurried - 1)
            if not self._hurried:
                self._hurry.clear()
            if len(self._acts) <= _WAITING_MOST:
                self._room.set()
        writer.close()

    async def _carry(self, pipe: Pipe, writer: asyncio.StreamWriter) -> None:
        """What the server says is the client's from here on."""
        while data := await pipe.hear():
            await self._send(data, writer)

    async def _do(self, act: Act, writer: asyncio.StreamWriter) -> None:
        if act is Plain.DEFLATE:
            self._deflate = zlib.compressobj(wbits=-zlib.MAX_WBITS)
        elif act is Plain.SELECTS and self._beyond:
            self._beyond.standing.selecting()
        elif isinstance(act, Say):
            await self._send(self._lines.with_lists(act.data), writer)
        elif isinstance(act, Play | Several):
            try:
                await self._play((act,) if isinstance(act, Play) else act.plays, writer)
            except StorageError:
                await self._send(_LOST, writer)
                self._acts.clear()
                self._acts += (act, Plain.CLOSE)

    async def _play(self, plays: Iterable[Play], writer: asyncio.StreamWriter) -> None:
        """Lines that nothing keeps apart go together."""
        run: list[Play] = []
        for play in plays:
            pause = self._pause(play)
            if run and (pause or play.apart or not follows(run, play)):
                await self._send_run(run, writer)
                run = []
            if pause:
                await self._wait(pause, self._no_longer(play))
            run.append(play)
        if run:
            await self._send_run(run, writer)

    async def _send_run(self, run: list[Play], writer: asyncio.StreamWriter) -> None:
        if len(run) > 1:
            with contextlib.suppress(StorageError):  # what is before a hole is not lost
                return await self._send(self._lines.together(run), writer)
        for play in run:
            for part in self._lines.of(play):
                await self._send(part, writer)
        return None

    async def _send(self, data: bytes, writer: asyncio.StreamWriter) -> None:
        if self._beyond and not self._beyond.pipe:
            self._beyond.standing.told(data)
        if self._deflate is not None:
            data = self._deflate.compress(data) + self._deflate.flush(zlib.Z_SYNC_FLUSH)
        writer.write(data)
        await writer.drain()

    def _no_longer(self, play: Play) -> asyncio.Event:
        """When a line waits no longer: news when the client goes on to ask something else."""
        return self._hurry if play.line.kind is Kind.NEWS or play.apart else self._heard_all

    def _pause(self, play: Play) -> Callable[[], Awaitable[None]] | None:
        """What waits until the line's time has come; None where it has."""
        if self._no_longer(play).is_set():
            return None
        if self._told is not None and (play.line.kind is Kind.NEWS or play.apart):
            return self._told
        seconds = self._seconds(play)
        return functools.partial(asyncio.sleep, seconds) if seconds else None

    def _seconds(self, play: Play) -> float:
        if self._pace is None:
            return min(play.line.wait / 1_000_000, _APART_SECONDS) if play.apart else 0.0
        seconds = self._late + self._pace.pause(play.line.wait)
        self._late = 0.0 if play.apart or seconds >= _SHORTEST_SECONDS else seconds
        return 0.0 if self._late else seconds

    @staticmethod
    async def _wait(pause: Callable[[], Awaitable[None]], no_longer: asyncio.Event) -> None:
        waiting = asyncio.ensure_future(pause())
        hurry = asyncio.ensure_future(no_longer.wait())
        try:
            await asyncio.wait({waiting, hurry}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting.cancel()
            hurry.cancel()
