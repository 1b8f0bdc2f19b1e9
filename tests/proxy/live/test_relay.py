"""Bytes pass unchanged and in order, and every way in which a connection ends has its equivalent (M 1)."""

from __future__ import annotations

import asyncio
import socket

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.imap.transcript import Direction, Ending
from proxy.live.endpoint import Security
from tests.proxy.live.conftest import MakeRig
from tests.proxy.live.ends import End, Ends, Wiring, dice, literal
from tests.proxy.live.wireless import Wireless
from tests.servers.certificates import Identity
from tests.servers.wait import until

PAIRS = [("imap+insecure", "imap+insecure"), ("imaps", "imaps"), ("imaps", "imap+insecure"), ("imap+insecure", "imaps")]
DOWN = pytest.mark.parametrize("down", [False, True], ids=["up", "down"])
BOTH = pytest.mark.parametrize("pair", PAIRS, ids="-".join)
SIZES = st.lists(st.sampled_from([0, 1, 2, 100, 1460, 65536, 100_000, 1 << 20]), max_size=6)


async def push(sender: End, receiver: End, head: bytes, chunks: list[bytes]) -> None:
    """Send these chunks one by one while the other end reads; it must get just them."""

    async def send() -> None:
        await sender.send(head)
        for chunk in chunks:
            await sender.send(chunk)

    expected = head + b"".join(chunks)
    _, got = await asyncio.gather(send(), receiver.receive(len(expected)))
    assert got == expected


@BOTH
def test_any_bytes_in_any_chunks_both_ways_at_once(
    make_rig: MakeRig, identity: Identity, pair: tuple[str, str]
) -> None:
    """M 1.1: content that looks like anything."""
    with Wiring(make_rig, identity, *pair) as wire:
        sessions = iter(range(1, 1000))

        @settings(max_examples=6, deadline=None)
        @given(SIZES, SIZES, st.integers(0, 1 << 30))
        def check(up: list[int], down: list[int], seed: int) -> None:
            chance = dice(seed)

            async def both(ends: Ends) -> None:
                tasks = []
                for sizes, way in ((up, False), (down, True)):
                    chunks = [chance.randbytes(size) for size in sizes]
                    head = literal(b"".join(chunks), down=way)
                    tasks.append(push(*ends.pair(down=way), head, chunks))
                await asyncio.gather(*tasks)

            wire.play(both)
            told = wire.rig.told(next(sessions))
            assert told.closed.client_bytes == len(told.stream(Direction.CLIENT))
            assert told.closed.server_bytes == len(told.stream(Direction.SERVER))
            assert told.closed.server_bytes >= sum(down)

        check()


@BOTH
def test_what_was_sent_before_the_close_is_delivered_first(
    make_rig: MakeRig, identity: Identity, pair: tuple[str, str]
) -> None:
    """M 1.6: the server sends more than any buffer holds and closes; the client begins to read after that."""
    body = dice(1).randbytes(6 << 20)
    head = literal(body, down=True)

    async def scenario(ends: Ends) -> bytes:
        ends.server.writer.write(head + body)
        closing = asyncio.ensure_future(ends.server.close())
        got = await ends.client.receive(len(head)) + await ends.client.rest()
        await closing
        return got

    with Wiring(make_rig, identity, *pair) as wire:
        assert wire.play(scenario) == head + body
        assert wire.rig.told().ending is Ending.SERVER


@pytest.mark.parametrize("upstream", ["imap+insecure", "imaps"])
def test_a_client_that_has_said_all_still_gets_its_answers(
    make_rig: MakeRig, identity: Identity, upstream: str
) -> None:
    """M 1.6: the half-closed side is answered in full; over TLS the server's leg stays until it has answered."""
    body = dice(2).randbytes(3 << 20)
    answer = literal(body, down=True) + body + b")\r\na OK\r\n"

    async def scenario(ends: Ends) -> bytes:
        await ends.client.send(b"a FETCH 1 BODY[]\r\n")
        ends.client.finish()
        assert await ends.server.line() == b"a FETCH 1 BODY[]\r\n"
        if upstream == "imap+insecure":
            assert await ends.server.rest() == b""
        await ends.server.send(answer)
        if upstream == "imap+insecure":
            await ends.server.close()
        else:
            assert await ends.server.rest() == b""
        return await ends.client.rest()

    with Wiring(make_rig, identity, "imap+insecure", upstream) as wire:
        assert wire.play(scenario) == answer
        told = wire.rig.told()
        assert told.ending is Ending.CLIENT
        assert [x.status for x in told.exchanges] == ["OK"]


def test_a_server_that_has_said_all_still_hears_the_client(make_rig: MakeRig, identity: Identity) -> None:
    """M 1.6, the other way round."""
    body = dice(3).randbytes(3 << 20)
    head = literal(body, down=False)

    async def scenario(ends: Ends) -> bytes:
        await ends.server.send(b"* BYE see you\r\n")
        ends.server.finish()
        assert await ends.client.rest() == b"* BYE see you\r\n"
        reading = asyncio.ensure_future(ends.server.rest())
        await ends.client.send(head + body)
        await ends.client.close()
        return await reading

    with Wiring(make_rig, identity, "imap+insecure", "imap+insecure") as wire:
        assert wire.play(scenario) == head + body
        assert wire.rig.told().ending is Ending.SERVER


def test_both_have_said_all(make_rig: MakeRig, identity: Identity) -> None:
    """Two half-closes are a close, at once."""

    async def scenario(ends: Ends) -> None:
        ends.client.finish()
        assert await ends.server.rest() == b""
        ends.server.finish()
        assert await ends.client.rest() == b""
        await asyncio.to_thread(wire.rig.told)

    with Wiring(make_rig, identity, "imap+insecure", "imap+insecure") as wire:
        wire.play(scenario)
        assert wire.rig.told().ending is Ending.CLIENT


@BOTH
@DOWN
@pytest.mark.parametrize("how", ["reset", "vanish", "close"])
def test_the_end_of_one_side_is_the_end_of_the_other(
    make_rig: MakeRig, identity: Identity, pair: tuple[str, str], down: bool, how: str
) -> None:
    """M 1.6: reset, an end without close_notify, a close; the data before it comes first, and there is one end."""
    data = b"* 1 EXISTS\r\n" * 100 if down else b"a NOOP\r\n" * 100

    async def scenario(ends: Ends) -> bytes:
        sender, receiver = ends.pair(down=down)
        await sender.send(data)
        got = await receiver.receive(len(data))
        getattr(sender, how)() if how != "close" else await sender.close()
        return got + await receiver.rest()

    # A client in clear that closes may just have said all it had to say; a TLS server is then waited for.
    with Wiring(make_rig, identity, *pair, linger_seconds=0.5) as wire:
        assert wire.play(scenario) == data
        assert wire.rig.told().ending is (Ending.SERVER if down else Ending.CLIENT)


@DOWN
def test_a_reset_is_named(make_rig: MakeRig, identity: Identity, down: bool) -> None:
    """In the session's reason."""

    async def scenario(ends: Ends) -> None:
        sender, receiver = ends.pair(down=down)
        sender.reset()
        await receiver.rest()

    with Wiring(make_rig, identity, "imap+insecure", "imap+insecure") as wire:
        wire.play(scenario)
        assert "reset" in wire.rig.told().closed.reason


@BOTH
def test_a_line_that_never_ended_is_passed_on(make_rig: MakeRig, identity: Identity, pair: tuple[str, str]) -> None:
    """Also where a gate was waiting for more of it."""

    async def scenario(ends: Ends) -> tuple[bytes, bytes]:
        await ends.server.send(b"* OK [CAPA")
        await ends.client.send(b"a LOGO")
        await ends.server.close()
        return await ends.client.rest(), b""

    async def other(ends: Ends) -> tuple[bytes, bytes]:
        await ends.client.send(b"a LOGO")
        await ends.client.close()
        return b"", await ends.server.rest()

    with Wiring(make_rig, identity, *pair) as wire:
        assert wire.play(scenario)[0] == b"* OK [CAPA"
        assert wire.play(other)[1] == b"a LOGO"
        told = wire.rig.told(2)
        told.assert_arrived(server=b"a LOGO")


@pytest.mark.parametrize("pair", [*PAIRS, ("imap+insecure", "imap"), ("imaps", "imap"), ("imap", "imap")], ids="-".join)
def test_a_client_that_vanishes_before_the_server_has_spoken(
    make_rig: MakeRig, identity: Identity, pair: tuple[str, str]
) -> None:
    """While imaptap waits for the greeting, be it for the client or for itself."""

    async def scenario(ends: Ends) -> bytes:
        ends.client.vanish()
        return await ends.server.rest()

    with Wiring(make_rig, identity, *pair, handshake_seconds=0.5) as wire:
        assert wire.play(scenario, greet=False) == b""
        assert wire.rig.told().ending in (Ending.CLIENT, Ending.FAILED)


@BOTH
def test_sockets_send_at_once_and_notice_dead_peers(
    make_rig: MakeRig, identity: Identity, pair: tuple[str, str]
) -> None:
    """M 1.7: TCP_NODELAY and keep-alive on both legs."""

    async def scenario(ends: Ends) -> list[int]:
        def options() -> list[int]:
            return wire.rig.ask(
                lambda relay: [
                    leg.transport.get_extra_info("socket").getsockopt(*option)
                    for leg in (relay.client, relay.upstream)
                    for option in ((socket.IPPROTO_TCP, socket.TCP_NODELAY), (socket.SOL_SOCKET, socket.SO_KEEPALIVE))
                    if leg.transport
                ]
            )

        return await asyncio.to_thread(options)

    with Wiring(make_rig, identity, *pair) as wire:
        assert wire.play(scenario) == [1, 1, 1, 1]


def test_a_client_that_leaves_with_a_command_in_flight(make_rig: MakeRig, identity: Identity) -> None:
    """imaplib leaves after BYE, without the LOGOUT's own answer: the record has it all the same."""

    async def scenario(ends: Ends) -> None:
        await ends.client.send(b"a LOGOUT\r\n")
        await ends.server.line()
        await ends.server.send(b"* BYE\r\n")
        await ends.client.line()
        await ends.client.close()
        await asyncio.to_thread(until, lambda: wire.rig.ask(lambda relay: relay.client.closed), "the client to be gone")
        await ends.server.send(b"a OK\r\n")

    with Wiring(make_rig, identity, "imaps", "imaps") as wire:
        wire.play(scenario)
        assert [x.status for x in wire.rig.told().exchanges] == ["OK"]


@pytest.mark.parametrize(
    ("error", "ending"),
    [
        (None, (Ending.CLIENT, "connection closed")),
        (ConnectionResetError(104, "Connection reset by peer"), (Ending.CLIENT, "connection reset by peer")),
        (ValueError("LOGIN bob secret"), (Ending.FAILED, "imaptap has a fault of its own: ValueError.")),
    ],
)
def test_a_fault_of_ours_is_not_called_the_clients_nor_quoted(
    error: Exception | None, ending: tuple[Ending, str]
) -> None:
    """A transport closes with what was raised where its bytes went, and that may quote them."""
    wireless = Wireless(Security.PLAIN)
    wireless.deliver(Direction.SERVER, b"* OK hi\r\n")
    wireless.hang_up(Direction.CLIENT, error, politely=False)
    wireless.close()
    assert wireless.ending == ending
