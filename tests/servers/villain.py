"""An IMAP server that does harm when asked to: `python -m tests.servers.villain` prints its port and serves.

It greets, takes any login and answers any command with OK, blank lines not at all; what begins with X it does:

    a XTALK n       says n small lines before its OK
    a XLINE n       says one line of n bytes
    a XNEST n       opens n parentheses
    a XZEROS n      announces and sends a literal of n zeros
    a XLIE          announces a literal of 2^63-1 bytes, and sends its OK within it
    a XMUTE         never says anything again, but reads
    a XDEAF         says OK, and never reads again
    a XRESET        resets the connection
    a XDRIP n       says n bytes of a line, each by itself
    a XNONSENSE n   sends n bytes that mean nothing
    a XESCAPES      answers with what terminals obey

After COMPRESS DEFLATE all of it is compressed, as far as it can be.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import resource
import socket
import struct
import sys
import zlib
from collections import deque
from collections.abc import Callable, Coroutine

MIB = 1 << 20
_KEPT = 1000
GREETING = b"* OK [CAPABILITY IMAP4rev1 COMPRESS=DEFLATE] at your service\r\n"


class Villain:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.inflater: zlib._Decompress | None = None
        self.deflater: zlib._Compress | None = None
        self.lines: deque[bytes] = deque()
        self.half = bytearray()

    async def say(self, *data: bytes) -> None:
        """Until the socket has taken it."""
        for part in data:
            self.writer.write(self.deflater.compress(part) if self.deflater else part)
            await self.writer.drain()

    async def flush(self) -> None:
        """What the compressor still has."""
        if self.deflater:
            self.writer.write(self.deflater.flush(zlib.Z_SYNC_FLUSH))
            await self.writer.drain()

    async def line(self) -> bytes:
        """The client's next line; nothing at the end."""
        while not self.lines:
            data = await self.reader.read(65536)
            if not data:
                return b""
            first, *others = (self.inflater.decompress(data) if self.inflater else data).split(b"\n")
            self._add(first)
            for other in others:
                self.lines.append(bytes(self.half) + b"\n")
                self.half.clear()
                self._add(other)
        return self.lines.popleft()

    def _add(self, data: bytes) -> None:
        """Of a line that never ends only the beginning matters."""
        self.half += data[: max(0, _KEPT - len(self.half))]

    async def serve(self) -> None:
        """To the end."""
        await self.say(GREETING)
        while line := await self.line():
            if line.isspace():
                continue
            tag, name, *words = [*line.split(), b"", b""]
            act = ACTS.get(name.upper())
            if act:
                await act(self, int(words[0] or b"0"))
            if act in (mute, reset):
                return
            await self.say(tag + b" OK done\r\n")
            await self.flush()
            if name.upper() == b"COMPRESS":
                self.deflater = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
                self.inflater = zlib.decompressobj(-zlib.MAX_WBITS)
            if act is deaf:
                await asyncio.Event().wait()
            if name.upper() == b"LOGOUT":
                return


async def talk(villain: Villain, count: int) -> None:
    for _ in range(count // 1000):
        await villain.say(b"* 1 EXISTS\r\n" * 1000)


async def long_line(villain: Villain, size: int) -> None:
    await villain.say(b"* SEARCH")
    for _ in range(size // 65536):
        await villain.say(b" 1234567" * 8192)
    await villain.say(b"\r\n")


async def nest(villain: Villain, count: int) -> None:
    await villain.say(b"* 1 FETCH ", b"(" * count, b")" * count, b"\r\n")


async def zeros(villain: Villain, size: int) -> None:
    await villain.say(b"* 1 FETCH (BODY[] {%d}\r\n" % size)
    for _ in range(size // MIB):
        await villain.say(bytes(MIB))
    await villain.say(bytes(size % MIB), b")\r\n")


async def lie(villain: Villain, _: int) -> None:
    await villain.say(b"* 1 FETCH (BODY[] {9223372036854775807}\r\n")


async def mute(villain: Villain, _: int) -> None:
    while await villain.reader.read(65536):
        pass


async def deaf(_: Villain, __: int) -> None:
    """It is deaf after its answer."""


async def reset(villain: Villain, _: int) -> None:
    sock = villain.writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    villain.writer.transport.abort()


async def drip(villain: Villain, count: int) -> None:
    villain.writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    await villain.say(b"* SEARCH ")
    for _ in range(count):
        await villain.say(b"1")
        await asyncio.sleep(0)
    await villain.say(b"\r\n")


async def nonsense(villain: Villain, size: int) -> None:
    dice = random.Random(1)  # noqa: S311 - no secret hangs on it
    for _ in range(size // 65536):
        await villain.say(dice.randbytes(65536))
    await villain.say(b"\r\n")


async def escapes(villain: Villain, _: int) -> None:
    await villain.say(b"* OK [\x1b[2J] \x1b]0;pwned\x07\x1b[31m\xff\r\n", b"* \x9b2J\x1bc 1\r\n")


ACTS: dict[bytes, Callable[[Villain, int], Coroutine[None, None, None]]] = {
    b"XTALK": talk, b"XLINE": long_line, b"XNEST": nest, b"XZEROS": zeros, b"XLIE": lie, b"XMUTE": mute,
    b"XDEAF": deaf, b"XRESET": reset, b"XDRIP": drip, b"XNONSENSE": nonsense, b"XESCAPES": escapes,
}  # fmt: skip


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One client; how it goes is not our concern."""
    with contextlib.suppress(OSError, zlib.error):
        await Villain(reader, writer).serve()
    writer.transport.abort() if writer.transport.is_closing() else writer.close()


async def main() -> None:
    """Say the port, and serve until standard input ends."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    server = await asyncio.start_server(serve, "127.0.0.1", 0, backlog=4096)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main())
