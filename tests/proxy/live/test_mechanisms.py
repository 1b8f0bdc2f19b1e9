"""What a middleman cannot pass: channel-bound SCRAM and client certificates; and the login after UNAUTHENTICATE."""

from __future__ import annotations

import pytest

from proxy.imap.capabilities import Scram
from proxy.imap.transcript import Direction, Ending, EventKind
from proxy.live.settings import UpstreamTrust
from tests.proxy.live.conftest import Play
from tests.servers.certificates import Identity

BOUND = "IMAP4rev1 AUTH=PLAIN AUTH=SCRAM-SHA-256 AUTH=SCRAM-SHA-256-PLUS"
FREE = "IMAP4rev1 AUTH=PLAIN AUTH=SCRAM-SHA-256"
NONE = "IMAP4rev1 AUTH=PLAIN"
LISTEN = ["imaps", "imap+insecure"]


def lists(*words: str, end: str = "CLOSE") -> str:
    """A greeting, and a CAPABILITY command for each list."""
    asked = [f"C: a CAPABILITY\nS: * CAPABILITY {list_}\nS: a OK" for list_ in words]
    return "\n".join(["S: * OK hi", *asked, end])


@pytest.mark.parametrize("listen", LISTEN)
@pytest.mark.parametrize(
    ("scram", "server", "client", "said"),
    [
        (Scram.AUTO, (BOUND,), (NONE,), True),
        (Scram.AUTO, (FREE,), (FREE,), False),
        (Scram.AUTO, (FREE, BOUND, FREE, BOUND), (FREE, NONE, NONE, NONE), True),
        (Scram.PASS, (BOUND, FREE), (BOUND, FREE), False),
        (Scram.HIDE, (FREE, BOUND), (NONE, NONE), False),
    ],
)
def test_scram(
    play: Play, listen: str, scram: Scram, server: tuple[str, ...], client: tuple[str, ...], said: bool
) -> None:
    """M 6.10: all of it goes where a bound one is offered; recorded as a rewrite, said once."""
    scene = play(listen, "imaps", lists(*server), lists(*client, end="EOF"), scram=scram)
    changed = [a for a, b in zip(server, client, strict=True) if a != b]
    assert len(scene.told.events(EventKind.REWRITE, Direction.SERVER)) == len(changed)
    assert sum("SCRAM" in words for words, _ in scene.rig.notices) == said


def test_bound_scram_stays_hidden_after_the_login(play: Play) -> None:
    """A list in the login's answer still counts, and so do later ones."""
    server = f"{lists(BOUND, end='')}\nC: b LOGIN bob secret\nS: b OK [CAPABILITY {BOUND}] in\n{lists(BOUND)[11:]}"
    scene = play("imaps", "imaps", server, server.replace(BOUND, NONE).replace("CLOSE", "EOF"))
    assert b"SCRAM" not in scene.client_heard


@pytest.mark.parametrize("listen", LISTEN)
def test_external_is_hidden_without_a_client_certificate(play: Play, listen: str) -> None:
    """M 6.11."""
    server = lists("IMAP4rev1 AUTH=EXTERNAL AUTH=PLAIN")
    play(listen, "imaps", server, server.replace(" AUTH=EXTERNAL", "").replace("CLOSE", "EOF"))


def test_external_is_shown_with_one(play: Play, identity: Identity) -> None:
    """M 6.11: it is the upstream's client certificate that counts."""
    trust = UpstreamTrust(ca_file=identity.ca, client_cert=identity.cert, client_key=identity.key)
    server = lists("IMAP4rev1 AUTH=EXTERNAL AUTH=PLAIN")
    play("imaps", "imaps", server, server.replace("CLOSE", "EOF"), trust=trust)


@pytest.mark.parametrize(("listen", "upstream"), [("imaps", "imaps"), ("imap+insecure", "imap+insecure")])
def test_unauthenticate_arms_the_gate_again(play: Play, listen: str, upstream: str) -> None:
    """M 6.17: lists before the login are rewritten, however often that comes; the next password is masked too."""
    words = "IMAP4rev1 STARTTLS AUTH=EXTERNAL"
    server = f"""
        S: * OK [CAPABILITY {words}] hi
        C: a LOGIN bob hunter2
        S: a OK in
        C: b NOOP
        S: b OK
        C: c UNAUTHENTICATE
        S: c OK out
        C: d CAPABILITY
        S: * CAPABILITY {words}
        S: d OK
        C: e LOGIN bob hunter3
        S: e OK in
        CLOSE"""
    client = server.replace(words, "IMAP4rev1").replace("CLOSE", "EOF")
    told = play(listen, upstream, server, client).told
    assert "hunter" not in repr(told.records)
    assert [x.status for x in told.exchanges] == ["OK"] * 5


def test_preauth_is_passed_where_nothing_has_to_be_upgraded(play: Play) -> None:
    """M 6.17: the session starts authenticated."""
    server = "S: * PREAUTH [CAPABILITY IMAP4rev1] hi\nC: a SELECT x\nS: a OK\nCLOSE"
    for pair in (("imap+insecure", "imap+insecure"), ("imap", "imaps"), ("imaps", "imaps")):
        scene = play(*pair, server, server.replace("CLOSE", "EOF"))
        assert scene.told.ending is Ending.SERVER
