"""Who is reached: names, routes, ALPN, and TLS where none is expected, or the reverse (M 6.14, 6.15)."""

from __future__ import annotations

import socket
import ssl
from contextlib import closing
from pathlib import Path

import pytest

from proxy.imap.transcript import Direction, Ending, EventKind
from proxy.live.endpoint import parse_upstream
from tests.proxy.live.conftest import MakeRig, Play
from tests.proxy.live.rig import Careless
from tests.servers.certificates import Identity
from tests.servers.scripted import ScriptedServer, dial
from tests.servers.wait import free_port, until

LISTEN = ["imaps", "imap", "imap+insecure"]
BYE = "S: * BYE imaptap: ...\nEOF"


@pytest.mark.parametrize("listen", LISTEN)
def test_names_and_ports_where_nobody_is(make_rig: MakeRig, listen: str) -> None:
    """Name not found, connection refused: named as such, to the client too."""
    for url, words in (
        ("imaps://nowhere.invalid", "was not found"),
        (f"imap://localhost:{free_port()}", "refused the"),
    ):
        with make_rig(url) as rig, closing(rig.dial(listen)) as client:
            bye = client.rest().decode()
            client.close()
            told = rig.told()
        assert words in bye
        assert words in told.closed.reason
        assert rig.said(words)
        assert told.ending is Ending.FAILED
        told.assert_arrived(server=b"", client=bye.encode())


@pytest.mark.parametrize("listen", LISTEN)
def test_a_plain_server_behind_imaps(make_rig: MakeRig, identity: Identity, listen: str) -> None:
    """M 6.15: it greets where a handshake was to begin."""
    with (
        ScriptedServer("S: * OK hi\nC= ...\nCLOSE", identity.server_context()) as server,
        make_rig(f"imaps://localhost:{server.port}") as rig,
        closing(rig.dial(listen)) as client,
    ):
        assert "plain text where TLS was expected" in client.rest().decode()
        client.close()
        assert rig.told().ending is Ending.FAILED


def test_a_silent_server_behind_imaps(make_rig: MakeRig, identity: Identity) -> None:
    """It accepts and never speaks: given up, and named."""
    with (
        Careless("EOF", identity.server_context()) as server,
        make_rig(f"imaps://localhost:{server.port}", handshake_seconds=0.3) as rig,
        closing(rig.dial("imap+insecure")) as client,
    ):
        assert "did not answer in time" in client.rest().decode()


@pytest.mark.parametrize("listen", ["imap+insecure", "imaps"])
def test_a_tls_server_behind_imap(play: Play, listen: str, identity: Identity) -> None:
    """M 6.15: both wait for each other, so time has to tell; the hint names imaps://."""
    scene = play(listen, "imap", "EOF", BYE, handshake_seconds=0.2)
    assert "imaps://" in scene.bye


@pytest.mark.parametrize("listen", LISTEN)
@pytest.mark.parametrize("record", ["\\x15\\x03\\x01\\x00\\x02\\x02F", "\\x16\\x03\\x03\\x00"])
def test_a_server_that_answers_imap_with_tls(play: Play, listen: str, record: str) -> None:
    """M 6.15: an alert is no greeting; the client does not get it."""
    client = "" if listen == "imap" else "C: a NOOP\n"
    server = f"S= {record}\nEOF" if listen == "imap" else f"C: a NOOP\nS= {record}\nEOF"
    scene = play(listen, "imap+insecure", server, f"{client}{BYE}")
    assert "speaks TLS" in scene.bye
    assert "imaps://" in scene.bye
    assert [event.name for event in scene.told.events(EventKind.FAULT)] == ["TLS on a plain port", "session"]


@pytest.mark.usefixtures("our_tag")
def test_a_tls_answer_while_starttls_is_being_asked_for(play: Play) -> None:
    """The same, found by imaptap itself."""
    scene = play("imaps", "imap", "S= \\x15\\x03\\x01\\x00\\x02\\x02F\nEOF", BYE)
    assert "speaks TLS" in scene.bye


@pytest.mark.parametrize(
    "said",
    [
        "\\x00" * 40,
        "\\xff\\xfe\\x1b[2J" * 40,
        "\\x16\\x03\\x03\\x00\\x04\\x02\\x00\\x00\\x00",  # an empty ServerHello
        "\\x16\\x03\\x03\\xff\\xff" + "\\x02" * 80,  # a record longer than any may be
        "\\x15\\x03\\x03\\x00\\x02\\x02\\x28",  # handshake_failure
    ],
)
def test_a_server_whose_tls_is_garbage(make_rig: MakeRig, identity: Identity, said: str) -> None:
    """The client is told, in words that no terminal obeys; the record has the reason."""
    script = f"C= \\x16\\x03...\nS= {said}\nEOF"
    with (
        Careless(script, identity.server_context(), implicit=False) as server,
        make_rig(f"imaps://localhost:{server.port}") as rig,
        closing(rig.dial("imap+insecure")) as client,
    ):
        heard = client.rest().decode("ascii")
        assert heard.startswith("* BYE imaptap: ")
        assert heard.removesuffix("\r\n").isprintable()
        told = rig.told()
    assert told.ending is Ending.FAILED
    assert told.closed.reason in heard


@pytest.mark.parametrize("upstream", ["imap+insecure", "imap"])
def test_a_server_that_has_not_greeted_yet(make_rig: MakeRig, identity: Identity, upstream: str) -> None:
    """M 2.15: it may come late, so nothing is cut; but somebody should know."""
    with (
        ScriptedServer("C: a NOOP\nS: * OK late\nS: a OK\nCLOSE", identity.server_context()) as server,
        make_rig(f"{upstream}://localhost:{server.port}", handshake_seconds=0.1) as rig,
        closing(rig.dial("imap")) as client,
    ):
        until(lambda: rig.said("has not greeted yet", "imaps://"), "the notice")
        client.play("C: a NOOP\nS: * OK ...late\nS: a OK\nEOF")
        client.close()
        [notice] = rig.told().events(EventKind.NOTICE)
    assert notice.name == "no greeting"


@pytest.mark.parametrize("listen", ["imap", "imap+insecure"])
def test_a_tls_client_at_a_plain_port(make_rig: MakeRig, identity: Identity, listen: str) -> None:
    """M 6.15: its hello does not reach the server."""
    with (
        ScriptedServer("S: * OK hi\nEOF", identity.server_context()) as server,
        make_rig(f"imap+insecure://localhost:{server.port}") as rig,
    ):
        with pytest.raises(ssl.SSLError):
            dial(rig.port(listen), rig.trusting, implicit=True)
        told = rig.told()
        until(lambda: server.players, "the server to have accepted")
    assert server.players[0].heard == b""
    assert told.ending is Ending.FAILED
    assert rig.said("client speaks TLS", "imaps://")
    assert "TLS on a plain port" in [event.name for event in told.events(EventKind.FAULT)]


def test_a_plain_client_at_a_tls_port(make_rig: MakeRig) -> None:
    """M 6.15: it can read why, whether it speaks first or waits for a greeting."""
    with make_rig("imaps://nowhere.invalid", handshake_seconds=0.2) as rig:
        for number, first in enumerate((b"a LOGIN bob hunter2\r\n", b""), 1):
            with closing(dial(rig.port("imaps"), rig.trusting)) as client:
                client.connection.sendall(first)
                assert b"SSL/TLS" in client.rest()
            told = rig.told(number)
            assert told.ending is Ending.FAILED
            assert "TLS port" in told.closed.reason
            assert "hunter2" not in repr(told.records)


def test_routes_by_name_and_by_port(make_rig: MakeRig, identity: Identity) -> None:
    """A client's server name chooses the server; where there is none, its port does (also in clear)."""

    def server(name: str) -> ScriptedServer:
        return ScriptedServer(f"S: * OK {name}\nCLOSE", identity.server_context())

    with server("default") as default, server("named") as named, server("port") as by_port:
        ports = [free_port() for _ in LISTEN]
        listen = [f"{scheme}://127.0.0.1:{port}" for scheme, port in zip(LISTEN, ports, strict=True)]
        routes = {"mail.test": parse_upstream(f"imap+insecure://localhost:{named.port}")}
        routes |= {str(port): parse_upstream(f"imap+insecure://localhost:{by_port.port}") for port in ports[1:]}
        with make_rig(f"imap+insecure://localhost:{default.port}", *listen, routes=routes) as rig:
            for session, (port, name, expected) in enumerate(
                (
                    (ports[0], "MAIL.test", b"named"),
                    (ports[0], "localhost", b"default"),
                    (ports[1], None, b"port"),
                    (ports[2], None, b"port"),
                ),
                1,
            ):
                context = rig.trusting
                with closing(dial(port, context)) as client:
                    if name:
                        client.connection = context.wrap_socket(client.connection, server_hostname=name)
                    client.expect(b"* OK " + expected)
                    client.close()
                told = rig.told(session)
                facts = " ".join(event.text for event in told.events(EventKind.TLS))
                assert (f"sni={name}" in facts) is bool(name)


def test_the_server_name_behind_starttls_is_stored(make_rig: MakeRig, identity: Identity) -> None:
    """M 6.14: and the leaf is for that name."""
    with (
        ScriptedServer("S: * OK hi\nEOF", identity.server_context()) as server,
        make_rig(f"imap+insecure://localhost:{server.port}") as rig,
        closing(rig.dial("imap")) as client,
    ):
        client.play("S: * OK hi\nC: a STARTTLS\nS: a OK ...")
        client.connection = rig.trusting.wrap_socket(client.connection, server_hostname="mail.test")
        client.close()
        [event] = rig.told().events(EventKind.TLS)
    assert "sni=mail.test" in event.text


@pytest.mark.parametrize("offered", [[], ["imap"], ["imap", "x"], ["http/1.1"]])
def test_alpn_is_passed_up(make_rig: MakeRig, identity: Identity, offered: list[str]) -> None:
    """M 6.14: `imap` where the client says it, to a server that knows it."""
    context = identity.server_context()
    context.set_alpn_protocols(["imap"])
    with (
        ScriptedServer("S: * OK hi\nCLOSE", context, implicit=True) as server,
        make_rig(f"imaps://localhost:{server.port}") as rig,
    ):
        mine = rig.trusting
        if offered:
            mine.set_alpn_protocols(offered)
        with closing(dial(rig.port("imaps"), mine, implicit=True)) as client:
            client.play("S: * OK hi\nEOF")
            assert isinstance(client.connection, ssl.SSLSocket)
            assert client.connection.selected_alpn_protocol() == ("imap" if "imap" in offered else None)
        told = rig.told()
    upstream = told.events(EventKind.TLS, Direction.SERVER)[0].text
    assert ("alpn=imap" in upstream) is ("imap" in offered)


def test_keys_are_logged_for_both_legs(make_rig: MakeRig, identity: Identity, tmp_path: Path) -> None:
    """With a key log the connection works all the same, on both transports."""
    file = tmp_path / "keys"
    with (
        ScriptedServer("S: * OK hi\nCLOSE", identity.server_context(), implicit=True) as server,
        make_rig(f"imaps://localhost:{server.port}", keylog=file) as rig,
        closing(rig.dial("imaps")) as client,
    ):
        client.play("S: * OK hi\nEOF")
    assert file.read_text().count("CLIENT_TRAFFIC_SECRET_0") == 2


def test_a_client_that_never_finishes_its_handshake(make_rig: MakeRig) -> None:
    """Given up in time."""
    with (
        make_rig("imaps://nowhere.invalid", handshake_seconds=0.2) as rig,
        closing(socket.create_connection(("127.0.0.1", rig.port("imaps")))) as client,
    ):
        client.sendall(b"\x16\x03\x01\x02\x00\x01")
        assert rig.told().ending is Ending.FAILED


@pytest.mark.parametrize("upstream", ["imap+insecure", "imap"])
def test_a_name_with_another_route_behind_starttls(make_rig: MakeRig, identity: Identity, upstream: str) -> None:
    """The server was dialled before the name was known: the client must not log in at the wrong one."""
    script = "S: * OK hi\nEOF" if upstream == "imap+insecure" else "S: * OK hi\nC: a STARTTLS\nS: a OK go\nTLS\nEOF"
    routes = {"mail.test": parse_upstream("imaps://elsewhere.invalid")}
    with (
        ScriptedServer(script, identity.server_context()) as server,
        make_rig(f"{upstream}://localhost:{server.port}", routes=routes) as rig,
        closing(rig.dial("imap")) as client,
    ):
        client.play("S: * OK hi\nC: a STARTTLS\nS: a OK ...")
        client.connection = rig.trusting.wrap_socket(client.connection, server_hostname="mail.test")
        assert b"* BYE imaptap: The client asked for mail.test" in client.rest()
        client.close()
        assert rig.told().ending is Ending.FAILED


@pytest.mark.parametrize("listen", ["imap+insecure", "imaps"])
def test_a_server_that_goes_without_a_greeting(play: Play, listen: str) -> None:
    """M 6.15: a TLS server does this when it hears a command in clear."""
    scene = play(listen, "imap+insecure", "C: a NOOP\nCLOSE", f"C: a NOOP\n{BYE}")
    assert "without a greeting" in scene.bye
    assert "imaps://" in scene.bye
    assert scene.told.ending is Ending.FAILED
