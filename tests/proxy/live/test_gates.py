"""How long gates stand, when they come back, and what becomes of what they hold."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from proxy.imap.gate import ClientGate, StartTls
from proxy.imap.transcript import Direction, Event
from proxy.live.endpoint import Security
from tests.proxy.live.wireless import Wireless

CLIENT, SERVER = Direction.CLIENT, Direction.SERVER
GREETING = "S: * OK [CAPABILITY IMAP4rev1 STARTTLS] hi"
LOGIN = "C: a LOGIN bob hunter2\nS: a OK in"
HALF_A_LIST = b"* CAPABILITY IMAP4rev1 STARTT"


@pytest.fixture
def wire() -> Iterator[Wireless]:
    wireless = Wireless(Security.TLS)
    yield wireless
    wireless.close()


def say(wire: Wireless, said: str) -> None:
    for line in said.splitlines():
        wire.deliver(CLIENT if line[0] == "C" else SERVER, line[3:].encode() + b"\r\n")


@pytest.mark.parametrize(
    ("said", "heed"),
    [
        (GREETING, True),
        (f"{GREETING}\nC: a LOGIN bob hunter2\nS: a NO out", True),
        (f"{GREETING}\n{LOGIN}", False),
        (f"{GREETING}\n{LOGIN}\nC: b NOOP\nS: b OK done", False),
        (f"{GREETING}\n{LOGIN}\nC: b UNAUTHENTICATE", True),
    ],
    ids=["greeted", "refused", "in", "at work", "going out"],
)
def test_what_is_said_is_looked_at_first(wire: Wireless, said: str, heed: bool) -> None:
    say(wire, said)
    assert wire.relay.gates.heed is heed


def test_the_offer_of_unauthenticate_is_heeded_once_it_is_understood(wire: Wireless) -> None:
    say(wire, f"{GREETING}\n{LOGIN}\nS: * CAPABILITY IMAP4rev1 UNAUTHENTICATE")
    assert wire.tap.conversation.state.authenticated
    say(wire, "C: b NOOP")
    assert wire.relay.gates.heed


def test_the_servers_gate_comes_back_when_the_client_is_out_again(wire: Wireless) -> None:
    say(wire, f"{GREETING}\n{LOGIN}\nC: b UNAUTHENTICATE\nS: b OK out")
    assert wire.relay.gates.server is not None
    before = len(wire.client.got)
    say(wire, "S: * CAPABILITY IMAP4rev1 STARTTLS")
    assert bytes(wire.client.got[before:]) == b"* CAPABILITY IMAP4rev1\r\n"


def test_half_a_line_goes_on_when_gates_open(wire: Wireless) -> None:
    gates = wire.relay.gates
    wire.deliver(SERVER, HALF_A_LIST)
    assert HALF_A_LIST not in wire.client.got
    gates.open()
    assert wire.client.got == HALF_A_LIST
    assert not gates.heed


def test_gates_that_wait_for_tls_stay_shut(wire: Wireless) -> None:
    gates = wire.relay.gates
    gates.client = ClientGate(StartTls.RELAYED, tls_required=True)
    wire.deliver(SERVER, HALF_A_LIST)
    gates.open()
    assert not wire.client.got
    assert gates.client
    assert gates.server


def test_what_never_went_on_is_recorded_as_withheld(wire: Wireless) -> None:
    wire.deliver(SERVER, HALF_A_LIST)
    wire.relay.gates.withhold()
    assert wire.tap.conversation.received(SERVER) == len(HALF_A_LIST)
    [event] = [record for record in wire.records if isinstance(record, Event) and record.name == "withheld"]
    assert (event.direction, event.offset, event.length) == (SERVER, 0, len(HALF_A_LIST))
    assert not wire.client.got
