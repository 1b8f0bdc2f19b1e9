"""The listener: several ports, many sessions, a stop in any state, and faults that stay where they are."""

from __future__ import annotations

import asyncio
import errno
import gc
import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing

import pytest

from proxy.imap.transcript import Ending, Event, EventKind, SessionClosed
from proxy.live import recorder
from proxy.live.admission import parse_network
from proxy.live.clock import Clock
from proxy.live.endpoint import Security
from proxy.live.errors import LiveError
from proxy.live.notices import AT_ONCE, Notices
from proxy.live.refusals import Refusals
from proxy.live.session import Session
from tests.proxy.live.conftest import MakeRig
from tests.proxy.live.ends import End
from tests.proxy.live.rig import Careless, ListSink, Rig
from tests.servers.certificates import Identity
from tests.servers.scripted import ScriptedServer, dial
from tests.servers.wait import free_port, until

NOWHERE = "imap+insecure://localhost:1"
BYE = "S: * BYE imaptap: ...\nEOF"


def test_several_listeners_and_free_ports(make_rig: MakeRig) -> None:
    """Port 0 gives each its own; a name with two addresses has both on one port."""
    listen = (
        "imaps://127.0.0.1:0",
        "imap://127.0.0.1:0",
        "imap://localhost:0",
        f"imap+insecure://127.0.0.1:{free_port()}",
    )
    with make_rig(NOWHERE, *listen) as rig:
        assert [endpoint.security for endpoint in rig.bound] == [
            Security.TLS,
            Security.STARTTLS,
            Security.STARTTLS,
            Security.PLAIN,
        ]
        ports = [endpoint.port for endpoint in rig.bound]
        assert len(set(ports)) == 4
        assert all(ports)
        for family, *_, address in socket.getaddrinfo("localhost", rig.bound[2].port, type=socket.SOCK_STREAM):
            with closing(socket.socket(family, socket.SOCK_STREAM)) as probe:
                probe.connect(address)
        assert rig.bound[3].url == listen[3]


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("imap://127.0.0.1:{port}", "in use"),
        ("imap://nowhere.invalid:0", "was not found"),
        ("imap://192.0.2.1:0", "--listen"),
    ],
)
def test_a_listener_that_cannot_be_had(make_rig: MakeRig, url: str, words: str) -> None:
    """Said with a hint; those that were bound before are given back."""
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        mine = free_port()
        rig = make_rig(NOWHERE, f"imap://127.0.0.1:{mine}", url.format(port=taken.getsockname()[1]))
        with pytest.raises(LiveError) as caught, rig:
            pass
        assert words in f"{caught.value} {caught.value.hint}"
        with closing(socket.create_server(("127.0.0.1", mine))):
            pass
    del rig, caught
    gc.collect()


@pytest.fixture
def deaf() -> Iterator[int]:
    """A port whose queue is full: who connects there gets no answer at all."""
    with ExitStack() as stack:
        listener = stack.enter_context(closing(socket.socket()))
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(8):
            filler = stack.enter_context(closing(socket.socket()))
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


def wait_for_sessions(rig: Rig, count: int) -> None:
    """Until so many are there."""
    until(lambda: len(rig.recorder._sessions) == count, f"{count} sessions")


@pytest.mark.parametrize("listen", ["imaps", "imap", "imap+insecure"])
def test_stopped_while_dialling(make_rig: MakeRig, deaf: int, listen: str) -> None:
    """It does not wait for a server that may never answer."""
    with make_rig(f"imaps://127.0.0.1:{deaf}") as rig, closing(rig.dial(listen)) as client:
        wait_for_sessions(rig, 1)
        until(lambda: rig.records(1), "the session to be opened")
        rig.stop()
        assert client.rest() == b""
        client.close()
        rig.join()
    assert rig.told().ending is Ending.CUT


@pytest.mark.parametrize(
    ("listen", "upstream", "server", "client"),
    [
        ("imaps", "imaps", "S: * OK hi\nEOF", "S: * OK hi"),
        ("imap", "imap", "S: * OK hi\nC: a STARTTLS\nEOF", "S: * OK hi\nC: a STARTTLS"),
        ("imap", "imaps", "S: * OK hi\nEOF", "S: * OK hi\nC: a STARTTLS\nS: a OK ..."),
        ("imap+insecure", "imap", "EOF", ""),
        ("imap+insecure", "imap", "S: * OK hi\nC: IMAPTAP00 STARTTLS\nS: IMAPTAP00 OK\nC= \\x16...\nEOF", ""),
    ],
)
@pytest.mark.usefixtures("our_tag")
def test_stopped_in_any_state(
    make_rig: MakeRig, identity: Identity, listen: str, upstream: str, server: str, client: str
) -> None:
    """In the relay, while an answer is due, while a client's or a server's handshake is due."""
    with (
        Careless(server, identity.server_context(), implicit=upstream == "imaps") as peer,
        make_rig(f"{upstream}://localhost:{peer.port}") as rig,
        closing(rig.dial(listen)) as player,
    ):
        player.play(client)
        until(lambda: peer.players and (len(peer.players[0].heard) or "C" not in server), "the server to be there")
        rig.stop()
        assert player.rest() == b""
        player.close()
        rig.join()
    told = rig.told()
    assert told.ending is Ending.CUT
    assert told.closed.reason == "imaptap was stopped"


def test_stopped_before_a_tls_client_has_said_a_word(make_rig: MakeRig) -> None:
    """While its ClientHello is waited for."""
    with make_rig(NOWHERE) as rig, closing(dial(rig.port("imaps"), rig.trusting)) as client:
        wait_for_sessions(rig, 1)
        rig.stop()
        rig.join()
        assert client.rest() == b""
    assert rig.told().ending is Ending.CUT


def test_many_sessions_at_once(make_rig: MakeRig, identity: Identity) -> None:
    """Each gets its own answers, and its own record."""
    count = 200

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        end = End(reader, writer)
        await end.send(b"* PREAUTH hi\r\n")
        while line := await end.line():
            await end.send(line.split()[0] + b" OK\r\n")
        await end.close()

    async def one(rig: Rig, number: int) -> None:
        tls = rig.trusting if number % 4 == 0 else None
        port = rig.port("imaps" if tls else "imap+insecure")
        end = End(*await asyncio.open_connection("127.0.0.1", port, ssl=tls, server_hostname=tls and "localhost"))
        assert await end.line() == b"* PREAUTH hi\r\n"
        for command in range(3):
            await end.send(b"t%d-%d NOOP\r\n" % (number, command))
            assert await end.line() == b"t%d-%d OK\r\n" % (number, command)
        await end.close()

    async def crowd() -> Rig:
        server = await asyncio.start_server(serve, sock=listener)
        async with server:
            with rig:
                await asyncio.gather(*(one(rig, number) for number in range(count)))
                await asyncio.to_thread(rig.ended, *range(1, count + 1))
        return rig

    listener = socket.create_server(("127.0.0.1", 0), backlog=count)
    rig = make_rig(f"imap+insecure://127.0.0.1:{listener.getsockname()[1]}")
    asyncio.run(crowd())
    seen = set()
    for number in range(1, count + 1):
        told = rig.told(number)
        assert told.ending is Ending.CLIENT
        assert [x.status for x in told.exchanges] == ["OK"] * 3
        seen |= {x.tag for x in told.exchanges}
    assert len(seen) == 3 * count
    assert sum(isinstance(record, SessionClosed) for record in rig.sink.records) == count


def test_a_fault_of_our_own_ends_one_session_only(
    make_rig: MakeRig, identity: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is said without quoting the traffic, recorded, and the client can read that it was not the server's."""
    connect = Session._connect_upstream

    async def broken(self: Session) -> bool:
        if self._tap.session == 1:
            raise RuntimeError("hunter2")
        return await connect(self)

    monkeypatch.setattr(Session, "_connect_upstream", broken)
    with ScriptedServer("S: * OK hi\nCLOSE", identity.server_context()) as server:
        rig = make_rig(f"imap+insecure://localhost:{server.port}", reports=1)
        with rig:
            for script in (BYE, "S: * OK hi\nEOF"):
                with closing(rig.dial("imap+insecure")) as client:
                    client.play(script)
            first, second = rig.told(1), rig.told(2)
    assert first.ending is Ending.FAILED
    assert "fault of its own" in first.closed.reason
    assert [event.name for event in first.events(EventKind.FAULT)] == ["session"]
    assert second.ending is Ending.SERVER
    assert "hunter2" not in repr(rig.sink.records) + repr(rig.notices)


def test_a_fault_within_the_relay_ends_one_session_only(
    make_rig: MakeRig, identity: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The event loop catches it and tells of it; connections close, the session has failed, others go on."""

    def broken(*_: object) -> None:
        raise RuntimeError("hunter2")

    with ScriptedServer("S: * OK hi\nEOF", identity.server_context()) as server:
        rig = make_rig(f"imap+insecure://localhost:{server.port}", reports=2)
        with rig:
            with closing(rig.dial("imap+insecure")) as client:
                client.play("S: * OK hi")
                with monkeypatch.context() as patch:
                    patch.setattr("proxy.imap.gate.ClientGate.receive", broken)
                    client.connection.sendall(b"a NOOP\r\n")
                    assert client.rest() == b""
                    first = rig.told(1)
            with closing(rig.dial("imap+insecure")) as client:
                client.play("S: * OK hi\nCLOSE")
            assert rig.told(2).ending is Ending.CLIENT
    assert first.ending is Ending.FAILED
    assert "hunter2" not in repr(rig.sink.records) + repr(rig.notices)


def test_out_of_file_descriptors(make_rig: MakeRig, identity: Identity, monkeypatch: pytest.MonkeyPatch) -> None:
    """Said once, tried again; the client that waits is served in the end."""
    with (
        ScriptedServer("S: * OK hi\nCLOSE", identity.server_context()) as server,
        make_rig(f"imap+insecure://localhost:{server.port}") as rig,
    ):
        refusals = iter([errno.EMFILE, errno.ENFILE, errno.ECONNABORTED])
        take = recorder._take

        def refuse(listener: socket.socket) -> tuple[socket.socket, tuple[object, ...]]:
            if number := next(refusals, 0):
                raise OSError(number, "no")
            return take(listener)

        monkeypatch.setattr(recorder, "_take", refuse)
        for session in (1, 2):
            with closing(rig.dial("imap+insecure")) as client:
                client.play("S: * OK hi\nEOF")
            assert rig.told(session).ending is Ending.SERVER
        assert sum("too many open files" in message for message, _ in rig.notices) == 1


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0.0.0.0"])
def test_nobody_is_their_own_server(make_rig: MakeRig, host: str) -> None:
    """A client would come back, and back, until the files run out."""
    port = free_port()
    rig = make_rig(f"imap+insecure://localhost:{port}", f"imap+insecure://{host}:{port}")
    with pytest.raises(LiveError, match="this recorder itself"), rig:
        pass


@pytest.fixture
def from_elsewhere(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """Addresses that the next clients seem to come from, as long as there are any."""
    addresses = list[tuple[str, int]]()
    take = recorder._take

    def pretend(listener: socket.socket) -> tuple[socket.socket, tuple[object, ...]]:
        sock, address = take(listener)
        return sock, addresses.pop(0) if addresses else address

    monkeypatch.setattr(recorder, "_take", pretend)
    return addresses


def test_who_is_not_allowed_is_turned_away(
    make_rig: MakeRig, identity: Identity, from_elsewhere: list[tuple[str, int]]
) -> None:
    """Nothing is said to them, nothing dialled for them; the person and the recording hear of each address once."""
    from_elsewhere += [
        ("203.0.113.9", 4001),
        ("203.0.113.9", 4002),
        ("2001:db8::9", 4003),
        ("203.0.113.9", 4004),
        ("192.0.2.200", 4005),
    ]
    with ScriptedServer("S: * OK hi\nCLOSE", identity.server_context()) as server:
        rig = make_rig(f"imap+insecure://localhost:{server.port}", allow=(parse_network("192.0.2.0/24"),))
        with rig:
            for _ in range(4):
                with closing(rig.dial("imap+insecure")) as client:
                    assert client.rest() == b""
            assert server.players == []
            for session in (1, 2):
                with closing(rig.dial("imap+insecure")) as client:
                    client.play("S: * OK hi\nEOF")
                rig.ended(session)
    assert [rig.told(session).opened.client.rpartition(":")[0] for session in (1, 2)] == ["192.0.2.200", "127.0.0.1"]
    assert [message for message, _ in rig.notices] == [
        "A client at 203.0.113.9 was turned away: --allow does not name it.",
        "A client at 2001:db8::9 was turned away: --allow does not name it.",
    ]
    assert rig.said("203.0.113.9", "--allow 203.0.113.9")
    events = [record for record in rig.sink.records if isinstance(record, Event) and record.session is None]
    assert [(event.kind, event.name, event.text) for event in events] == [
        (EventKind.SECURITY, "refused", "A client at 203.0.113.9 was turned away: --allow does not name it."),
        (EventKind.SECURITY, "refused", "A client at 2001:db8::9 was turned away: --allow does not name it."),
        (EventKind.SECURITY, "refused", "4 connections were turned away."),
    ]
    assert events[0].at <= events[1].at <= events[2].at


def test_a_crowd_of_addresses_is_counted_not_kept() -> None:
    """An IPv6 network alone has more of them than anybody has memory."""
    sink, said = ListSink(), list[tuple[str, str]]()

    async def crowd() -> None:
        notices = Notices(lambda *words: said.append(words))
        refusals = Refusals(sink, notices, Clock())
        for number in range(3000):
            refusals.refused(f"2001:db8::{number:x}", "it is one too many")
        refusals.close()
        notices.close()

    asyncio.run(crowd())
    texts = [record.text for record in sink.records if isinstance(record, Event)]
    assert len(texts) == 1002
    assert [message for message, _ in said[AT_ONCE:]] == ["981 more messages like these are left out."]
    assert texts[999].startswith("A client at 2001:db8::3e7 ")
    assert texts[1000:] == [
        "Clients at more than 1000 addresses were turned away; no more are named.",
        "3000 connections were turned away.",
    ]
