"""A connection reset after every byte of a session, by either side: one end each, its reason, and a sound record."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from proxy.imap.transcript import Direction, Ending, Outcome
from tests.proxy.live.ends import End
from tests.servers.wait import PATIENCE, free_port

if TYPE_CHECKING:
    from tests.proxy.live.conftest import MakeRig
    from tests.proxy.live.rig import Rig, Told
    from tests.servers.certificates import Identity

CLIENT, SERVER = Direction.CLIENT, Direction.SERVER
SAID = [
    (SERVER, b"* OK [CAPABILITY IMAP4rev1 STARTTLS] hi\r\n"),
    (CLIENT, b"a LOGIN bob {6}\r\n"),
    (SERVER, b"+ go\r\n"),
    (CLIENT, b"secret\r\n"),
    (SERVER, b"a OK in\r\n"),
    (CLIENT, b"b FETCH 1 BODY[]\r\nc IDLE\r\n"),
    (SERVER, b"* 1 FETCH (BODY[] {5}\r\nhello)\r\nb OK done\r\n+ idling\r\n"),
    (CLIENT, b"DONE\r\nd LOGOUT\r\n"),
    (SERVER, b"c OK done\r\n* BYE\r\nd OK bye\r\n"),
]
"""A greeting whose capabilities are rewritten, a login with a literal, a letter, IDLE, and a goodbye."""


def said(direction: Direction) -> bytes:
    """All that one side says."""
    return b"".join(data for side, data in SAID if side is direction)


class Torn:
    """Sessions through one rig, one after the other."""

    def __init__(self, rig: Rig, listen: str, server: asyncio.Queue[End]) -> None:
        self._rig, self._listen, self._server = rig, listen, server

    async def run(self, side: Direction, at: int) -> None:
        """One session, which `side` resets when it has sent so many bytes."""
        tls = self._rig.trusting if self._listen == "imaps" else None
        client = End(
            *await asyncio.open_connection(
                "127.0.0.1", self._rig.port(self._listen), ssl=tls, server_hostname="localhost" if tls else None
            )
        )
        ends = {CLIENT: client, SERVER: await self._server.get()}
        sent = 0
        for direction, data in SAID:
            giver, taker = ends[direction], ends[Direction(1 - direction)]
            if direction is side:
                if sent + len(data) >= at:
                    await giver.send(data[: at - sent])
                    giver.reset()
                    await taker.rest()
                    await taker.close()
                    return
                sent += len(data)
            await giver.send(data)
            await taker.receive(len(data) - (9 if b"STARTTLS" in data else 0))


async def tear(rig: Rig, identity: Identity, listen: str, port: int, resets: list[tuple[Direction, int]]) -> None:
    """All of these sessions."""
    arrived: asyncio.Queue[End] = asyncio.Queue()
    context = identity.server_context() if listen == "imaps" else None
    server = await asyncio.start_server(
        lambda reader, writer: arrived.put_nowait(End(reader, writer)), "127.0.0.1", port, ssl=context
    )
    torn = Torn(rig, listen, arrived)
    async with server:
        for side, at in resets:
            await asyncio.wait_for(torn.run(side, at), PATIENCE)


@pytest.mark.parametrize("scheme", ["imap+insecure", "imaps"])
@pytest.mark.parametrize("side", Direction)
def test_a_reset_at_every_byte(make_rig: MakeRig, identity: Identity, scheme: str, side: Direction) -> None:
    port = free_port()
    resets = [(side, at) for at in range(len(said(side)) + 1)]
    with make_rig(f"{scheme}://localhost:{port}") as rig:
        asyncio.run(tear(rig, identity, scheme, port, resets))
        for number, (_, at) in enumerate(resets, 1):
            check(rig.told(number), side, at)


def check(told: Told, side: Direction, at: int) -> None:
    """Its one end, and of what was said all that can have come."""
    if told.ending is Ending.FAILED:
        # A kernel may throw away what it has not delivered yet when the reset comes.
        assert side is SERVER
        assert at <= len(SAID[0][1])
        assert not told.stream(SERVER)
        assert "closed the connection" in told.closed.reason
    else:
        assert told.ending is (Ending.CLIENT if side is CLIENT else Ending.SERVER)
        assert told.closed.reason in {"connection reset by peer", "broken pipe", "end of stream", "connection closed"}
    assert len(told.stream(side)) <= at
    for direction in Direction:
        whole = said(direction).replace(b"secret", b"xxxxxx")
        kept = told.stream(direction)
        # What is unread at the end is hidden.
        assert all(got in (b"x"[0], wanted) for got, wanted in zip(kept, whole[: len(kept)], strict=True))
    assert {x.outcome for x in told.exchanges} <= {Outcome.COMPLETED, Outcome.INCOMPLETE, Outcome.BYE}
