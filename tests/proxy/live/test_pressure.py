"""Flow control: a peer that stops reading stops the sender, a full recorder stops both, nothing is lost (M 1.4, 1.5).

Here each kind of pressure comes alone; test_flow.py has them all at once.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable

import pytest

from proxy.imap.transcript import Direction, Ending
from proxy.live.leg import Leg
from proxy.live.relay import Relay
from tests.proxy.live.conftest import MakeRig
from tests.proxy.live.ends import End, Ends, Wire, Wiring, dice, literal
from tests.servers.certificates import Identity
from tests.servers.wait import until

MIB = 1 << 20
PAIRS = [("imap+insecure", "imap+insecure"), ("imaps", "imaps"), ("imaps", "imap+insecure"), ("imap+insecure", "imaps")]
BOTH = pytest.mark.parametrize("pair", PAIRS, ids="-".join)
DOWN = pytest.mark.parametrize("down", [False, True], ids=["up", "down"])
BODY = 32 * MIB
"""More than all buffers of a session together: the kernel's of four sockets, and what imaptap may hold."""
HELD_MOST = 4 * MIB


def source(relay: Relay, *, down: bool) -> Leg:
    """The leg that is read from."""
    return relay.upstream if down else relay.client


def drain(relay: Relay, *, down: bool) -> Leg:
    """The leg that is written to."""
    return relay.client if down else relay.upstream


async def eventually(wire: Wire, question: Callable[[Relay], object], what: str) -> None:
    """Wait until the relay says yes."""
    await asyncio.to_thread(until, lambda: wire.rig.ask(question), what)


async def stuck(wire: Wire, *, down: bool) -> int:
    """Wait until the sender is held for its peer, and the kernel's buffers have nothing left to take either.

    Returns how many bytes imaptap holds then.
    """
    looks: list[tuple[tuple[int, ...], int]] = []

    def look(relay: Relay) -> tuple[tuple[int, ...], int]:
        leg = source(relay, down=down)
        held = drain(relay, down=down).unsent + sum(map(len, leg._kept)) if "peer" in leg._held_by else 0
        return relay.pulse, held

    def still() -> bool:
        looks.append(wire.rig.ask(look))
        return looks[-1][1] > 0 and len(looks) > 5 and len(set(looks[-5:])) == 1

    await asyncio.to_thread(until, still, "the sender to be held")
    return looks[-1][1]


class Sender:
    """Sends a body in pieces, and knows how far it has come."""

    def __init__(self, end: End, head: bytes, size: int) -> None:
        self.end, self.head, self.size = end, head, size
        self.sent = 0
        self.digest = hashlib.sha256()

    async def run(self) -> None:
        """All of it."""
        await self.end.send(self.head)
        piece = dice(4).randbytes(MIB // 2)
        while self.sent < self.size:
            await self.end.send(piece)
            self.digest.update(piece)
            self.sent += len(piece)


async def swallow(end: End, head: bytes, size: int) -> str:
    """Read a body; its digest."""
    assert await end.receive(len(head)) == head
    digest = hashlib.sha256()
    while size:
        part = await end.reader.read(min(size, MIB))
        assert part
        digest.update(part)
        size -= len(part)
    return digest.hexdigest()


def announced(size: int, *, down: bool) -> bytes:
    """The head of a literal of this size."""
    return b"* 1 FETCH (BODY[] {%d}\r\n" % size if down else b"a APPEND x {%d+}\r\n" % size


@BOTH
@DOWN
def test_a_peer_that_stops_reading_stops_the_sender(
    make_rig: MakeRig, identity: Identity, pair: tuple[str, str], down: bool
) -> None:
    """M 1.4, 1.5: what imaptap holds stays bounded, and when the peer reads again all of it comes."""
    head = announced(BODY, down=down)

    async def scenario(ends: Ends) -> tuple[int, int]:
        wire.rig.sink.forgetful = True
        giver, taker = ends.pair(down=down)
        taker.writer.transport.pause_reading()  # type: ignore[attr-defined]
        sender = Sender(giver, head, BODY)
        task = asyncio.ensure_future(sender.run())
        held = await stuck(wire, down=down)
        sent = sender.sent
        assert not task.done()
        taker.writer.transport.resume_reading()  # type: ignore[attr-defined]
        digest = await swallow(taker, head, BODY)
        await task
        assert digest == sender.digest.hexdigest()
        return held, sent

    with Wiring(make_rig, identity, *pair) as wire:
        held, sent = wire.play(scenario)
        assert 0 < held < HELD_MOST
        assert sent < BODY
        told = wire.rig.told()
        count = told.closed.server_bytes if down else told.closed.client_bytes
        assert count >= BODY


@BOTH
def test_a_full_recorder_stops_both_and_loses_nothing(
    make_rig: MakeRig, identity: Identity, pair: tuple[str, str]
) -> None:
    """DESIGN rule 6: neither leg is read until the recorder's own thread calls back."""
    body = dice(5).randbytes(16 * MIB)
    heads = {down: literal(body, down=down) for down in (False, True)}

    async def scenario(ends: Ends) -> None:
        sink = wire.rig.sink
        sink.full = True
        tasks = []
        for down in (False, True):
            giver, taker = ends.pair(down=down)
            tasks.append(asyncio.ensure_future(giver.send(heads[down] + body)))
            tasks.append(asyncio.ensure_future(taker.receive(len(heads[down] + body))))
        held = {"recorder"}
        await eventually(wire, lambda relay: held <= relay.client._held_by & relay.upstream._held_by, "both to be held")
        assert sink.asked
        moved = wire.rig.ask(lambda relay: sum(relay._moved.values()))
        assert moved < len(body)
        assert not any(task.done() for task in tasks[1::2]), "neither end has got all"
        sink.drain()
        got = await asyncio.gather(*tasks)
        assert got[1] == heads[False] + body
        assert got[3] == heads[True] + body

    with Wiring(make_rig, identity, *pair) as wire:
        wire.play(scenario)
        told = wire.rig.told()
        assert told.stream(Direction.CLIENT).endswith(body)
        assert told.stream(Direction.SERVER).endswith(body)


@BOTH
@DOWN
def test_what_was_read_before_a_pause_is_not_forgotten(
    make_rig: MakeRig, identity: Identity, pair: tuple[str, str], down: bool
) -> None:
    """A peer that has said its piece and waits: after each pause the rest comes, though its socket has nothing new."""

    async def scenario(ends: Ends) -> None:
        sink = wire.rig.sink
        giver, taker = ends.pair(down=down)
        for size in (16_384, 60_000, 131_072, 262_144, 400_000, 800_000):
            body = dice(size).randbytes(size)
            head = literal(body, down=down)
            sink.full = True
            taking = asyncio.ensure_future(taker.receive(len(head) + size + 3))
            await giver.send(head + body + (b")\r\n" if down else b"\r\n\n"))
            while not taking.done():
                await asyncio.to_thread(sink.drain)
                sink.full = True
                await asyncio.wait([taking], timeout=0.02)
            sink.drain()
            assert (await taking).startswith(head + body)

    with Wiring(make_rig, identity, *pair) as wire:
        wire.play(scenario)


@pytest.mark.parametrize("down", [False, True])
def test_a_peer_that_never_reads_again_does_not_keep_imaptap_from_stopping(
    make_rig: MakeRig, identity: Identity, down: bool
) -> None:
    """The linger is bounded, and a stop shortens it."""
    head = announced(BODY, down=down)

    async def scenario(ends: Ends) -> None:
        wire.rig.sink.forgetful = True
        giver, taker = ends.pair(down=down)
        taker.writer.transport.pause_reading()  # type: ignore[attr-defined]
        task = asyncio.ensure_future(Sender(giver, head, BODY).run())
        await stuck(wire, down=down)
        wire.rig.stop()
        await asyncio.to_thread(wire.rig.join)
        await asyncio.gather(task, return_exceptions=True)

    with Wiring(make_rig, identity, "imaps", "imap+insecure") as wire:
        wire.play(scenario)
        assert wire.rig.told().ending is Ending.CUT
