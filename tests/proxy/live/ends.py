"""Both ends of one session as asyncio streams, for tests that push bytes through in their own ways."""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import struct
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from tests.servers.wait import PATIENCE

if TYPE_CHECKING:
    from tests.proxy.live.conftest import MakeRig
    from tests.proxy.live.rig import Rig
    from tests.servers.certificates import Identity

T = TypeVar("T")


@dataclass
class End:
    """One end."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, data: bytes) -> None:
        """Until the transport has room again."""
        self.writer.write(data)
        await self.writer.drain()

    async def receive(self, count: int) -> bytes:
        """Exactly so many bytes."""
        return await self.reader.readexactly(count)

    async def rest(self) -> bytes:
        """All up to the end, however that comes."""
        data = bytearray()
        with contextlib.suppress(OSError):
            while part := await self.reader.read(1 << 20):
                data += part
        return bytes(data)

    async def line(self) -> bytes:
        """One line."""
        return await self.reader.readline()

    def finish(self) -> None:
        """Say that no more comes, and go on reading."""
        self.writer.write_eof()

    def reset(self) -> None:
        """Close with a TCP reset."""
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    def vanish(self) -> None:
        """Close without a word; with TLS, without close_notify."""
        self.writer.transport.abort()

    async def close(self) -> None:
        """The ordinary end."""
        self.writer.close()
        with contextlib.suppress(OSError):
            await self.writer.wait_closed()


@dataclass
class Ends:
    """A session: its client, its server, and the rig between them."""

    client: End
    server: End
    rig: Rig

    def pair(self, *, down: bool) -> tuple[End, End]:
        """Sender and receiver of one direction."""
        return (self.server, self.client) if down else (self.client, self.server)


Scenario = Callable[[Ends], Awaitable[T]]


@dataclass
class Wire:
    """A rig and its upstream; `play` runs one session after the other."""

    rig: Rig
    listen: str
    upstream: str
    listener: socket.socket
    identity: Identity

    def play(self, scenario: Scenario[T], *, greet: bool = True) -> T:
        """Run it with both ends of a new session. With `greet` the session is authenticated from the start."""
        return asyncio.run(asyncio.wait_for(self._play(scenario, greet=greet), 3 * PATIENCE))

    async def _play(self, scenario: Scenario[T], *, greet: bool) -> T:
        arrived: asyncio.Queue[End] = asyncio.Queue()
        context = self.identity.server_context() if self.upstream == "imaps" else None
        server = await asyncio.start_server(
            lambda reader, writer: arrived.put_nowait(End(reader, writer)), sock=self.listener.dup(), ssl=context
        )
        async with server:
            trusting = self.rig.trusting if self.listen == "imaps" else None
            name = "localhost" if trusting else None
            port = self.rig.port(self.listen)
            client = End(*await asyncio.open_connection("127.0.0.1", port, ssl=trusting, server_hostname=name))
            ends = Ends(client, await arrived.get(), self.rig)
            try:
                if greet:
                    await ends.server.send(b"* PREAUTH hi\r\n")
                    assert await ends.client.line() == b"* PREAUTH hi\r\n"
                return await scenario(ends)
            except BaseException:
                client.vanish()
                ends.server.vanish()
                raise
            finally:
                await ends.client.close()
                await ends.server.close()


class Wiring:
    """`with Wiring(make_rig, identity, "imaps", "imap+insecure") as wire:`."""

    def __init__(self, make_rig: MakeRig, identity: Identity, listen: str, upstream: str, **settings: object) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        rig = make_rig(f"{upstream}://localhost:{self.listener.getsockname()[1]}", **settings)
        self.wire = Wire(rig, listen, upstream, self.listener, identity)

    def __enter__(self) -> Wire:
        self.wire.rig.__enter__()
        return self.wire

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        try:
            self.wire.rig.__exit__(kind, *rest)
        finally:
            self.listener.close()


def literal(data: bytes, *, down: bool) -> bytes:
    """What announces these bytes as a body: no gate looks at them."""
    return b"* 1 FETCH (BODY[] {%d}\r\n" % len(data) if down else b"a APPEND x {%d+}\r\n" % len(data)


def dice(seed: int) -> random.Random:
    """Chance that comes out the same each time."""
    return random.Random(seed)  # noqa: S311 - no secret hangs on it
