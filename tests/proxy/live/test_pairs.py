"""The nine pairs of M 6: what the client sees of STARTTLS and LOGINDISABLED, and that the rest passes unchanged."""

from __future__ import annotations

import pytest

from proxy.imap.transcript import Direction, Ending, EventKind, Layer, Origin, Piece
from tests.proxy.live.conftest import Play

WORDS = "IMAP4rev1 STARTTLS LOGINDISABLED IDLE"

SERVER = f"""
    C: a CAPABILITY
    S: * CAPABILITY {WORDS}
    S: a OK [CAPABILITY {WORDS}] done
    C: b LOGIN bob secret
    S: b NO [CAPABILITY {WORDS}] wrong
    C: c LOGIN bob secret
    S: * ok [capability {WORDS}] by the way
    S: c OK in
    C: d APPEND x {{20}}
    S: + go
    C: * CAPABILITY STARTTLS
    C:
    S: d OK there
    C: e FETCH 1 RFC822
    S: * 1 FETCH (RFC822 {{21}}
    S: * CAPABILITY STARTTLS
    S: )
    S: e OK there
    C: f LOGOUT
    S: * BYE
    S: f OK
    CLOSE
"""
GREETING = f"S: * OK [CAPABILITY {WORDS}] hello"


def words(*, starttls: bool, logindisabled: bool) -> str:
    """The list as the client is to see it."""
    seen = WORDS if starttls else WORDS.replace(" STARTTLS", "")
    return seen if logindisabled else seen.replace(" LOGINDISABLED", "")


def server_script(listen: str, upstream: str) -> str:
    """What the server plays: in clear first where STARTTLS goes to it, and then all over again within TLS."""
    if upstream != "imap":
        return GREETING + SERVER
    if listen != "imap":
        return f"{GREETING}\nC: TAG STARTTLS\nS: TAG OK go\nTLS\n{SERVER}"
    return f"{GREETING}\nC: s STARTTLS\nS: s OK go\nTLS\n{SERVER}"


HIDDEN = {"starttls": False, "logindisabled": True}
ALL_HIDDEN = {"starttls": False, "logindisabled": False}
SHOWN = {"starttls": True, "logindisabled": True}

PAIRS = [
    ("imap+insecure", "imap+insecure", HIDDEN, HIDDEN),
    ("imap+insecure", "imaps", HIDDEN, HIDDEN),
    ("imap+insecure", "imap", None, ALL_HIDDEN),
    ("imaps", "imap+insecure", HIDDEN, HIDDEN),
    ("imaps", "imaps", HIDDEN, HIDDEN),
    ("imaps", "imap", None, ALL_HIDDEN),
    ("imap", "imap+insecure", SHOWN, HIDDEN),
    ("imap", "imaps", SHOWN, HIDDEN),
    ("imap", "imap", SHOWN, ALL_HIDDEN),
]
"""Listener, upstream, what the greeting's list shows (None: it was taken out), what lists in the session show."""


@pytest.mark.parametrize(("listen", "upstream", "greeting", "later"), PAIRS)
def test_what_the_client_sees(
    play: Play, listen: str, upstream: str, greeting: dict[str, bool] | None, later: dict[str, bool]
) -> None:
    """In greeting, `* CAPABILITY`, codes in tagged OK, NO and untagged OK; bodies that look the same stay."""
    first = "S: * OK hello" if greeting is None else GREETING.replace(WORDS, words(**greeting))
    starttls = "C: s STARTTLS\nS: s OK ...\nTLS\n" if listen == "imap" else ""
    client = f"{first}\n{starttls}{SERVER.replace(WORDS, words(**later)).replace('CLOSE', 'EOF')}"
    scene = play(listen, upstream, server_script(listen, upstream), client)
    assert scene.told.ending is Ending.SERVER
    assert scene.told.opened.listen.startswith(f"{listen}://")
    assert scene.told.opened.upstream.startswith(f"{upstream}://")
    own = [x for x in scene.told.exchanges if x.origin is Origin.PROXY]
    assert [x.command for x in own] == (["STARTTLS"] if upstream == "imap" and listen != "imap" else [])
    assert scene.client_heard.count(b"hello") == 1, "one greeting (M 6.3)"
    theirs = [(x.tag, x.command, x.status) for x in scene.told.exchanges if x.origin is Origin.CLIENT]
    assert theirs[-6:] == [
        ("a", "CAPABILITY", "OK"),
        ("b", "LOGIN", "NO"),
        ("c", "LOGIN", "OK"),
        ("d", "APPEND", "OK"),
        ("e", "FETCH", "OK"),
        ("f", "LOGOUT", "OK"),
    ]


@pytest.mark.parametrize(("listen", "upstream"), [pair[:2] for pair in PAIRS])
def test_layers_and_tls_facts(play: Play, listen: str, upstream: str) -> None:
    """M 6.8, 6.14: each leg's bytes carry their layer; versions and ciphers of both legs are stored."""
    starttls = "C: s STARTTLS\nS: s OK ...\nTLS\n" if listen == "imap" else ""
    lines = "C: f LOGOUT\nS: f OK\n"
    server = server_script(listen, upstream).partition("C: a CAPABILITY")[0].rstrip() + f"\n{lines}CLOSE"
    told = play(listen, upstream, server, f"S: * OK ...\n{starttls}{lines}EOF").told
    for direction, scheme in ((Direction.CLIENT, listen), (Direction.SERVER, upstream)):
        pieces = [x for x in told.records if isinstance(x, Piece) and x.direction is direction]
        assert pieces[0].layer is (Layer.TLS if scheme == "imaps" else Layer.PLAIN)
        assert pieces[-1].layer is (Layer.PLAIN if scheme == "imap+insecure" else Layer.TLS)
        events = told.events(EventKind.TLS, direction)
        assert [event.text[:5] for event in events] == ([] if scheme == "imap+insecure" else ["TLSv1"])


@pytest.mark.parametrize("upstream", ["imap+insecure", "imaps"])
def test_a_client_may_leave_the_offered_starttls(play: Play, upstream: str) -> None:
    """The offer is ours and no duty; after the login it is not made any more."""
    server = "S: * OK [CAPABILITY A] x\nC: a LOGIN bob secret\nS: a OK [CAPABILITY A B] in\nC: b CAPABILITY\n"
    server += "S: * CAPABILITY A B\nS: b OK\nCLOSE"
    client = server.replace("[CAPABILITY A]", "[CAPABILITY A STARTTLS]").replace("CLOSE", "EOF")
    assert play("imap", upstream, server, client).told.ending is Ending.SERVER


def test_a_second_starttls_meets_the_servers_own_answer(play: Play) -> None:
    """M 6.9: through TLS on both sides it is passed on, its BAD comes back, and no handshake begins."""
    body = "C: b STARTTLS\nS: b BAD already\nC: c LOGIN bob secret\nS: c OK in\nC: d STARTTLS\nS: d BAD no\n"
    server = f"S: * OK x\nC: a STARTTLS\nS: a OK go\nTLS\n{body}CLOSE"
    scene = play("imap", "imap", server, f"S: * OK x\nC: a STARTTLS\nS: a OK ...\nTLS\n{body}EOF")
    assert [x.status for x in scene.told.exchanges] == ["OK", "BAD", "OK", "BAD"]
    assert len(scene.told.events(EventKind.TLS)) == 2


@pytest.mark.parametrize("listen", ["imaps", "imap", "imap+insecure"])
def test_no_starttls_reaches_a_server_in_clear_behind_our_back(play: Play, listen: str) -> None:
    """M 6.9 where the server could say OK: imaptap says BAD, before the login and after it; what follows passes."""
    starttls = "C: s STARTTLS\nS: s OK ...\nTLS\n" if listen == "imap" else ""
    server = "S: * OK x\nC: b NOOP\nS: b OK\nC: d LOGIN bob secret\nS: d OK in\nC: f NOOP\nS: f OK\nCLOSE"
    client = f"""S: * OK x\n{starttls}
        C= a STARTTLS\\r\\nb NOOP\\r\\n
        S: a BAD ...
        S: b OK
        C: d LOGIN bob secret
        S: d OK in
        C= e STARTTLS\\r\\nf NOOP\\r\\n
        S: e BAD ...
        S: f OK
        EOF"""
    scene = play(listen, "imap+insecure", server, client)
    denied = [x for x in scene.told.exchanges if x.command == "STARTTLS" and x.status == "BAD"]
    assert len(denied) == 2
    assert all("answered by imaptap" in x.marks for x in denied)
