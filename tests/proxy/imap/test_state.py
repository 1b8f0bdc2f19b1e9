"""What a session becomes, in rows: what has ended how, and what is then (RFC 9051 section 3; M 2.15, 3.12, 6.17)."""

from __future__ import annotations

import pytest

from proxy.imap.state import Phase, SessionState
from proxy.imap.transcript import Layer

STEPS = [
    # before (None: just connected), command, status, then
    ("not authenticated", "LOGIN", "OK", "authenticated"),
    ("not authenticated", "LOGIN", "NO", "not authenticated"),
    ("not authenticated", "AUTHENTICATE", "OK", "authenticated"),
    ("not authenticated", "AUTHENTICATE", "BAD", "not authenticated"),
    ("not authenticated", "STARTTLS", "OK", "not authenticated"),
    ("authenticated", "SELECT", "OK", "selected box"),
    ("authenticated", "EXAMINE", "OK", "selected box"),
    ("authenticated", "SELECT", "NO", "authenticated"),
    ("selected old", "SELECT", "OK", "selected box"),
    ("selected old", "SELECT", "NO", "authenticated"),
    ("selected old", "SELECT", "BAD", "selected old"),
    ("selected old", "CLOSE", "OK", "authenticated"),
    ("selected old", "CLOSE", "NO", "selected old"),
    ("selected old", "UNSELECT", "OK", "authenticated"),
    ("selected old", "UNAUTHENTICATE", "OK", "not authenticated"),
    ("selected old", "LOGOUT", "OK", "logout"),
    ("selected old", "LOGOUT", "BYE", "logout"),
    ("selected old", "LOGOUT", "BAD", "selected old"),
    ("selected old", "NOOP", "OK", "selected old"),
]


def shown(state: SessionState) -> str:
    """Phase and mailbox."""
    return f"{state.phase} {state.mailbox or ''}".strip()


@pytest.mark.parametrize(("before", "command", "status", "after"), STEPS)
def test_completions(before: str, command: str, status: str, after: str) -> None:
    phase, _, mailbox = before.partition(" old")
    state = SessionState(Phase(phase), "old" if before.endswith(" old") else None)
    assert (shown(state), mailbox) == (before, "")
    state.complete(command, status, "box")
    assert shown(state) == after
    assert state.authenticated is after.startswith(("authenticated", "selected"))


@pytest.mark.parametrize(
    ("status", "phase"),
    [
        ("OK", Phase.NOT_AUTHENTICATED),
        ("PREAUTH", Phase.AUTHENTICATED),
        ("BYE", Phase.LOGOUT),
        ("", Phase.NOT_AUTHENTICATED),
    ],
)
def test_greetings(status: str, phase: Phase) -> None:
    state = SessionState()
    assert state.phase is Phase.CONNECTED
    state.greet(status)
    assert state.phase is phase


def test_capabilities_seen_in_clear_do_not_survive_tls() -> None:
    """M 6.8."""
    state = SessionState()
    state.learn_capabilities(b" IMAP4rev1 idle AUTH=PLAIN\r\n", Layer.PLAIN)
    assert state.capabilities == {"IMAP4REV1", "IDLE", "AUTH=PLAIN"}
    state.switch_to_tls()
    assert state.capabilities == frozenset()
    state.learn_capabilities(b"IMAP4rev2", Layer.TLS)
    assert (state.capabilities, state.capabilities_layer) == ({"IMAP4REV2"}, Layer.TLS)
