"""The conversation as the live side uses it: its own commands and answers, TLS, events, faults, the end."""

from __future__ import annotations

import pytest

from proxy.imap.conversation import Conversation
from proxy.imap.server_side import ServerSide
from proxy.imap.state import Phase
from proxy.imap.transcript import (
    Direction,
    Ending,
    Event,
    EventKind,
    Exchange,
    Layer,
    Origin,
    Outcome,
    Piece,
    Record,
    SessionClosed,
)
from tests.proxy.imap.playing import CLIENT, SERVER, Heard, Said, bytewise, lines, play, server


def heard_by(conversation: Conversation) -> Heard:
    """What it has to say at its end."""
    conversation.close(99, Ending.CLIENT, "done")
    return Heard(conversation.take())


def test_records_are_taken_once() -> None:
    conversation = Conversation(7)
    conversation.receive(SERVER, b"* OK hi\r\n", 5, Layer.TLS)
    (piece,) = conversation.take()
    assert isinstance(piece, Piece)
    assert (piece.session, piece.at, piece.layer, piece.data) == (7, 5, Layer.TLS, b"* OK hi\r\n")
    assert conversation.take() == []


def test_nothing_received_is_nothing() -> None:
    conversation = Conversation(1)
    conversation.receive(CLIENT, b"", 0, Layer.PLAIN)
    assert (conversation.take(), conversation.received(CLIENT)) == ([], 0)


def test_a_command_of_our_own_is_none_of_the_clients() -> None:
    """M 6.4."""
    conversation = Conversation(1)
    conversation.receive(SERVER, b"* OK hi\r\n", 0, Layer.PLAIN)
    conversation.proxy_command(b"P1 STARTTLS\r\n", 1)
    conversation.receive(SERVER, b"P1 OK go\r\n", 2, Layer.PLAIN)
    heard = heard_by(conversation)
    (exchange,) = heard.exchanges
    assert (exchange.origin, exchange.command, exchange.status) == (Origin.PROXY, "STARTTLS", "OK")
    assert heard.stream(CLIENT) == b""


def test_a_command_of_our_own_may_have_arguments() -> None:
    """What it asks for is its own."""
    conversation = Conversation(1)
    conversation.receive(SERVER, b"* PREAUTH hi\r\n", 0, Layer.PLAIN)
    conversation.proxy_command(b'P1 LIST "" ""\r\n', 1)
    conversation.receive(SERVER, b'* LIST (\\Noselect) "/" ""\r\nP1 OK done\r\n', 2, Layer.PLAIN)
    heard = heard_by(conversation)
    (exchange,) = heard.exchanges
    assert (exchange.command, exchange.arguments, exchange.responses) == ("LIST", '"" ""', (("LIST", 1),))


def test_an_answer_of_our_own_ends_the_clients_command() -> None:
    """STARTTLS that we answer: what follows is read on, and the server never hears of it."""
    conversation = Conversation(1)
    conversation.receive(CLIENT, b"a STARTTLS\r\n", 1, Layer.PLAIN)
    conversation.answer(b"unknown", "OK", "nobody", 2)
    conversation.answer(b"a", "OK", "begin TLS", 3)
    conversation.receive(CLIENT, b"b LOGIN bob secret\r\n", 4, Layer.TLS)
    heard = heard_by(conversation)
    first, second = heard.exchanges
    assert (first.outcome, first.status, first.text, first.marks) == (
        Outcome.COMPLETED,
        "OK",
        "begin TLS",
        ("answered by imaptap",),
    )
    assert (second.command, second.arguments) == ("LOGIN", "bob xxxxxx")
    assert heard.layers(CLIENT) == [(Layer.PLAIN, 12), (Layer.TLS, 20)]


def test_an_answer_of_our_own_is_none_to_an_older_command_with_the_same_tag() -> None:
    """M 3.2: the server answers those oldest first, and has not seen the STARTTLS."""
    conversation = Conversation(1)
    conversation.receive(SERVER, b"* OK hi\r\n", 0, Layer.PLAIN)
    conversation.receive(CLIENT, b". NOOP\r\n. STARTTLS\r\n", 1, Layer.PLAIN)
    conversation.answer(b".", "BAD", "not here", 2)
    conversation.receive(CLIENT, b"b NOOP\r\n", 3, Layer.PLAIN)
    conversation.receive(SERVER, b". OK done\r\nb OK done\r\n", 4, Layer.PLAIN)
    heard = heard_by(conversation)
    assert [(x.command, x.status, x.text) for x in heard.exchanges] == [
        ("NOOP", "OK", "done"),
        ("STARTTLS", "BAD", "not here"),
        ("NOOP", "OK", "done"),
    ]


def test_capabilities_in_clear_are_forgotten_when_tls_begins() -> None:
    """M 6.8."""
    conversation = Conversation(1)
    conversation.receive(SERVER, b"* OK [CAPABILITY IMAP4rev1 STARTTLS] hi\r\n", 0, Layer.PLAIN)
    assert "STARTTLS" in conversation.state.capabilities
    conversation.secured()
    assert conversation.state.capabilities == frozenset()
    conversation.receive(SERVER, b"* CAPABILITY IMAP4rev2\r\n", 0, Layer.TLS)
    assert (conversation.state.capabilities, conversation.state.capabilities_layer) == ({"IMAP4REV2"}, Layer.TLS)


@pytest.mark.parametrize(
    "line",
    ["* OK [CAPABILITY IDLE] hi", "* capability IDLE", "a OK [CAPABILITY IDLE] in", "* PREAUTH [capability idle]"],
)
def test_capabilities_are_learned_wherever_they_stand(line: str) -> None:
    """M 6.1."""
    conversation = Conversation(1)
    conversation.receive(CLIENT, b"a LOGIN b c\r\n", 0, Layer.PLAIN)
    conversation.receive(SERVER, line.encode() + b"\r\n", 0, Layer.PLAIN)
    assert conversation.state.capabilities == {"IDLE"}


def test_events_keep_their_place_among_the_records() -> None:
    conversation = Conversation(1)
    event = Event(1, 3, EventKind.TLS, "client leg")
    conversation.receive(SERVER, b"* OK hi\r\n", 1, Layer.PLAIN)
    conversation.event(event)
    conversation.receive(SERVER, b"* OK ho\r\n", 5, Layer.TLS)
    assert conversation.take()[1] is event


def test_a_session_ends_once_with_its_byte_counts() -> None:
    heard = play(lines("S: * PREAUTH hi", "C: a NOOP"), ending=Ending.FAILED)
    closed = heard.records[-1]
    assert isinstance(closed, SessionClosed)
    assert (closed.ending, closed.client_bytes, closed.server_bytes) == (Ending.FAILED, 8, 14)
    assert heard.exchanges[0].outcome is Outcome.INCOMPLETE
    assert heard.exchanges[0].ended == closed.at


def test_an_exchange_is_told_when_it_begins_and_when_it_ends() -> None:
    heard = play(lines("S: * PREAUTH hi", "C: a NOOP", "S: * 1 EXISTS", "S: a OK done"))
    told = [x for x in heard.records if isinstance(x, Exchange)]
    assert [(x.outcome, x.status, x.responses) for x in told] == [
        (Outcome.OPEN, None, ()),
        (Outcome.COMPLETED, "OK", (("EXISTS", 1),)),
    ]


def test_a_tick_releases_what_is_public_of_a_half_line() -> None:
    conversation = Conversation(1)
    conversation.receive(SERVER, b"* PREAUTH hi\r\n", 0, Layer.PLAIN)
    conversation.take()
    for direction, data, released in [
        (CLIENT, b"a LI", b""),
        (CLIENT, b"ST x ", b"a LIST x "),
        (SERVER, b"* LI", b""),
        (SERVER, b"ST () x", b"* LIST () x"),
    ]:
        conversation.receive(direction, data, 0, Layer.PLAIN)
        conversation.tick()
        pieces = [x for x in conversation.take() if isinstance(x, Piece)]
        assert b"".join(x.data for x in pieces) == released, data


@pytest.mark.parametrize(
    ("direction", "data"),
    [
        (CLIENT, b"a LOGIN bob sec"),
        (CLIENT, b"a AUTHENTICATE PLAIN AGJv"),
        (CLIENT, b"a FROB sec"),
        (CLIENT, b'a URLFETCH "imap://joe@host/'),
        (CLIENT, b"secret"),
        (SERVER, b"* NO [REFERRAL imap"),
        (SERVER, b'* ID ("x" "y'),
        (SERVER, b"* LIST () / imap://jo"),
    ],
)
def test_a_tick_releases_nothing_that_may_be_secret(direction: Direction, data: bytes) -> None:
    conversation = Conversation(1)
    conversation.receive(direction, data, 0, Layer.PLAIN)
    conversation.tick()
    assert conversation.take() == []


def test_a_tick_releases_no_challenge() -> None:
    """M 7.3: not even one that is no base64."""
    conversation = Conversation(1)
    conversation.receive(CLIENT, b"a AUTHENTICATE X-ASK\r\n", 0, Layer.PLAIN)
    conversation.take()
    conversation.receive(SERVER, b"+ what is your mother's name", 0, Layer.PLAIN)
    conversation.tick()
    assert conversation.take() == []


@pytest.mark.parametrize("said", [CLIENT, SERVER])
def test_a_tick_in_a_word_that_begins_like_a_short_password(said: Direction) -> None:
    line = Said(said, b"z NOOP x abc ab abc\r\n" if said is CLIENT else b"* OK x abc ab abc\r\n")
    turns = [*lines("S: * OK hi", "C: a LOGIN bob ab", "S: a OK"), line]
    for heard in (play(turns), play(turns, bytewise, between=Conversation.tick)):
        assert heard.stream(said).endswith(b" x abc xx abc\r\n")


def test_spans_are_there_as_soon_as_their_exchange_has_ended() -> None:
    """DESIGN section 4: every finished exchange is on disk at once, and that is more than its row."""
    conversation = Conversation(1)
    for turn in lines("S: * PREAUTH hi", "C: a NOOP", "S: * 1 EXISTS", "S: a OK"):
        assert isinstance(turn, Said)
        conversation.receive(turn.direction, turn.data, 0, Layer.PLAIN)
    heard = Heard(conversation.take())
    assert [x.exchange for x in heard.spans(CLIENT)] == [1]
    assert heard.spans(SERVER)[-1].end == conversation.received(SERVER)


@pytest.mark.parametrize(("greeting", "hidden"), [("OK", True), ("PREAUTH", False)])
def test_a_server_that_is_not_understood_is_hidden_before_a_login(greeting: str, *, hidden: bool) -> None:
    """Challenges may come (M 7.3); after a login it is mail."""
    end = b"+ Y2hhbGxlbmdl\r\n"
    turns = [*lines(f"S: * {greeting} hi", "C: a NOOP"), server(b"* X {99999999999999999999}\r\n"), server(end)]
    for heard in (play(turns), play(turns, bytewise)):
        assert [(x.kind, x.name) for x in heard.events] == [(EventKind.RAW, "literal too large")]
        assert heard.stream(SERVER).endswith(b"x" * len(end) if hidden else end)


def test_a_tick_does_not_change_when_things_began() -> None:
    """The time of a command is that of its first byte, released or not."""
    conversation = Conversation(1)
    conversation.receive(SERVER, b"* PREAUTH hi\r\n", 1, Layer.PLAIN)
    for at, data in ((10, b"a NOOP "), (20, b"x"), (30, b"\r\n")):
        conversation.receive(CLIENT, data, at, Layer.PLAIN)
        conversation.tick()
    for at, data in ((40, b"* 1 EXISTS x"), (50, b"\r\n"), (60, b"a OK"), (70, b" done\r\n")):
        conversation.receive(SERVER, data, at, Layer.PLAIN)
        conversation.tick()
    heard = heard_by(conversation)
    (exchange,) = heard.exchanges
    assert (exchange.started, exchange.ended) == (10, 70)
    assert [(x.first_at, x.last_at) for x in heard.spans(CLIENT)] == [(10, 30)]
    assert [(x.first_at, x.last_at) for x in heard.spans(SERVER)] == [(1, 1), (40, 50), (60, 70)]


def test_a_fault_of_our_own_hides_and_tells_without_quoting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rule 1: whatever is wrong in here concerns the record only, and no traceback tells a secret (M 7.1)."""

    def broken(_: ServerSide, chunk: bytes) -> int:
        raise RuntimeError(chunk.decode())

    monkeypatch.setattr(ServerSide, "run", broken)
    turns = lines("C: a LOGIN bob Zq7secret", "S: a NO Zq7secret is wrong", "S: * BYE Zq7secret", "C: b NOOP")
    for heard in (play(turns), play(turns, bytewise)):
        assert [(x.kind, x.name) for x in heard.events][:1] == [(EventKind.FAULT, "parser")]
        assert "Zq7" not in repr(heard.records)
        assert b"Zq7" not in heard.stream(SERVER) + heard.stream(CLIENT)
        assert heard.stream(CLIENT).endswith(b"b NOOP\r\n")
        assert len(heard.stream(SERVER)) == heard.closed.server_bytes


def test_a_fault_at_the_end_still_ends_the_session(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: ServerSide) -> None:
        raise RuntimeError

    monkeypatch.setattr(ServerSide, "close", broken)
    heard = play(lines("S: * OK hi", "C: a NOOP"))
    assert heard.closed.client_bytes == 8
    assert [x.name for x in heard.events] == ["parser"]


def test_a_greeting_may_come_late_or_never() -> None:
    """M 2.15."""
    conversation = Conversation(1)
    conversation.receive(CLIENT, b"a NOOP\r\n", 0, Layer.PLAIN)
    assert conversation.state.phase is Phase.CONNECTED
    records: list[Record] = heard_by(conversation).records
    assert not [x for x in records if isinstance(x, Event)]
