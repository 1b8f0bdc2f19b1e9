"""Scripts without sockets for both gates, whole, one byte at a time and at random cuts (M 6.1-6.9)."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.imap.capabilities import Rewrite, Scram, Words
from proxy.imap.gate import LINE_MAX, Act, ClientGate, ServerGate, StartTls
from tests.proxy.imap.playing import Cut, after_cr, at_random, bytewise, whole

CUTS = [whole, bytewise, after_cr, *(at_random(seed) for seed in range(5))]
HIDE = Words(hide_starttls=True, hide_logindisabled=True)


@dataclass(frozen=True)
class Run:
    """What a gate made of a stream, up to its first act."""

    forward: bytes
    rewrites: tuple[Rewrite, ...]
    act: Act
    tag: bytes
    line: bytes
    rest: bytes


def run(gate: ServerGate | ClientGate, data: bytes, cut: Cut = whole) -> Run:
    """Feed the stream; at its end the gate gives up what it holds."""
    forward, rewrites, at = b"", (), 0
    for chunk in cut(data):
        at += len(chunk)
        passed = gate.receive(chunk)
        forward += passed.forward
        rewrites += passed.rewrites
        if passed.act is not Act.NONE:
            return Run(forward, rewrites, passed.act, passed.tag, passed.line, passed.rest + data[at:])
    return Run(forward + gate.flush(), rewrites, Act.NONE, b"", b"", b"")


SERVER = [
    b"* OK [CAPABILITY IMAP4rev1 STARTTLS IDLE] ready\r\n",
    b"* CAPABILITY IMAP4rev1 STARTTLS\r\na OK done\r\n",
    b"*  CAPABILITY  STARTTLS  X\r\na  OK  [CAPABILITY STARTTLS A]  in\r\n",
    b"* 1 FETCH (BODY[] {60}\r\n* CAPABILITY STARTTLS\r\na OK [CAPABILITY STARTTLS] x\r\n-----------)\r\na OK\r\n",
    b"* 1 FETCH (BODY[] {5}\r\nhello X {5}\r\n* CAP)\r\n* CAPABILITY STARTTLS\r\n",
    b"* LIST () NIL {12}\r\n* CAPABILITY\r\n* CAPABILITY STARTTLS\r\n",
    b"a NO [CAPABILITY STARTTLS X] no\r\n+ OK [CAPABILITY STARTTLS]\r\n+\r\n",
    b"* CAPABILITY STARTTLS\nb OK [CAPABILITY LOGINDISABLED A] bare LF\n",
    b"t" * 300 + b" OK [CAPABILITY STARTTLS A] long tag\r\n",
    b"* OK " + b"x" * 40000 + b"\r\n* CAPABILITY STARTTLS\r\n",
    b"* CAPABILITY " + b"STARTTLS " * 3000 + b"\r\n* CAPABILITY STARTTLS\r\n",
    b"* CAPABILITY STARTTLS",
    b"no IMAP at all STARTTLS\r\n\r\n\x00\xff\r\n* CAPABILITY STARTTLS Y\r\n",
]


@pytest.mark.parametrize("data", SERVER)
def test_server_streams_come_out_the_same_however_they_are_cut(data: bytes) -> None:
    """Same bytes forward, same rewrites, and these lead from one to the other."""
    expected = run(ServerGate(HIDE), data)
    out, done = b"", 0
    for rewrite in expected.rewrites:
        assert data[rewrite.offset : rewrite.offset + len(rewrite.received)] == rewrite.received
        out += data[done : rewrite.offset] + rewrite.sent
        done = rewrite.offset + len(rewrite.received)
    assert out + data[done:] == expected.forward
    for cut in CUTS:
        assert run(ServerGate(HIDE), data, cut) == expected


def test_what_the_rows_above_show() -> None:
    """Words in literals, continuations and overlong lines stay; others are hidden."""
    forwards = [run(ServerGate(HIDE), data).forward.count(b"STARTTLS") for data in SERVER]
    assert forwards == [0, 0, 0, 2, 0, 0, 1, 0, 0, 0, 3000, 1, 1]


PIECES = st.sampled_from(
    (
        *(
            b"* ",
            b"a ",
            b"OK ",
            b"[",
            b"CAPABILITY",
            b" STARTTLS",
            b" X",
            b"]",
            b"\r\n",
            b"\r",
            b"\n",
            b"{3}\r\n",
            b"{3+}\r\n",
        ),
        *(b"+ ", b"PREAUTH ", b'"', b"* OK [CAPABILITY STARTTLS]\r\n", b"a STARTTLS\r\n", b"a LOGIN b c\r\n", b"DONE"),
    )
)


@given(
    st.lists(PIECES).map(b"".join), st.integers(0, 1000), st.sampled_from([Words(), HIDE, Words(offer_starttls=True)])
)
def test_any_server_stream_at_any_cut(data: bytes, seed: int, words: Words) -> None:
    """The property of the rows, for streams that nobody thought of; the stream's end is never lost."""
    expected = run(ServerGate(words), data)
    assert run(ServerGate(words), data, at_random(seed)) == expected
    assert run(ServerGate(words), data, bytewise) == expected
    if words == Words():
        assert expected.forward == data


@given(st.lists(PIECES).map(b"".join), st.integers(0, 1000), st.sampled_from(StartTls), st.booleans())
def test_any_client_stream_at_any_cut(data: bytes, seed: int, starttls: StartTls, authenticated: bool) -> None:
    """The same act at the same place, and all bytes are accounted for."""

    def gate() -> ClientGate:
        made = ClientGate(starttls, tls_required=starttls is StartTls.RELAYED)
        made.authenticated = authenticated
        return made

    expected = run(gate(), data)
    assert expected.forward + expected.line + expected.rest == data
    for cut in (at_random(seed), bytewise):
        got = run(gate(), data, cut)
        # How much of a line with an act has come by then depends on the cut; so does what lies behind STARTTLS.
        assert got.forward == expected.forward
        assert got.act is expected.act or expected.act is Act.INJECTED
        assert got.forward + got.line + got.rest == data


def test_only_what_may_be_a_list_is_held_back() -> None:
    """Everything else goes on at once, even within a line (M 1.2)."""
    gate = ServerGate(HIDE)
    assert gate.receive(b"* 1 FETCH (FL").forward == b"* 1 FETCH (FL"
    assert gate.receive(b"AGS ())\r\n* CAPA").forward == b"AGS ())\r\n"
    assert gate.held == len(b"* CAPA")
    assert gate.receive(b"X\r\n").forward == b"* CAPAX\r\n"
    assert gate.held == 0


@pytest.mark.parametrize("start", [b"* CAPABILITY", b"t", b"* OK [CAPABILITY"])
def test_no_more_than_a_line_of_bounded_length_is_held_back(start: bytes) -> None:
    """An endless line passes in the end."""
    gate = ServerGate(HIDE)
    sent = held = 0
    for chunk in [start, *[b"y" * 100] * 1000]:
        sent += len(gate.receive(chunk).forward)
        held = max(held, gate.held)
    assert held <= LINE_MAX
    assert sent + gate.held == len(start) + 100_000
    assert gate.held == 0


def test_the_answer_to_a_relayed_starttls() -> None:
    """OK is held back for the handshake, NO and BAD pass, and so do other answers before it."""
    for cut in CUTS:
        gate = ServerGate(Words())
        gate.starttls_tag = b"b"
        assert run(gate, b"* OK x\r\na OK capability\r\nb OK go ahead\r\n", cut) == Run(
            b"* OK x\r\na OK capability\r\n", (), Act.UPGRADE, b"b", b"b OK go ahead\r\n", b""
        )
        gate = ServerGate(Words())
        gate.starttls_tag = b"b"
        assert run(gate, b"b BAD no\r\n", cut).forward == b"b BAD no\r\n"
        assert gate.starttls_tag is None


def test_bytes_behind_the_ok_to_starttls_are_an_attack() -> None:
    """M 6.7: neither the OK nor they go on."""
    gate = ServerGate(Words())
    gate.starttls_tag = b"b"
    got = run(gate, b"b OK go\r\n* CAPABILITY EVIL\r\n")
    assert got == Run(b"", (), Act.INJECTED, b"b", b"b OK go\r\n", b"* CAPABILITY EVIL\r\n")


@pytest.mark.parametrize("greeting", [b"* PREAUTH hi\r\n", b"* preauth [CAPABILITY X] hi\r\n", b"*  PREAUTH\r\n"])
def test_preauth_does_not_pass_where_the_upstream_must_be_encrypted(greeting: bytes) -> None:
    """M 6.5: not one byte of it; elsewhere, or later, the word means nothing."""
    for cut in CUTS:
        got = run(ServerGate(Words(), tls_required=True), greeting, cut)
        assert (got.act, got.forward) == (Act.PREAUTH, b"")
        assert run(ServerGate(Words()), greeting, cut).forward == greeting
        assert run(ServerGate(Words(), tls_required=True), b"* OK hi\r\n" + greeting, cut).act is Act.NONE


@pytest.mark.parametrize("answer", [b"OK", b"ok", b"NO", b"BAD"])
def test_compress_takes_the_gate_away_only_when_it_begins(answer: bytes) -> None:
    """M 6.12: compressed bytes may follow in the same segment and pass as they are."""
    deflated = b"* CAPABILITY STARTTLS\r\n"
    for cut in CUTS:
        gate = ServerGate(HIDE)
        gate.compress_tag = b"c"
        got = run(gate, b"* CAPABILITY STARTTLS\r\nc " + answer + b" it\r\n" + deflated, cut)
        assert gate.done is (answer.upper() == b"OK")
        kept = deflated if gate.done else b"* CAPABILITY\r\n"
        assert got.forward == b"* CAPABILITY\r\nc " + answer + b" it\r\n" + kept


def test_scram_that_is_bound_hides_from_the_list_on_in_which_it_came() -> None:
    """M 6.10."""
    gate = ServerGate(Words(scram=Scram.AUTO))
    data = b"* OK [CAPABILITY AUTH=SCRAM-SHA-1] x\r\n* CAPABILITY AUTH=SCRAM-SHA-1 AUTH=SCRAM-SHA-1-PLUS AUTH=PLAIN\r\n"
    assert run(gate, data).forward == b"* OK [CAPABILITY AUTH=SCRAM-SHA-1] x\r\n* CAPABILITY AUTH=PLAIN\r\n"


# The client's side.

STARTTLS = [
    b"a STARTTLS\r\n",
    b"a starttls\r\n",
    b". StartTLS \r\n",
    b"a  STARTTLS\r\n",
    b"a STARTTLS\n",
    b"a STARTTLS x\r\n",
]


@pytest.mark.parametrize("line", STARTTLS)
@pytest.mark.parametrize(
    ("starttls", "act"), [(StartTls.OURS, Act.ANSWER), (StartTls.DENIED, Act.DENY), (StartTls.RELAYED, Act.RELAY)]
)
def test_starttls_is_caught_however_it_is_cut(line: bytes, starttls: StartTls, act: Act) -> None:
    """Typed one byte at a time, cut before CR or LF, in any case: it never just passes."""
    for cut in CUTS:
        got = run(ClientGate(starttls, tls_required=starttls is StartTls.RELAYED), b"x NOOP\r\n" + line, cut)
        assert (got.act, got.tag) == (act, line.split()[0])
        assert got.forward == b"x NOOP\r\n" + (line if act is Act.RELAY else b"")
        assert got.line == (b"" if act is Act.RELAY else line)


@pytest.mark.parametrize(
    "data",
    [
        b"a LOGIN {12}\r\nx STARTTLS\r\n {3}\r\nabc\r\nb NOOP\r\n",
        b"a APPEND x {14+}\r\ny STARTTLS\r\n\r\n\r\n",
        b"a NOOP STARTTLS\r\nSTARTTLS\r\n STARTTLS\r\na STARTTLSX\r\na XSTARTTLS\r\n",
        b"a AUTHENTICATE PLAIN\r\nAGJvYgBzZWNyZXQ=\r\n*\r\n\r\nDONE\r\n",
    ],
)
def test_what_only_looks_like_starttls_passes(data: bytes) -> None:
    """Literal content, arguments, tags, SASL lines."""
    for cut in CUTS:
        assert run(ClientGate(StartTls.OURS, tls_required=False), data, cut) == Run(data, (), Act.NONE, b"", b"", b"")


@pytest.mark.parametrize("starttls", [StartTls.OURS, StartTls.RELAYED])
def test_bytes_behind_starttls_are_an_attack(starttls: StartTls) -> None:
    """M 6.6: in the same segment. What came behind it does not go on."""
    got = run(ClientGate(starttls, tls_required=False), b"a STARTTLS\r\nb LOGIN eve evil\r\n")
    assert got.act is Act.INJECTED
    assert got.rest == b"b LOGIN eve evil\r\n"
    assert b"LOGIN" not in got.forward


def test_bytes_in_a_later_segment_are_an_attack_until_the_server_has_refused() -> None:
    """M 6.6 for the relayed command, whose answer takes its time."""
    gate = ClientGate(StartTls.RELAYED, tls_required=True)
    assert gate.receive(b"a STARTTLS\r\n").act is Act.RELAY
    assert gate.receive(b"b NOOP\r\n").act is Act.INJECTED
    gate = ClientGate(StartTls.RELAYED, tls_required=True)
    gate.receive(b"a STARTTLS\r\n")
    gate.settled()
    assert gate.receive(b"b NOOP\r\n").forward == b"b NOOP\r\n"
    assert gate.receive(b"c STARTTLS\r\n").act is Act.RELAY


def test_what_follows_a_denied_starttls_is_read_after_the_answer() -> None:
    """It is refused like any command; nothing changes sides, so this is no attack."""
    gate = ClientGate(StartTls.DENIED, tls_required=False)
    passed = gate.receive(b"a NOOP\r\nb STARTTLS\r\nc NOOP\r\nd STARTTLS\r\n")
    assert (passed.forward, passed.act, passed.tag) == (b"a NOOP\r\n", Act.DENY, b"b")
    again = gate.receive(passed.rest)
    assert (again.forward, again.act, again.tag, again.rest) == (b"c NOOP\r\n", Act.DENY, b"d", b"")


LOGINS = [
    b"a LOGIN bob secret\r\n",
    b"a login {3}\r\nbob",
    b"a AUTHENTICATE PLAIN\r\n",
    b"a  SELECT x\r\n",
    b"a XLOGIN y\r\n",
    b" a LOGIN bob secret\r\n",
    b"\ra LOGIN bob secret\r\n",
    b"a\rLOGIN bob secret\r\n",
    b"a\tLOGIN bob secret\r\n",
    b"{1+}\r\na LOGIN bob secret\r\n",
    b"bob\r\n",
]


@pytest.mark.parametrize("line", [*LOGINS, b"t" * (LINE_MAX + 10) + b" LOGIN bob secret\r\n"])
def test_no_login_passes_in_clear_where_the_upstream_must_be_encrypted(line: bytes) -> None:
    """M 6.5: not one byte of it, nor of what follows."""
    for cut in CUTS:
        got = run(ClientGate(StartTls.RELAYED, tls_required=True), b"a CAPABILITY\r\n" + line, cut)
        assert (got.act, got.forward) == (Act.IN_CLEAR, b"a CAPABILITY\r\n")
        assert run(ClientGate(StartTls.OURS, tls_required=False), line, cut).forward == line


def test_a_greeting_of_preauth_opens_no_way_for_a_login_in_clear() -> None:
    """M 6.5: whatever the conversation has made of an odd greeting."""
    gate = ClientGate(StartTls.RELAYED, tls_required=True)
    gate.authenticated = True
    assert gate.receive(b"a LOGIN bob secret\r\n").act is Act.IN_CLEAR


@pytest.mark.parametrize("command", ["CAPABILITY", "noop", "LOGOUT", 'ID ("a" "b")', "ENABLE X"])
def test_harmless_commands_pass_before_tls(command: str) -> None:
    """A client has to look before it leaps."""
    data = f"a {command}\r\n\r\n".encode()
    for cut in CUTS:
        assert run(ClientGate(StartTls.RELAYED, tls_required=True), data, cut).forward == data


@pytest.mark.parametrize("starttls", [StartTls.OURS, StartTls.RELAYED])
@pytest.mark.parametrize("clear", [False, True])
def test_starttls_in_authenticated_state(starttls: StartTls, clear: bool) -> None:
    """M 6.9: passed to the server, whose BAD comes back; not where the server might say OK behind our back."""
    gate = ClientGate(starttls, tls_required=False)
    gate.authenticated, gate.upstream_clear = True, clear
    passed = gate.receive(b"a STARTTLS\r\n")
    if clear:
        assert passed.act is (Act.DENY if starttls is StartTls.OURS else Act.RELAY)
    else:
        assert (passed.act, passed.forward) == (Act.NONE, b"a STARTTLS\r\n")


def test_a_client_that_stops_within_a_line_is_passed_on() -> None:
    """The end of its stream gives back what was held."""
    gate = ClientGate(StartTls.OURS, tls_required=False)
    assert gate.receive(b"a LOGO").forward == b""
    assert gate.held == 6
    assert gate.flush() == b"a LOGO"
    assert gate.held == 0


@pytest.mark.parametrize(
    ("said", "act"),
    [
        (b"a ID {18}\r\n", Act.IN_CLEAR),
        (b"a ID {18+}\r\n", Act.NONE),  # comes whatever the server says
        (b"a ID {18}\r\n(", Act.NONE),  # is coming
        (b"a ID NIL\r\n", Act.IN_CLEAR),
    ],
)
def test_a_literal_that_was_refused_is_not_waited_for(said: bytes, act: Act) -> None:
    """M 4.3."""
    gate = ClientGate(StartTls.RELAYED, tls_required=True)
    assert gate.receive(said).forward == said
    gate.literal_refused()
    assert gate.receive(b"b LOGIN bob evil\r\n").act is act
