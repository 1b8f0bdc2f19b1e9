"""STARTTLS refused, absent, injected into, or impossible: nothing secret is sent and everything is said (M 6.5-6.7)."""

from __future__ import annotations

import ssl
from contextlib import closing

import pytest

from proxy.imap.transcript import Direction, Ending, EventKind, Origin
from tests.proxy.live.conftest import MakeRig, Play
from tests.proxy.live.rig import Rig
from tests.servers.certificates import Identity
from tests.servers.scripted import ScriptedServer
from tests.servers.wait import until

UPGRADING = ["imap+insecure", "imaps"]
"""Listeners for which imaptap itself sends STARTTLS upstream."""

# imaptap's own STARTTLS.


@pytest.mark.parametrize("listen", UPGRADING)
@pytest.mark.parametrize(
    ("server", "words"),
    [
        ("S: * OK hi\nC: TAG STARTTLS\nS: TAG NO later\nEOF", "refused STARTTLS"),
        ("S: * OK hi\nC: TAG STARTTLS\nS: TAG BAD what\nEOF", "refused STARTTLS"),
        ("S: * OK [CAPABILITY IMAP4rev1] hi\nC: TAG STARTTLS\nS: TAG BAD what\nEOF", "refused STARTTLS"),
        ("S: * PREAUTH hi\nEOF", "PREAUTH"),
        ("S: HTTP/1.1 400 Bad Request\nEOF", "did not greet as an IMAP server"),
        ("CLOSE", "closed the connection before STARTTLS"),
        ("RESET", "closed the connection"),  # while it was dialled, or behind that
        ("S: * OK hi\nC: TAG STARTTLS\nCLOSE", "closed the connection before STARTTLS"),
        ("S: * OK hi\nC: TAG STARTTLS\nS: TAG OK go\nCLOSE", "closed the connection"),
    ],
)
def test_no_login_without_tls_upstream(play: Play, listen: str, server: str, words: str) -> None:
    """The client gets a readable BYE and nothing else; the server gets nothing but our own command (M 6.5)."""
    scene = play(listen, "imap", server, "C: a LOGIN bob secret\nS: * BYE imaptap: ...\nEOF")
    assert scene.told.ending is Ending.FAILED
    assert words in scene.told.closed.reason
    assert words in scene.bye
    assert scene.rig.said(words)
    assert any(words in event.text for event in scene.told.events(EventKind.FAULT))
    assert b"secret" not in scene.server_heard
    assert scene.server_heard in (b"", b"IMAPTAP00 STARTTLS\r\n")
    assert scene.client_heard.count(b"\r\n") == 1


@pytest.mark.parametrize("listen", UPGRADING)
def test_a_goodbye_instead_of_a_greeting_is_passed_on(play: Play, listen: str) -> None:
    """It is the client's greeting, once, and not our fault."""
    scene = play(listen, "imap", "S: * BYE too many\nCLOSE", "S: * BYE too many\nEOF")
    assert scene.told.ending is Ending.SERVER
    assert scene.client_heard == b"* BYE too many\r\n"


@pytest.mark.parametrize("listen", UPGRADING)
def test_more_than_a_greeting_in_the_first_segment(play: Play, listen: str) -> None:
    """Servers do that; what was said in clear does not reach the client, and STARTTLS is sent all the same."""
    server = "S= * OK hi\\r\\n* CAPABILITY IMAP4rev1 STARTTLS\\r\\n\nC: TAG STARTTLS\nS: TAG OK go\nTLS\n"
    body = "C: a NOOP\nS: a OK\n"
    scene = play(listen, "imap", f"{server}{body}CLOSE", f"S: * OK hi\n{body}EOF")
    assert [x.origin for x in scene.told.exchanges] == [Origin.PROXY, Origin.CLIENT]


@pytest.mark.parametrize("listen", UPGRADING)
@pytest.mark.parametrize("injected", ["* CAPABILITY EVIL\\r\\n", "* O", "\\x16\\x03\\x01"])
def test_a_server_that_talks_on_behind_its_ok(play: Play, listen: str, injected: str) -> None:
    """M 6.7, same segment: nothing of it reaches the client; a security event."""
    server = f"S: * OK hi\nC: TAG STARTTLS\nS= TAG OK go\\r\\n{injected}\nEOF"
    scene = play(listen, "imap", server, "C: a LOGIN bob secret\nS: * BYE imaptap: ...\nEOF")
    assert [event.name for event in scene.told.events(EventKind.SECURITY)] == ["STARTTLS injection"]
    assert b"EVIL" not in scene.client_heard
    assert b"secret" not in scene.server_heard
    assert scene.told.stream(Direction.SERVER).endswith(injected.encode().decode("unicode_escape").encode("latin-1"))


def test_a_server_that_answers_in_clear_where_the_handshake_is_due(play: Play) -> None:
    """M 6.7, later segment: it fails as a handshake, and the text is not taken for an answer."""
    server = "S: * OK hi\nC: TAG STARTTLS\nS: TAG OK go\nC= \\x16\\x03...\nS: * CAPABILITY EVIL\nCLOSE"
    scene = play("imap+insecure", "imap", server, "S: * BYE ...\nEOF", compare=False)
    assert b"EVIL" not in scene.client_heard
    assert "plain text" in scene.bye
    assert scene.told.ending is Ending.FAILED


def test_a_server_that_never_gets_as_far_as_starttls(play: Play) -> None:
    """Silence, or chatter without end, is given up with a hint."""
    for server in ("EOF", "S: * OK hi\nC: TAG STARTTLS\nS: * OK wait\nEOF"):
        scene = play("imap+insecure", "imap", server, "S: * BYE imaptap: ...\nEOF", handshake_seconds=0.2)
        assert "imaps://" in scene.bye
        assert "STARTTLS within" in scene.told.closed.reason


# The client's STARTTLS, answered by imaptap.


@pytest.mark.parametrize("upstream", ["imap+insecure", "imaps"])
def test_injection_in_the_segment_of_starttls(play: Play, upstream: str) -> None:
    """M 6.6: the server hears neither the command nor what came behind it."""
    client = "S: * OK x\nC= a STARTTLS\\r\\nb LOGIN eve evil\\r\\n\nS: * BYE imaptap: ...\nEOF"
    scene = play("imap", upstream, "S: * OK x\nEOF", client)
    assert scene.told.ending is Ending.FAILED
    assert len(scene.told.events(EventKind.SECURITY)) == 1
    assert scene.server_heard == b""
    assert b"evil" not in b"".join(repr(record).encode() for record in scene.told.records)


@pytest.mark.parametrize("upstream", ["imap+insecure", "imaps"])
def test_injection_in_a_later_segment(play: Play, upstream: str) -> None:
    """M 6.6: after the OK, before the handshake."""
    client = "S: * OK x\nC: a STARTTLS\nS: a OK ...\nC: b LOGIN eve evil\nS: * BYE imaptap: ...\nEOF"
    scene = play("imap", upstream, "S: * OK x\nEOF", client)
    assert len(scene.told.events(EventKind.SECURITY)) == 1
    assert scene.server_heard == b""


def test_the_first_command_may_come_with_the_end_of_the_handshake(make_rig: MakeRig, identity: Identity) -> None:
    """A TLS 1.3 client sends it in the same flight, before our side has noticed that the handshake is over."""
    server = "S: * OK x\nC: b NOOP\nS: b OK\nCLOSE"
    with (
        ScriptedServer(server, identity.server_context()) as peer,
        make_rig(f"imap+insecure://localhost:{peer.port}") as rig,
        closing(rig.dial("imap")) as client,
    ):
        client.play("S: * OK x\nC: a STARTTLS\nS: a OK ...")
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = rig.trusting.wrap_bio(incoming, outgoing, server_hostname="localhost")
        while not _hands_shaken(tls):
            client.connection.sendall(outgoing.read())
            incoming.write(client.connection.recv(65536))
        tls.write(b"b NOOP\r\n")
        client.connection.sendall(outgoing.read())
        while not (answer := _read(tls)):
            incoming.write(client.connection.recv(65536))
        assert answer == b"b OK\r\n"
        client.close()
        told = rig.told()
    assert [(x.command, x.status) for x in told.exchanges] == [("STARTTLS", "OK"), ("NOOP", "OK")]


def _hands_shaken(tls: ssl.SSLObject) -> bool:
    try:
        tls.do_handshake()
    except ssl.SSLWantReadError:
        return False
    return True


def _read(tls: ssl.SSLObject) -> bytes:
    try:
        return tls.read()
    except ssl.SSLWantReadError:
        return b""


def test_starttls_typed_one_byte_at_a_time(make_rig: MakeRig, identity: Identity) -> None:
    """And its line end in two segments: it is caught all the same."""
    with (
        ScriptedServer("S: * OK x\nC: b NOOP\nS: b OK\nCLOSE", identity.server_context()) as peer,
        make_rig(f"imap+insecure://localhost:{peer.port}") as rig,
        closing(rig.dial("imap")) as client,
    ):
        client.expect(b"* OK x\r\n")
        for number in range(len(b"a STARTTLS\r")):
            client.connection.sendall(b"a STARTTLS\r"[number : number + 1])
            until(lambda n=number: len(heard(rig)) == n + 1, "the byte to arrive")  # type: ignore[misc]
        client.connection.sendall(b"\n")
        client.play("S: a OK ...\nTLS\nC: b NOOP\nS: b OK\nEOF\nCLOSE")
        told = rig.told()
    told.assert_arrived(server=bytes(peer.players[0].heard), client=bytes(client.heard))


def heard(rig: Rig) -> bytes:
    """What the record has of the client so far, or what it counts: text that is not released yet shows only there."""
    session = next(iter(rig.recorder._sessions))
    return b"x" * session._tap.conversation.received(Direction.CLIENT)


@pytest.mark.parametrize("step", ["CLOSE", "RESET", "C: a STARTTLS\nCLOSE", "C: a STARTTLS\nS: a OK ...\nCLOSE"])
@pytest.mark.parametrize(("listen", "upstream"), [("imap", "imap+insecure"), ("imap", "imaps")])
def test_a_client_that_vanishes_around_starttls(play: Play, listen: str, upstream: str, step: str) -> None:
    """One end, quickly, and the server is let go."""
    scene = play(listen, upstream, "S: * OK x\nEOF", f"S: * OK x\n{step}", compare=False)
    assert scene.told.ending in (Ending.CLIENT, Ending.FAILED)


# The client's STARTTLS, relayed.


@pytest.mark.parametrize("answer", ["NO not now", "BAD what"])
def test_refused_both_sides_stay_as_they_are(play: Play, answer: str) -> None:
    """M 6.5: the answer is relayed, commands pass again, and a login in clear is still not possible."""
    body = f"C: a STARTTLS\nS: a {answer}\nC: b CAPABILITY\nS: * CAPABILITY X\nS: b OK\n"
    client = f"S: * OK x\n{body}C: c LOGIN bob secret\nS: * BYE imaptap: ...\nEOF"
    scene = play("imap", "imap", f"S: * OK x\n{body}EOF", client)
    assert scene.told.ending is Ending.FAILED
    assert "before STARTTLS" in scene.bye
    assert b"secret" not in scene.server_heard
    assert scene.told.events(EventKind.TLS) == []


def test_what_follows_a_refused_literal_is_looked_at(play: Play) -> None:
    """M 4.3: the literal will not come, so the next line is a command; in clear it may not be a login."""
    body = "C: a ID {18}\nS: a NO not now\n"
    client = f"S: * OK x\n{body}C: b LOGIN bob secret\nS: * BYE imaptap: ...\nEOF"
    scene = play("imap", "imap", f"S: * OK x\n{body}EOF", client)
    assert scene.told.ending is Ending.FAILED
    assert "before STARTTLS" in scene.bye
    assert b"secret" not in scene.server_heard


def test_a_server_that_greets_with_preauth_in_clear(play: Play) -> None:
    """M 6.5: with it somebody in between could keep the client from STARTTLS."""
    scene = play("imap", "imap", "S: * PREAUTH welcome\nEOF", "S: * BYE imaptap: ...\nEOF")
    assert "PREAUTH" in scene.bye
    assert scene.server_heard == b""
    assert b"* PREAUTH welcome" not in scene.client_heard


def test_login_before_starttls(play: Play) -> None:
    """M 6.5: no credentials in clear, and the record masks what the client gave away."""
    scene = play("imap", "imap", "S: * OK x\nEOF", "S: * OK x\nC: a LOGIN bob hunter2\nS: * BYE imaptap: ...\nEOF")
    assert scene.server_heard == b""
    assert "hunter2" not in repr(scene.told.records)
    [withheld] = [event for event in scene.told.events(EventKind.REWRITE) if event.name == "withheld"]
    assert (withheld.offset, withheld.length) == (0, len("a LOGIN bob hunter2\r\n"))


@pytest.mark.parametrize("late", ["\nC: b LOGIN eve evil", "\\r\\nb LOGIN eve evil\\r\\n"])
def test_injection_by_the_client(play: Play, late: str) -> None:
    """M 6.6: in the segment of STARTTLS, or before the server has answered."""
    first = f"C: a STARTTLS{late}" if late.startswith("\n") else f"C= a STARTTLS{late}"
    scene = play("imap", "imap", "S: * OK x\nC: a STARTTLS\nEOF", f"S: * OK x\n{first}\nS: * BYE imaptap: ...\nEOF")
    assert len(scene.told.events(EventKind.SECURITY)) == 1
    assert scene.server_heard == b"a STARTTLS\r\n"


def test_injection_by_the_client_after_the_ok(play: Play) -> None:
    """M 6.6: the server's leg is TLS by then; nothing of it goes there."""
    client = "S: * OK x\nC: a STARTTLS\nS: a OK go\nC: b LOGIN eve evil\nS: * BYE imaptap: ...\nEOF"
    scene = play("imap", "imap", "S: * OK x\nC: a STARTTLS\nS: a OK go\nTLS\nEOF", client)
    assert len(scene.told.events(EventKind.SECURITY)) == 1
    assert scene.server_heard == b"a STARTTLS\r\n"


def test_injection_by_the_server(play: Play) -> None:
    """M 6.7: neither the OK nor what stands behind it reaches the client."""
    server = "S: * OK x\nC: a STARTTLS\nS= a OK go\\r\\n* CAPABILITY EVIL\\r\\n\nEOF"
    scene = play("imap", "imap", server, "S: * OK x\nC: a STARTTLS\nS: * BYE imaptap: ...\nEOF")
    assert len(scene.told.events(EventKind.SECURITY)) == 1
    assert b"EVIL" not in scene.client_heard
    assert b"a OK" not in scene.client_heard


def test_the_upstream_handshake_fails(play: Play) -> None:
    """The client was not told OK yet, so it can read why."""
    server = "S: * OK x\nC: a STARTTLS\nS: a OK go\nCLOSE"
    scene = play("imap", "imap", server, "S: * OK x\nC: a STARTTLS\nS: * BYE imaptap: ...\nEOF")
    assert "closed the connection" in scene.bye


@pytest.mark.parametrize("answer", ["OK", "NO"])
def test_commands_pipelined_before_starttls(play: Play, answer: str) -> None:
    """They are answered first; the capability list of before does not disturb the wait."""
    body = f"C= a CAPABILITY\\r\\nb STARTTLS\\r\\n\nS= * CAPABILITY X\\r\\na OK\\r\\nb {answer} x\\r\\n\n"
    tail = "TLS\n" if answer == "OK" else ""
    end = "C: c NOOP\nS: c OK\n"
    scene = play("imap", "imap", f"S: * OK x\n{body}{tail}{end}CLOSE", f"S: * OK x\n{body}{tail}{end}EOF")
    assert [x.status for x in scene.told.exchanges] == ["OK", answer, "OK"]
