"""Scripts without sockets for the STARTTLS that imaptap itself sends upstream (M 6.3-6.7)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.imap.upgrade import CLEAR_MAX, Step, Upgrade
from tests.proxy.imap.playing import Cut, at_random, bytewise, whole

CUTS = [whole, bytewise, at_random(1), at_random(2)]


def steps(upgrade: Upgrade, data: bytes, cut: Cut = whole) -> list[Step]:
    """All steps but WAIT, in order."""
    moved = [upgrade.receive(chunk).step for chunk in cut(data)]
    return [step for step in moved if step is not Step.WAIT]


def ready(greeting: bytes = b"* OK hi\r\n") -> Upgrade:
    """An upgrade whose command has been sent."""
    upgrade = Upgrade(b"P1")
    assert steps(upgrade, greeting) == [Step.SEND]
    return upgrade


@pytest.mark.parametrize("cut", CUTS)
def test_greeting_command_handshake(cut: Cut) -> None:
    """The ordinary way; rewrites applied to what was received give the greeting."""
    upgrade = Upgrade(b"P1")
    greeting, answer = b"* OK [CAPABILITY IMAP4rev1 STARTTLS] hello\r\n", b"* OK by the way\r\nP1 OK go\r\n"
    assert steps(upgrade, greeting, cut) == [Step.SEND]
    assert upgrade.command == b"P1 STARTTLS\r\n"
    assert steps(upgrade, answer, cut) == [Step.SECURE]
    assert upgrade.greeting == b"* OK hello\r\n"
    data, done = bytearray(), 0
    received = greeting + answer
    for rewrite in upgrade.rewrites:
        assert received[rewrite.offset : rewrite.offset + len(rewrite.received)] == rewrite.received
        data += received[done : rewrite.offset] + rewrite.sent
        done = rewrite.offset + len(rewrite.received)
    assert bytes(data + received[done:]) == upgrade.greeting


@pytest.mark.parametrize("rest", [b"* CAPABILITY IMAP4rev1 STARTTLS\r\n", b"* CAPABILITY IMAP4r", b"* OK more\r\n* OK"])
@pytest.mark.parametrize("cut", CUTS)
def test_more_than_the_greeting_in_one_segment(rest: bytes, cut: Cut) -> None:
    """The command is due all the same, once."""
    assert steps(Upgrade(b"P1"), b"* OK hi\r\n" + rest, cut) == [Step.SEND]


@pytest.mark.parametrize(
    ("greeting", "step"),
    [
        (b"* BYE too many\r\n", Step.BYE),
        (b"* PREAUTH welcome\r\n", Step.PREAUTH),
        (b"* preauth welcome\r\n", Step.PREAUTH),
        (b"HTTP/1.1 400 Bad Request\r\n", Step.NO_IMAP),
        (b"* INVALID\r\n", Step.NO_IMAP),
        (b"\r\n", Step.NO_IMAP),
    ],
)
def test_greetings_after_which_no_starttls_is_possible(greeting: bytes, step: Step) -> None:
    """M 6.5: nothing is sent after them."""
    for cut in CUTS:
        assert steps(Upgrade(b"P1"), greeting, cut)[:1] == [step]


@pytest.mark.parametrize("answer", [b"P1 NO not now\r\n", b"P1 BAD what?\r\n", b"P1 bad\r\n", b"P1 BYE\r\n"])
def test_refused(answer: bytes) -> None:
    """M 6.5."""
    for cut in CUTS:
        assert steps(ready(), answer, cut) == [Step.REFUSED]


def test_answers_to_others_and_untagged_ones_are_waited_through() -> None:
    """Tags compare with case (M 2.14)."""
    assert steps(ready(), b"* OK x\r\np1 OK no\r\nP11 OK no\r\n* P1 OK no\r\n") == []


@pytest.mark.parametrize("extra", [b"* CAPABILITY X\r\n", b"x", b"\r\n", b"\x16\x03\x01"])
def test_bytes_behind_the_ok_are_an_attack(extra: bytes) -> None:
    """M 6.7: in the same segment nothing but the OK may stand."""
    upgrade = ready()
    moved = upgrade.receive(b"P1 OK go\r\n" + extra)
    assert (moved.step, moved.line) == (Step.INJECTED, extra)


@given(st.binary(max_size=200), st.integers(1, 20))
def test_no_input_makes_it_raise_or_say_secure(data: bytes, size: int) -> None:
    """Only our own tag does."""
    upgrade = ready()
    said = steps(upgrade, data.replace(b"P1", b""), lambda x: [x[i : i + size] for i in range(0, len(x), size)])
    assert Step.SECURE not in said
    assert Step.SEND not in said


@pytest.mark.parametrize("chatter", [b"* OK still here\r\n", b"x" * 1024])
def test_a_server_that_never_stops_is_given_up(chatter: bytes) -> None:
    """Its words are kept until the handshake, so they have to end."""
    upgrade = ready()
    for _ in range(CLEAR_MAX // len(chatter) + 1):
        if upgrade.receive(chatter).step is Step.NO_IMAP:
            return
    pytest.fail("it listens for ever")
