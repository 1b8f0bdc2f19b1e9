"""Never an open relay: nothing that a peer says has imaptap connect to a server that was not configured."""

from __future__ import annotations

import contextlib
import socket
import ssl
import sys
import threading
from collections.abc import Iterator
from contextlib import closing

import pytest

from proxy.live.endpoint import parse_upstream
from proxy.live.settings import Settings
from tests.proxy.live.conftest import MakeRig
from tests.proxy.live.rig import Careless, Rig
from tests.servers.certificates import Identity
from tests.servers.scripted import Player, ScriptedServer, dial
from tests.servers.wait import PATIENCE

LISTEN = ["imaps", "imap", "imap+insecure"]


class Spy:
    """Every address that any thread of this process connects to, as the interpreter itself reports it (PEP 578)."""

    def __init__(self) -> None:
        self.connected: list[tuple[int, object]] | None = None
        sys.addaudithook(self._hear)

    def _hear(self, event: str, arguments: tuple[object, ...]) -> None:
        if event == "socket.connect" and self.connected is not None:
            self.connected.append((threading.get_ident(), arguments[1]))

    def ports(self, rig: Rig) -> set[object]:
        """Where the recorder's thread went."""
        assert self.connected is not None
        places = [place for thread, place in self.connected if thread == rig._thread.ident]
        return {place[1] for place in places if isinstance(place, tuple)}


# An audit hook cannot be taken away again, so there is one for all tests.
_SPY = Spy()


@pytest.fixture
def spy() -> Iterator[Spy]:
    """Listens while the test runs."""
    _SPY.connected = []
    yield _SPY
    _SPY.connected = None


@pytest.fixture
def trap() -> Iterator[int]:
    """The port of another server on this machine, to which nobody shall be led."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        yield listener.getsockname()[1]


def hello(rig: Rig, name: str) -> Player:
    """A TLS client that asks for a server by this name, and takes any certificate."""
    connection = socket.create_connection(("127.0.0.1", rig.port("imaps")), timeout=PATIENCE)
    context = ssl.create_default_context(cafile=rig.authority.certificate_file)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return Player(context.wrap_socket(connection, server_hostname=name), "C", context)


@pytest.mark.parametrize("name", ["localhost", "evil.test", "127.0.0.1", "{trap}", "1", "localhost.", "x" * 60])
def test_no_server_name_chooses_a_server(make_rig: MakeRig, identity: Identity, spy: Spy, trap: int, name: str) -> None:
    """Names are looked up in --route, never in the DNS."""
    with (
        ScriptedServer("S: * OK hi\nCLOSE", identity.server_context()) as server,
        make_rig(f"imap+insecure://127.0.0.1:{server.port}") as rig,
    ):
        with closing(hello(rig, name.format(trap=trap))) as client:
            client.play("S: * OK hi\nEOF")
        assert rig.told().opened.upstream == f"imap+insecure://127.0.0.1:{server.port}"
    assert spy.ports(rig) == {server.port}


WORDS = """
a LOGIN bob@127.0.0.1:{trap} secret
a LOGIN "bob%127.0.0.1:{trap}" "secret"
a LOGIN-REFERRALS imap://127.0.0.1:{trap}/
a XCLIENT ADDR=127.0.0.1 PORT={trap} DESTADDR=127.0.0.1 DESTPORT={trap} NAME=localhost
a XPROXY imap://127.0.0.1:{trap}/
a ID ("x-originating-ip" "127.0.0.1" "x-proxy-destination" "127.0.0.1:{trap}" "x-connected-port" "{trap}")
a URLFETCH "imap://bob;AUTH=*@127.0.0.1:{trap}/INBOX/;UID=1"
a RLIST "" "imap://127.0.0.1:{trap}/*"
a SELECT "imap://127.0.0.1:{trap}/INBOX"
PROXY TCP4 127.0.0.1 127.0.0.1 {trap} {trap}
CONNECT 127.0.0.1:{trap} HTTP/1.1
GET http://127.0.0.1:{trap}/ HTTP/1.1
POST imap+insecure://127.0.0.1:{trap} HTTP/1.1
"""

ANSWERS = """
a NO [REFERRAL imap://bob;AUTH=*@127.0.0.1:{trap}/] go there (RFC 2221)
a OK [REFERRAL imap://127.0.0.1:{trap}/INBOX] and there (RFC 2193)
* BYE [REFERRAL imap://127.0.0.1:{trap}/] moved
* OK [JMAPACCESS http://127.0.0.1:{trap}/] (RFC 9698)
* 1 FETCH (BODY[] "Location: imap://127.0.0.1:{trap}/")
"""


@pytest.mark.parametrize("listen", ["imap", "imap+insecure"])
def test_no_words_of_a_peer_lead_elsewhere(
    make_rig: MakeRig, identity: Identity, spy: Spy, trap: int, listen: str
) -> None:
    """Whatever asks other proxies to go somewhere: here it is passed on as it is, to the one server."""
    words = WORDS.format(trap=trap).strip().splitlines()
    answers = ANSWERS.format(trap=trap).strip().splitlines()
    script = "S: * OK hi\n" + "".join(f"C: {line}\n" for line in words) + "".join(f"S: {line}\n" for line in answers)
    with (
        ScriptedServer(script + "CLOSE", identity.server_context()) as server,
        make_rig(f"imap+insecure://127.0.0.1:{server.port}") as rig,
    ):
        with closing(rig.dial(listen)) as client:
            client.play(script + "EOF")
        rig.ended(1)
    assert spy.ports(rig) == {server.port}


@pytest.mark.parametrize("listen", LISTEN)
def test_other_protocols_at_the_door_lead_nowhere(
    make_rig: MakeRig, identity: Identity, spy: Spy, trap: int, listen: str
) -> None:
    """A PROXY header, HTTP, SOCKS before anything else, on a listener that expects TLS too."""
    openings = [
        f"PROXY TCP4 127.0.0.1 127.0.0.1 {trap} {trap}\r\n".encode(),
        b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\x7f\0\0\1\x7f\0\0\1" + 2 * trap.to_bytes(2, "big"),
        f"CONNECT 127.0.0.1:{trap} HTTP/1.1\r\n\r\n".encode(),
        b"\x04\x01" + trap.to_bytes(2, "big") + b"\x7f\0\0\1\0",
        b"\x05\x01\0\x05\x01\0\x01\x7f\0\0\1" + trap.to_bytes(2, "big"),
    ]
    with (
        Careless("S: * OK hi\nC= ...\nCLOSE", identity.server_context()) as server,
        make_rig(f"imap+insecure://127.0.0.1:{server.port}") as rig,
    ):
        for opening in openings:
            with closing(dial(rig.port(listen), rig.trusting)) as client:
                client.connection.sendall(opening)
                with contextlib.suppress(OSError):  # refused already
                    client.connection.shutdown(socket.SHUT_WR)
                client.rest()
        rig.ended(*range(1, len(openings) + 1))
    assert spy.ports(rig) <= {server.port}


def test_a_name_of_digits_is_no_port() -> None:
    """A route by port is for those who come to that port, not for whoever asks for a server named like it."""
    default, other = (parse_upstream(f"imaps://{name}") for name in ("default", "other"))
    settings = Settings(default, (), {"1143": other})
    assert settings.upstream_for(1143, "1143") is other
    assert settings.upstream_for(1993, "1143") is default
