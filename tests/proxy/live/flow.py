"""Random conversations for the flow-control stress test: what each side says, how it is cut, how lazily it is read.

A `Plan` comes from a seed. What is said is literals of all sizes with short lines between them, or long lines of any
bytes; it is cut into writes without regard to that.
"""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.proxy.live.ends import dice, literal
from tests.proxy.live.rig import ListSink

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from proxy.imap.transcript import Record
    from storage import Writer
    from tests.proxy.live.ends import End, Ends
    from tests.servers.certificates import Identity

KIB, MIB = 1 << 10, 1 << 20
WRITES = (1, 2, 3, 100, 1000, 16 * KIB, 64 * KIB, 64 * KIB + 1, 300_000, MIB, 3 * MIB, 8 * MIB)
RAW_MOST = 4 * MIB
"""Of long lines: understanding them takes longer than passing them on, and that is not what is tested here."""


@dataclass(frozen=True)
class Plan:
    """One direction: all that is said, how it is cut into writes, and how it is read."""

    seed: int
    said: bytes
    writes: tuple[int, ...]

    @classmethod
    def of(cls, seed: int, total: int, *, down: bool, at_once: bool) -> Plan:
        """About `total` bytes said by the server (`down`) or the client, `at_once` in one write."""
        chance = dice(seed * 2 + down)
        raw = chance.random() < 0.2 and total <= RAW_MOST
        said = b"".join((_raw if raw else _imap)(chance, total, down=down))
        writes = [len(said)] if at_once else list(_cut(chance, len(said)))
        return cls(seed, said, tuple(writes))

    async def give(self, end: End) -> None:
        """Say it all, with pauses."""
        chance, at = dice(self.seed), 0
        for size in self.writes:
            await end.send(self.said[at : at + size])
            at += size
            await _rest(chance, 0.2)

    async def take(self, end: End) -> None:
        """Hear it all, with pauses, and compare."""
        chance, at = dice(self.seed + 1), 0
        while at < len(self.said):
            part = await end.reader.read(min(chance.choice(WRITES), len(self.said) - at))
            assert part, f"ended after {at} of {len(self.said)} bytes"
            assert part == self.said[at : at + len(part)], f"other bytes than were said, from {at} on"
            at += len(part)
            await _rest(chance, 0.05)


async def _rest(chance: random.Random, likely: float) -> None:
    if chance.random() < likely:
        await asyncio.sleep(chance.random() * 0.02)


def _cut(chance: random.Random, total: int) -> Iterator[int]:
    while total > 0:
        size = chance.choice(WRITES)
        total -= size
        yield size


def _imap(chance: random.Random, total: int, *, down: bool) -> Iterator[bytes]:
    # All bodies begin alike, so that each is stored once: it is not the disk that is tested here.
    body, number = chance.randbytes(min(total, WRITES[-1])), 0
    while total > 0:
        number += 1
        size = min(chance.choice(WRITES), total) if chance.random() < 0.7 else 0
        total -= max(size, 100)
        if size:
            yield literal(body[:size], down=down)
            yield body[:size]
            yield b" FLAGS (\\Seen))\r\n" if down else b"\r\n"
        else:
            yield b"* %d EXISTS\r\n" % number if down else b"n%d NOOP\r\n" % number


def _raw(chance: random.Random, total: int, *, down: bool) -> Iterator[bytes]:
    """Long lines of any bytes. (What is not a command by its form would be masked: it may hold a password.)"""
    while total > 0:
        line = chance.randbytes(min(total, chance.randrange(1, 256 * KIB))).translate(None, b"{\r\n")
        total -= max(len(line), 100)
        yield (b"* XRAW " if down else b"r1 XRAW ") + line + b"\r\n"


@dataclass
class Opening:
    """What both sides say until the client is logged in, STARTTLS included; imaptap's record has it like this."""

    client: bytes = b""
    server: bytes = b""


async def open_session(ends: Ends, listen: str, upstream: str, identity: Identity) -> Opening:
    """Greeting, STARTTLS on whichever legs speak it (first the client's, which waits for the server's), LOGIN."""
    opening = Opening()

    async def server() -> None:
        await say(b"* OK hi\r\n")
        if upstream == "imap":
            tag = (await ends.server.line()).split()[0]
            await say(tag + b" OK go\r\n")
            await ends.server.writer.start_tls(identity.server_context())
        assert (await ends.server.line()) == b"l LOGIN bob secret\r\n"
        await say(b"l OK in\r\n")

    async def say(line: bytes) -> None:
        opening.server += line
        await ends.server.send(line)

    async def client() -> None:
        assert await ends.client.line() == b"* OK hi\r\n"
        if listen == "imap":
            opening.client += b"s STARTTLS\r\n"
            await ends.client.send(b"s STARTTLS\r\n")
            assert (await ends.client.line()).startswith(b"s OK")
            await ends.client.writer.start_tls(ends.rig.trusting, server_hostname="localhost")
        opening.client += b"l LOGIN bob xxxxxx\r\n"
        await ends.client.send(b"l LOGIN bob secret\r\n")
        assert await ends.client.line() == b"l OK in\r\n"

    await asyncio.gather(server(), client())
    return opening


class StoringSink(ListSink):
    """A writer with its database behind the list, which keeps everything but the pieces."""

    def __init__(self, writer: Writer) -> None:
        super().__init__(forgetful=True)
        self.writer = writer

    def put(self, *records: Record) -> None:
        super().put(*records)
        self.writer.put(*records)

    @property
    def full(self) -> bool:  # type: ignore[override]
        return self.writer.full

    @full.setter
    def full(self, _: bool) -> None:
        """Only the writer says when."""

    def when_drained(self, callback: Callable[[], None]) -> None:
        self.asked += 1
        self.writer.when_drained(callback)
