"""How many clients at once, and how often: limits without sockets, then at a recorder."""

from __future__ import annotations

import asyncio
import resource
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack, closing

import pytest

from proxy.imap.transcript import Ending, Event
from proxy.live.doors import Doors
from proxy.live.limits import MAX_SESSIONS, Rate, most_sessions
from proxy.live.notices import AT_ONCE, Notices
from tests.proxy.live.conftest import MakeRig
from tests.proxy.live.rig import Rig
from tests.servers.certificates import Identity
from tests.servers.scripted import ScriptedServer
from tests.servers.wait import until

HERE, THERE = "192.0.2.1", "192.0.2.2"


def test_so_many_connections_a_minute() -> None:
    """At once or spread, and room again as time goes by; another address has its own."""
    rate = Rate(3)
    assert [rate.admits(HERE, now) for now in (0.0, 0.0, 0.5, 0.9)] == [True, True, True, False]
    assert rate.admits(THERE, 1.0)
    assert not rate.admits(HERE, 19.9)
    assert rate.admits(HERE, 20.1)
    assert not rate.admits(HERE, 20.2)
    assert [rate.admits(HERE, now) for now in (200.0, 200.0, 200.0, 200.0)] == [True, True, True, False]


def test_what_is_turned_away_does_not_count() -> None:
    """A client that tries again and again gets in as often as a patient one."""
    rate = Rate(60)
    assert sum(rate.admits(HERE, number / 100) for number in range(6000)) in range(115, 122)


def test_any_number_is_the_default() -> None:
    rate = Rate(None)
    assert all(rate.admits(HERE, 0.0) for _ in range(1000))


@pytest.mark.parametrize(
    ("first", "second", "together"),
    [
        ("2001:db8::1", "2001:db8::ffff:2", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("192.0.2.1", "::ffff:192.0.2.1", True),
        ("fe80::1%eth0", "fe80::1%eth1", True),
    ],
)
def test_which_addresses_are_one(first: str, second: str, together: bool) -> None:
    """Whoever has an IPv6 address has 2^64 of them."""
    rate = Rate(1)
    assert rate.admits(first, 0.0)
    assert rate.admits(second, 0.0) is not together


def test_addresses_are_forgotten() -> None:
    """After a minute, and when there are too many."""
    rate = Rate(2)
    for number in range(30_000):
        rate.admits(f"2001:db8:{number:x}::1", 0.0)
    assert len(rate._spent) == 10_000
    rate.admits(HERE, 61.0)
    assert list(rate._spent) == [HERE]


@pytest.mark.parametrize(
    ("files", "wanted", "most"),
    [(100_000, None, MAX_SESSIONS), (100_000, 7, 7), (1024, None, 420), (1024, 7, 7), (100_000, 40_000, 40_000)],
)
def test_open_files_limit_the_sessions(
    monkeypatch: pytest.MonkeyPatch, files: int, wanted: int | None, most: int
) -> None:
    """Each takes two, and some are ours."""
    monkeypatch.setattr(resource, "getrlimit", lambda _: (files, files))
    assert most_sessions(wanted) == most


def test_sessions_with_more_sockets_are_fewer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of a server in this process have both ends of its connection."""
    monkeypatch.setattr(resource, "getrlimit", lambda _: (1024, 1024))
    assert most_sessions(None, 3) == 288


@pytest.mark.parametrize("files", [0, 16, 64, resource.RLIM_INFINITY])
def test_odd_limits_on_open_files(monkeypatch: pytest.MonkeyPatch, files: int) -> None:
    """There is always room for one, and never for more than were wanted."""
    monkeypatch.setattr(resource, "getrlimit", lambda _: (files, files))
    assert 1 <= most_sessions(500) <= 500


def test_the_soft_limit_is_raised() -> None:
    """In a process of its own: who has raised it cannot be stopped from going on so."""
    program = (
        "import resource; from proxy.live.limits import raise_open_files;"
        "_, hard = resource.getrlimit(resource.RLIMIT_NOFILE); resource.setrlimit(resource.RLIMIT_NOFILE, (99, hard));"
        "raise_open_files(); assert resource.getrlimit(resource.RLIMIT_NOFILE) == (hard, hard)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_doors_shut_and_open() -> None:
    """Shut when there are as many as may be, open with room for one; crowded is said again after real room only."""
    said: list[str] = []

    async def come_and_go() -> None:
        doors = Doors(10, lambda: said.append("crowded"))
        with closing(socket.create_server(("127.0.0.1", 0))) as listener:
            doors.add(listener, lambda: None)
            doors.open()
            loop = asyncio.get_running_loop()

            def watched() -> bool:
                return bool(loop.remove_reader(listener)) and (doors.open() or True)

            for _ in range(9):
                doors.entered()
            assert watched()
            doors.entered()
            assert not watched()
            assert said == ["crowded"]
            doors.left()
            assert watched()
            doors.entered()
            assert not watched()
            assert said == ["crowded"]
            for _ in range(5):
                doors.left()
            assert watched()
            for _ in range(5):
                doors.entered()
            assert said == ["crowded", "crowded"]
            doors.close()
            doors.left()
            assert not watched()

    asyncio.run(come_and_go())


def test_a_person_is_not_told_more_than_can_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Then their number is told, at the end if not before."""
    monkeypatch.setattr("proxy.live.notices._PERIOD", 0.0)
    said: list[str] = []

    async def talk() -> None:
        notices = Notices(lambda message, _: said.append(message))
        for _ in range(2):
            for number in range(AT_ONCE + 3):
                notices.say(f"trouble {number}")
            await asyncio.sleep(0.01)
        for number in range(AT_ONCE + 1):
            notices.say(f"trouble {number}")
        notices.close()

    asyncio.run(talk())
    troubles = [f"trouble {number}" for number in range(AT_ONCE)]
    three, one = ("3 more messages like these are left out.", "1 more messages like these are left out.")
    assert said == [*troubles, three, *troubles, three, *troubles, one]


def about_the_recording(rig: Rig) -> list[tuple[str, str]]:
    """What was recorded of no session."""
    return [(x.name, x.text) for x in rig.sink.records if isinstance(x, Event) and x.session is None]


def test_who_comes_when_it_is_crowded_waits(make_rig: MakeRig, identity: Identity) -> None:
    """He connects, is not greeted, and is served when another one leaves. Nobody is turned away."""
    with (
        ScriptedServer("S: * OK hi\nC: a LOGOUT\nCLOSE", identity.server_context()) as server,
        make_rig(f"imap+insecure://localhost:{server.port}", max_sessions=3) as rig,
        ExitStack() as stack,
    ):
        clients = [stack.enter_context(closing(rig.dial("imap+insecure"))) for _ in range(3)]
        for client in clients:
            client.play("S: * OK hi")
        waiting = stack.enter_context(closing(rig.dial("imap+insecure")))
        assert len(rig.recorder._sessions) == 3
        assert rig.said("There are 3 sessions", "further clients wait", "--max-sessions")
        assert len(server.players) == 3
        clients[0].play("C: a LOGOUT\nEOF\nCLOSE")
        waiting.play("S: * OK hi\nC: a LOGOUT\nEOF\nCLOSE")
        for client in clients[1:]:
            client.play("C: a LOGOUT\nEOF\nCLOSE")
        assert {rig.told(number).ending for number in (1, 2, 3, 4)} <= {Ending.CLIENT, Ending.SERVER}
    text = "There are 3 sessions, as many as there may be: further clients wait."
    assert about_the_recording(rig) == [("crowded", text)]


def test_who_comes_too_often_is_turned_away(make_rig: MakeRig, identity: Identity) -> None:
    """Where that was asked for. It is told and recorded once, and counted at the end."""
    with (
        ScriptedServer("S: * OK hi\nCLOSE", identity.server_context()) as server,
        make_rig(f"imap+insecure://localhost:{server.port}", max_rate=3) as rig,
    ):
        heard = []
        for _ in range(8):
            with closing(rig.dial("imap+insecure")) as client:
                heard.append(client.rest())
        rig.ended(1, 2, 3)
        until(lambda: not rig.recorder._sessions, "the sessions to end")
    assert heard == [b"* OK hi\r\n"] * 3 + [b""] * 5
    assert about_the_recording(rig) == [
        ("refused", "A client at 127.0.0.1 was turned away: --max-rate allows 3 connections a minute."),
        ("refused", "5 connections were turned away."),
    ]


def test_nobody_stays_outside_for_a_session_that_never_began(make_rig: MakeRig, identity: Identity) -> None:
    """Whoever comes and goes leaves his place to the next one, however he goes."""
    going: list[Callable[[socket.socket], None]] = [
        lambda _: None,
        lambda sock: sock.shutdown(socket.SHUT_WR),
        lambda sock: sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0"),
        lambda sock: sock.sendall(b"\x16\x03\x01"),
        lambda sock: sock.sendall(b"GET / HTTP/1.1\r\n\r\n"),
    ]
    with (
        ScriptedServer("S: * OK hi\nCLOSE", identity.server_context()) as server,
        make_rig(f"imap+insecure://localhost:{server.port}", max_sessions=1, handshake_seconds=5.0) as rig,
    ):
        for go in going:
            with closing(socket.create_connection(("127.0.0.1", rig.port("imaps")))) as sock:
                go(sock)
        with closing(rig.dial("imap+insecure")) as client:
            client.play("S: * OK hi\nEOF")
        until(lambda: rig.recorder._doors._inside == 0, "everybody to leave")
