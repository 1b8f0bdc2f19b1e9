"""Busy traffic that knows what it was: a small server in clear, clients with TLS, and every byte and answer they saw.

All of it runs in one event loop. What the clients do comes from the dice they are given, so a seed plays it again.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import re
import ssl
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable

PASSWORD = b"correct horse"
LITERAL = re.compile(rb"\{(\d+)\+?\}\r\n$")
THINKING = 0.015
"""Seconds at most that a client rests between two commands."""
SIZES = (150, 3_000, 9_000, 60_000, 1_500_000)
_LIKELY = (30, 30, 20, 17, 3)
_NOISE = random.Random(7).randbytes(2_000_000)  # noqa: S311 - no secret


def letter(number: int) -> bytes:
    """The message of this number: every number has its own, and the sizes differ."""
    (size,) = random.Random(number).choices(SIZES, _LIKELY)  # noqa: S311 - no secret
    start = number * 7919 % 400_000
    return b"Subject: %d\r\n\r\n" % number + _NOISE[start : start + size]


class Upstream:
    """`async with Upstream() as server:` answers LOGIN, NOOP, FETCH n, APPEND and LOGOUT at `server.port`."""

    async def __aenter__(self) -> Self:
        self._tasks: set[asyncio.Task[None]] = set()
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=4_000_000)
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._tasks.add(task)
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await self._talk(reader, writer)
        finally:
            self._tasks.discard(task)
            writer.transport.abort()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"* OK [CAPABILITY IMAP4rev1 LITERAL+] ready\r\n")
        while line := await reader.readline():
            tag, command, *words = line.split()
            if found := LITERAL.search(line):
                await reader.readexactly(int(found[1]))
                await reader.readline()
            if command == b"FETCH":
                body = letter(int(words[0]))
                writer.writelines((b"* %s FETCH (BODY[] {%d}\r\n" % (words[0], len(body)), body, b")\r\n"))
            elif command == b"NOOP":
                writer.write(b"* 3 EXISTS\r\n" * (line[1] % 4))
            elif command == b"LOGOUT":
                writer.write(b"* BYE see you\r\n")
            writer.write(tag + b" OK " + command + b" completed\r\n")
            await writer.drain()
            if command == b"LOGOUT":
                return


@dataclass(frozen=True, slots=True)
class Seen:
    """An exchange that the client saw to its end: when (time.monotonic), and its bytes in both directions."""

    tag: str
    at: float
    client_bytes: int
    server_bytes: int


@dataclass
class Talker:
    """One connection of a client: what it sent (its password masked), received, and saw to an end."""

    dice: random.Random
    port: int = 0
    sent: bytearray = field(default_factory=bytearray)
    received: bytearray = field(default_factory=bytearray)
    seen: list[Seen] = field(default_factory=list)
    finished: bool = False
    """Whether it said goodbye and was answered."""
    pipelined: bool = False

    async def talk(self, port: int, trust: ssl.SSLContext, until: Callable[[], bool]) -> None:
        """Connect to `port`, work until told so or torn off, and say goodbye. Raises ConnectionError when torn off."""
        reader, self._writer = await asyncio.open_connection(
            "127.0.0.1", port, ssl=trust, server_hostname="localhost", limit=4_000_000
        )
        self.port = self._writer.get_extra_info("sockname")[1]
        self._reader = reader
        try:
            await self._line()
            await self._command(b"LOGIN bob {13+}\r\n" + PASSWORD, mask=PASSWORD)
            while not until() and self.dice.random() > 0.03:
                self.pipelined |= (many := self.dice.random() < 0.2)
                await self._commands([self._choice() for _ in range(self.dice.randint(2, 6) if many else 1)])
                # A client that never rests would take all of a processor, and then it is the tests that are slow.
                await asyncio.sleep(self.dice.uniform(0, THINKING))
            await self._command(b"LOGOUT")
            self.finished = True
        except asyncio.IncompleteReadError as error:
            raise ConnectionResetError("torn off") from error
        finally:
            self._writer.transport.abort()

    def _choice(self) -> bytes:
        what = self.dice.random()
        if what < 0.55:
            return b"NOOP"
        if what < 0.92:
            return b"FETCH %d BODY[]" % self.dice.randrange(100_000)
        body = letter(self.dice.randrange(100_000))
        return b"APPEND INBOX {%d+}\r\n%s" % (len(body), body)

    async def _command(self, text: bytes, mask: bytes = b"") -> None:
        await self._commands([text], mask)

    async def _commands(self, texts: list[bytes], mask: bytes = b"") -> None:
        lengths: dict[bytes, int] = {}
        for text in texts:
            tag = b"%c%d" % (self.dice.choice(b"abcd"), len(self.seen) + len(lengths))
            line = tag + b" " + text + b"\r\n"
            lengths[tag] = len(line)
            self._writer.write(line)
            self.sent += line.replace(mask, b"x" * len(mask)) if mask else line
        for tag, length in lengths.items():
            before = len(self.received)
            while not (await self._line()).startswith(tag + b" OK"):
                continue
            count = len(self.received) - before
            self.seen.append(Seen(tag.decode(), time.monotonic(), length, count))

    async def _line(self) -> bytes:
        """The next line, behind the literals in it."""
        while True:
            line = await self._reader.readuntil(b"\r\n")
            self.received += line
            found = LITERAL.search(line)
            if found is None:
                return line
            self.received += await self._reader.readexactly(int(found[1]))


async def work(port: int, trust: ssl.SSLContext, seed: int, clients: int, until: Callable[[], bool]) -> list[Talker]:
    """Clients that connect, talk and come again until told so, or until the recorder is gone. Their connections."""
    talkers: list[Talker] = []

    async def one(dice: random.Random) -> None:
        while not until():
            talker = Talker(dice)
            talkers.append(talker)
            try:
                await talker.talk(port, trust, until)
            except (ConnectionError, ssl.SSLError):
                return

    dice = random.Random(seed)  # noqa: S311 - no secret
    await asyncio.gather(*(one(random.Random(dice.random())) for _ in range(clients)))  # noqa: S311
    return talkers
