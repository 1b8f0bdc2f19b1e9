"""Traffic that cannot be recorded: it stands still and goes on from where it was, or ends with a word to the client."""

from __future__ import annotations

import asyncio
import socket
import threading
import zlib
from typing import TYPE_CHECKING

import pytest

from proxy.imap.transcript import Direction, Ending
from tests.proxy.live.ends import Ends, Wiring, dice, literal
from tests.servers.wait import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.proxy.live.conftest import MakeRig
    from tests.proxy.live.rig import Rig
    from tests.servers.certificates import Identity

PAIRS = [("imap+insecure", "imap+insecure"), ("imaps", "imaps"), ("imaps", "imap+insecure"), ("imap+insecure", "imaps")]
BOTH = pytest.mark.parametrize("pair", PAIRS, ids="-".join)
REASON = "The database is gone."
BYE = b"* BYE imaptap: what is said here cannot be recorded any more, and shall not be said without that.\r\n"


def tell(rig: Rig, act: Callable[[], None]) -> None:
    """Have it done in the recorder's thread, and by the time that this returns."""
    done = threading.Event()

    def do() -> None:
        act()
        done.set()

    rig.loop.call_soon_threadsafe(do)
    assert done.wait(PATIENCE)


def stand_still(rig: Rig) -> None:
    tell(rig, rig.recorder.stand_still)


def go_on(rig: Rig) -> None:
    tell(rig, rig.recorder.go_on)


def end_all(rig: Rig) -> None:
    """As the front door does when nothing more can be recorded."""
    tell(rig, lambda: rig.recorder.unrecordable(REASON))
    rig.stop()
    rig.join()


def moved(rig: Rig) -> int:
    """Bytes that have gone by, asked for after the event loop has had a look at all sockets, more than once."""
    for _ in range(4):
        rig.ask(lambda relay: relay)
    return rig.ask(lambda relay: sum(relay._moved.values()))


@BOTH
def test_nothing_passes_while_traffic_stands_still(
    make_rig: MakeRig, identity: Identity, pair: tuple[str, str]
) -> None:
    """What is sent meanwhile arrives afterwards, and once."""
    bodies = {down: literal(data := dice(7).randbytes(300_000), down=down) + data for down in (False, True)}

    async def scenario(ends: Ends) -> None:
        rig = ends.rig
        stand_still(rig)
        before = moved(rig)
        for down in (False, True):
            ends.pair(down=down)[0].writer.write(bodies[down])
        await asyncio.sleep(0)  # the first of it is in the kernel's hands
        assert moved(rig) == before
        go_on(rig)
        for down in (False, True):
            assert await ends.pair(down=down)[1].receive(len(bodies[down])) == bodies[down]

    with Wiring(make_rig, identity, *pair) as wire:
        wire.play(scenario)
        told = wire.rig.told()
        assert told.stream(Direction.CLIENT) == bodies[False]
        assert told.stream(Direction.SERVER).endswith(bodies[True])


def test_a_client_that_comes_meanwhile_waits(make_rig: MakeRig, identity: Identity) -> None:
    """It is in the kernel's queue: the server is not dialled for it before traffic goes on."""
    with Wiring(make_rig, identity, "imap+insecure", "imap+insecure") as wire:
        rig = wire.rig
        stand_still(rig)
        with socket.create_connection(("127.0.0.1", rig.port("imap+insecure")), timeout=PATIENCE) as client:
            for _ in range(4):
                tell(rig, lambda: None)
            assert not rig.recorder._sessions
            go_on(rig)
            wire.listener.settimeout(PATIENCE)
            server, _ = wire.listener.accept()
            server.sendall(b"* OK hello\r\n")
            assert client.recv(100) == b"* OK hello\r\n"
            server.close()


def test_a_session_that_was_being_opened_stands_still_too(make_rig: MakeRig, identity: Identity) -> None:
    with Wiring(make_rig, identity, "imaps", "imap+insecure") as wire:
        rig = wire.rig
        wire.listener.settimeout(PATIENCE)
        with socket.create_connection(("127.0.0.1", rig.port("imaps")), timeout=PATIENCE) as raw:
            while not rig.recorder._sessions:
                tell(rig, lambda: None)
            stand_still(rig)
            with rig.trusting.wrap_socket(raw, server_hostname="localhost") as client:
                server, _ = wire.listener.accept()
                server.sendall(b"* OK hello\r\n")
                assert moved(rig) == 0
                go_on(rig)
                assert client.recv(100) == b"* OK hello\r\n"
                server.close()


@BOTH
def test_sessions_end_with_a_word_between_two_responses(
    make_rig: MakeRig, identity: Identity, pair: tuple[str, str]
) -> None:
    """Whether they stood still or not. What has come and was not passed on is withheld, and the record says so."""

    async def scenario(ends: Ends) -> bytes:
        await ends.server.send(b"* 1 EXISTS\r\n")
        assert await ends.client.line() == b"* 1 EXISTS\r\n"
        stand_still(ends.rig)
        await ends.client.send(b"a NOOP\r\n")
        ended = asyncio.ensure_future(asyncio.to_thread(end_all, ends.rig))
        said = await ends.client.rest()
        await ends.client.close()
        await ended
        return said

    with Wiring(make_rig, identity, *pair) as wire:
        assert wire.play(scenario) == BYE
        told = wire.rig.told()
        assert (told.ending, told.closed.reason) == (Ending.CUT, f"it could not be recorded: {REASON}")
        told.assert_arrived(client=b"* PREAUTH hi\r\n* 1 EXISTS\r\n" + BYE, server=b"")


@pytest.mark.parametrize("begun", [b"* 1 FETCH (BODY[] {9}\r\nhalf", b"* 1 FETCH (BODY[] {9}\r\n", b"* 1 EXI"])
def test_nothing_is_said_in_the_middle_of_a_response(make_rig: MakeRig, identity: Identity, begun: bytes) -> None:
    async def scenario(ends: Ends) -> bytes:
        await ends.server.send(begun)
        assert await ends.client.receive(len(begun)) == begun
        await asyncio.to_thread(end_all, ends.rig)
        return await ends.client.rest()

    with Wiring(make_rig, identity, "imaps", "imap+insecure") as wire:
        assert wire.play(scenario) == b""
        assert wire.rig.told().stream(Direction.SERVER).endswith(begun)


@pytest.mark.parametrize("compress", ["decode", "opaque"])
def test_nothing_is_said_in_clear_to_a_client_that_inflates(
    make_rig: MakeRig, identity: Identity, compress: str
) -> None:
    async def scenario(ends: Ends) -> bytes:
        await ends.client.send(b"a COMPRESS DEFLATE\r\n")
        assert await ends.server.line() == b"a COMPRESS DEFLATE\r\n"
        await ends.server.send(b"a OK go\r\n")
        assert await ends.client.line() == b"a OK go\r\n"
        deflate = zlib.compressobj(wbits=-15)
        said = deflate.compress(b"* 1 EXISTS\r\n") + deflate.flush(zlib.Z_SYNC_FLUSH)
        await ends.server.send(said)
        assert await ends.client.receive(len(said)) == said
        await asyncio.to_thread(end_all, ends.rig)
        return await ends.client.rest()

    with Wiring(make_rig, identity, "imaps", "imap+insecure", compress=compress) as wire:
        assert wire.play(scenario) == b""


def test_a_client_that_was_not_let_through_yet_is_just_cut(make_rig: MakeRig, identity: Identity) -> None:
    """Its server has not answered the TLS handshake: nothing is said into what may be a handshake of its own."""
    with Wiring(make_rig, identity, "imap", "imaps") as wire:
        wire.listener.settimeout(PATIENCE)
        with socket.create_connection(("127.0.0.1", wire.rig.port("imap")), timeout=PATIENCE) as client:
            server, _ = wire.listener.accept()
            end_all(wire.rig)
            assert client.recv(100) == b""
            server.close()
        assert wire.rig.told().closed.reason == f"it could not be recorded: {REASON}"


def test_standing_still_does_not_keep_imaptap_from_stopping(make_rig: MakeRig, identity: Identity) -> None:
    async def scenario(ends: Ends) -> bytes:
        stand_still(ends.rig)
        await ends.server.send(b"* 1 EXISTS\r\n")
        ends.rig.stop()
        await asyncio.to_thread(ends.rig.join)
        return await ends.client.rest()

    with Wiring(make_rig, identity, "imaps", "imaps") as wire:
        assert wire.play(scenario) == b""
        assert wire.rig.told().closed.reason == "imaptap was stopped"
