"""The server in the recorder's own process: does what a served session says, in order and not too fast for its peer."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import zlib
from collections import deque
from typing import TYPE_CHECKING, Protocol

from proxy.imap.capabilities import CapabilityRewriter, Words, may_hold_list
from proxy.live.errors import LiveError
from proxy.live.upstream import Upstream
from proxy.replay.serving.served import Served
from proxy.replay.serving.values import Kind, Plain, Play, Say, Several
from storage import StorageError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from proxy.live.endpoint import Endpoint
    from proxy.live.leg import Leg
    from proxy.live.settings import Settings
    from proxy.replay.pace import Pace
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
_LIST_MOST = 4096
_APART_SECONDS = 0.1
_LOST = b"* BYE imaptap: the recording has lost what comes here\r\n"


class Within(Upstream):
    """Dials nobody: hands each session to a server in this process."""

    def __init__(self, settings: Settings, serve: Callable[[socket.socket], Awaitable[None]]) -> None:
        super().__init__(settings)
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
        task = asyncio.ensure_future(self._serve(theirs))
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


class Connection:
    """One served session's connection."""

    def __init__(
        self, served: Served, pace: Pace | None, mechanisms: frozenset[str], told: Callable[[], Awaitable[None]] | None
    ) -> None:
        """`pace` says how long to wait for what came late, None: not at all; `told` waits until news may come."""
        self._served, self._pace, self._told = served, pace, told
        words = Words(hide_starttls=True, hide_logindisabled=True, mechanisms=mechanisms)
        self._lists = CapabilityRewriter(words)
        self._acts: deque[Act] = deque()
        self._hurry = asyncio.Event()
        self._hurried = 0
        """So many of the acts that come next were there when the client went on."""
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
            await saying
        except (OSError, zlib.error, asyncio.IncompleteReadError):
            pass  # the client is gone, or speaks no deflate
        finally:
            saying.cancel()
            with contextlib.suppress(asyncio.CancelledError, OSError):
                await saying
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
            if act is Plain.DEFLATE:
                self._inflate = zlib.decompressobj(-zlib.MAX_WBITS)
            self._acts.append(act)
            self._wake.set()
            while len(self._acts) > _WAITING_MOST and not saying.done():
                self._room.clear()
                await self._room.wait()

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
            await self._do(act, writer)
            self._acts.popleft()
            self._hurried = max(0, self._hurried - 1)
            if not self._hurried:
                self._hurry.clear()
            if len(self._acts) <= _WAITING_MOST:
                self._room.set()
        writer.close()

    async def _do(self, act: Act, writer: asyncio.StreamWriter) -> None:
        if act is Plain.DEFLATE:
            self._deflate = zlib.compressobj(wbits=-zlib.MAX_WBITS)
        elif isinstance(act, Say):
            await self._send(self._with_lists(act.data), writer)
        elif isinstance(act, Play | Several):
            try:
                for play in (act,) if isinstance(act, Play) else act.plays:
                    await self._wait(play)
                    for part in self._played(play):
                        await self._send(part, writer)
            except StorageError:
                await self._send(_LOST, writer)
                self._acts.clear()
                self._acts += (act, Plain.CLOSE)

    async def _send(self, data: bytes, writer: asyncio.StreamWriter) -> None:
        if self._deflate is not None:
            data = self._deflate.compress(data) + self._deflate.flush(zlib.Z_SYNC_FLUSH)
        writer.write(data)
        await writer.drain()

    async def _wait(self, play: Play) -> None:
        """Until the line's time has come. News of a client that goes on to ask something else waits no longer."""
        news = play.line.kind is Kind.NEWS or play.apart
        no_longer = self._hurry if news else self._heard_all
        if no_longer.is_set():
            return
        if news and self._told is not None:
            waiting = asyncio.ensure_future(self._told())
        elif seconds := self._seconds(play):
            waiting = asyncio.ensure_future(asyncio.sleep(seconds))
        else:
            return
        hurry = asyncio.ensure_future(no_longer.wait())
        try:
            await asyncio.wait({waiting, hurry}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting.cancel()
            hurry.cancel()

    def _seconds(self, play: Play) -> float:
        if self._pace is not None:
            return self._pace.pause(play.line.wait)
        return min(play.line.wait / 1_000_000, _APART_SECONDS) if play.apart else 0.0

    def _played(self, play: Play) -> Iterator[bytes]:
        line = play.line
        if line.end - line.start > _LIST_MOST:
            parts = iter(play.scene.read(line.start, line.end))
            first = next(parts, b"")
            yield _retagged(first, play)
            yield from parts
            return
        data = _varied(b"".join(play.scene.read(line.start, line.end)), play)
        yield self._with_lists(_retagged(data, play))

    def _with_lists(self, data: bytes) -> bytes:
        """A line with those capabilities only that can be served."""
        if may_hold_list(data) and (rewrite := self._lists.rewrite(data, 0)):
            data = data[: rewrite.offset] + rewrite.sent + data[rewrite.offset + len(rewrite.received) :]
        return data


def _varied(data: bytes, play: Play) -> bytes:
    """With what the client has said where it varies. Literals keep their size: what does not fit is not taken."""
    said, literal = dict(play.said), b"}\r\n" in data[:-2]
    for place in sorted(play.line.varying, reverse=True):
        new = said.get(place.name.replace("-", "_"))
        start, end = place.start - play.line.start, place.end - play.line.start
        if new is not None and (not literal or len(new) == end - start):
            data = data[:start] + new + data[end:]
    return data


def _retagged(data: bytes, play: Play) -> bytes:
    """A completion with the tag of the command that it completes now."""
    if play.line.kind is not Kind.COMPLETION:
        return data
    return play.tag + data[data.find(b" ") :]
