"""A marker password in every login form, cut and ticked anywhere: in no record, in no encoding (M 7.1-7.6)."""

from __future__ import annotations

import functools
import random
import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.imap.conversation import Conversation
from proxy.imap.transcript import Direction, Record
from tests.proxy.imap import invariants
from tests.proxy.imap.logins import LOGINS, MARKER, b64, command, echoes, forms, quoted
from tests.proxy.imap.playing import CLIENT, Cut, Heard, Said, Turn, at_random, bytewise, client, play, sent, server

GREETINGS = {"in clear": server(b"* OK hello\r\n"), "already in": server(b"* PREAUTH hello\r\n")}
EACH = pytest.mark.parametrize("name", LOGINS)
STATES = pytest.mark.parametrize("greeting", GREETINGS.values(), ids=GREETINGS)
RUN = 4
"""So many characters of a secret in a row are a trace of it."""


def traces(records: list[Record], secret: bytes = MARKER) -> list[bytes]:
    """What can be found of the secret in all that the records hold, shown by repr or not."""
    held = b"\0".join(_bytes_of(record) for record in records).lower()
    return sorted(run for run in _runs(secret) if run in held)


@functools.cache
def _runs(secret: bytes) -> frozenset[bytes]:
    runs = (form[i : i + RUN].lower() for form in forms(secret) for i in range(len(form) - RUN + 1))
    return frozenset(run for run in runs if run.strip(b"x"))


def _bytes_of(record: Record) -> bytes:
    raw = b"\0".join(value for value in record if isinstance(value, bytes | memoryview))
    shown = repr(record).encode()
    return raw + b"\0" + shown + b"\0" + re.sub(rb'\\(["\\])', rb"\1", shown.replace(b"\\\\", b"\\"))


def session(greeting: Turn, name: str, ending: str = "NO wrong") -> list[Turn]:
    """A login that ends so, then all that anybody may say about it, then a second one, and that again (M 7.6)."""
    end = server(b"a " + ending.encode() + b"\r\n")
    return [greeting, *LOGINS[name], end, *echoes(), *command(b"b NOOP"), *LOGINS[name], end, *echoes()]


def test_the_search_finds_every_form() -> None:
    for form in forms(MARKER):
        record = play([server(b"* OK " + form + b"\r\n")])
        assert traces(record.records), form


@EACH
@STATES
@pytest.mark.parametrize("ending", ["NO wrong", "OK in", "BAD what"])
def test_no_trace_of_a_login(greeting: Turn, name: str, ending: str) -> None:
    turns = session(greeting, name, ending)
    assert traces(play(turns).records) == []
    assert traces(play(turns, bytewise).records) == []
    assert traces(play(turns, bytewise, between=Conversation.tick).records) == []


@EACH
@STATES
def test_no_trace_of_a_login_that_is_cut(greeting: Turn, name: str) -> None:
    """EOF at every byte of the login, with and without a tick before it."""
    length = sum(len(x.data) for x in LOGINS[name] if isinstance(x, Said))
    for end in range(length + 1):
        cut = [greeting, *_up_to(LOGINS[name], end)]
        assert traces(play(cut).records) == [], end
        assert traces(play(cut, bytewise, between=Conversation.tick).records) == [], end


@EACH
def test_no_single_character_of_a_password_is_let_out_early(name: str) -> None:
    """A cut after the first characters of the password leaves no run to search for: they are all hidden or none."""
    turns = LOGINS[name]
    for end in range(1, sum(len(x.data) for x in turns if isinstance(x, Said)) + 1):
        cut = [GREETINGS["in clear"], *_up_to(turns, end)]
        heard = play(cut, bytewise, between=Conversation.tick)
        assert b"Z" not in heard.stream(CLIENT), end
        assert not [x for x in heard.exchanges if "Z" in x.arguments + x.command + x.tag], end


ECHOES = {
    "a line": (server, b"* BAD LOGIN bob "),
    "a tagged line": (server, b"a NO [ALERT] "),
    "a small literal": (server, b"* 1 FETCH (BODY[TEXT] {99}\r\nLogin: "),
    "a command": (client, b"b SEARCH TEXT "),
    "a literal of the client's": (client, b"b APPEND box {99+}\r\n"),
}


@pytest.mark.parametrize("name", ECHOES)
@pytest.mark.parametrize("form", [MARKER, quoted(MARKER), b64(MARKER)], ids=["as it is", "quoted", "base64"])
def test_no_trace_of_an_echo_that_is_cut(name: str, form: bytes) -> None:
    """The connection ends in the middle of it, or in the literal that holds it."""
    said, start = ECHOES[name]
    for end in range(1, len(form) + 3):
        turns = [GREETINGS["already in"], *LOGINS["atoms"], said(start + (form + b" 1")[:end])]
        for heard in (play(turns), play(turns, bytewise), play(turns, bytewise, between=Conversation.tick)):
            assert traces(heard.records) == [], end
            invariants.check(heard, {direction: sent(turns, direction) for direction in Direction})


@given(st.sampled_from(sorted(LOGINS)), st.sampled_from(sorted(GREETINGS)), st.integers(0, 2**32))
def test_no_trace_however_cut_and_ticked(name: str, greeting: str, seed: int) -> None:
    turns = session(GREETINGS[greeting], name)
    dice = random.Random(seed)  # noqa: S311 - no secret hangs on it
    heard = play(turns, at_random(seed), between=lambda x: x.tick() if dice.random() < 0.5 else None)
    assert traces(heard.records) == []
    invariants.check(heard, {direction: sent(turns, direction) for direction in Direction})


@pytest.mark.parametrize("password", [b"x", b"ab", b"*", b"OK", b"NOOP", b"a" * 300, b"Z" * 5000, b"\xc3\xa4\xff\x01"])
def test_odd_passwords_are_hidden_where_they_are_said(password: bytes) -> None:
    login = command(b"a LOGIN bob <" + password + b">")
    heard = play([GREETINGS["in clear"], *login, server(b"a NO no\r\n"), *command(b"b LOGIN bob " + password)])
    assert _without(heard, b"x" * len(password)) == b"a LOGIN bob {%d}\r\n\r\nb LOGIN bob \r\n" % len(password)


def test_a_long_password_is_hidden_though_its_line_is_not_kept() -> None:
    """Beyond what the reader keeps of a line, and with a literal at its end."""
    password = b"Zq7" * 40_000
    turns = [GREETINGS["in clear"], *command(b"a LOGIN bob " + password), *command(b"b LOGIN " + password + b" <Zq7w>")]
    for heard in (play(turns), play(turns, at_random(1)), play(turns, at_random(2), between=Conversation.tick)):
        assert b"Zq7" not in heard.stream(CLIENT)
        assert "Zq7" not in repr(heard.exchanges)
        assert heard.stream(CLIENT) == play(turns).stream(CLIENT)


def test_a_secret_literal_too_large_to_keep_is_hidden() -> None:
    password = b"Zq7#" * 5000
    for heard in (play(turns := command(b"a LOGIN bob <" + password + b">", plus=b"+")), play(turns, bytewise)):
        assert heard.stream(CLIENT) == b"a LOGIN bob {20000+}\r\n" + b"x" * 20_000 + b"\r\n"
        assert not [x for x in heard.pieces(CLIENT) if x.literal]


def test_a_secret_among_too_many_literals_is_hidden() -> None:
    """The reader keeps no content beyond a bound; what it does not keep is hidden all the same."""
    many = b"".join([b" <" + b"y" * 4000 + b">"] * 40)
    turns = command(b"a XLOGIN" + many + b" <Zq7#>", plus=b"+")
    heard = play(turns)
    invariants.check(heard, {direction: sent(turns, direction) for direction in Direction})
    assert b"Zq7" not in heard.stream(CLIENT)
    assert heard.stream(CLIENT).endswith(b" {4+}\r\nxxxx\r\n")


@pytest.mark.parametrize("said", [client, server])
@pytest.mark.parametrize("secret", [MARKER, b64(MARKER), b"imap://Zq7#@host/;urlauth=x:internal:2b7e151628aed2a6"])
def test_secrets_in_lines_that_are_not_kept_are_hidden(said: Callable[[bytes], Said], secret: bytes) -> None:
    """Echoes and tokens far behind what the reader keeps, whole and cut."""
    start = b"a SEARCH " if said is client else b"* SEARCH "
    line = said(start + b"1234567 " * 9000 + secret + b" 1" * 1000 + b"\r\n")
    turns = [GREETINGS["in clear"], *LOGINS["atoms"], server(b"a OK in\r\n"), line]
    plain = play(turns)
    invariants.check(plain, {direction: sent(turns, direction) for direction in Direction})
    middle = line.data.index(secret)
    cuts = [_at(middle + n) for n in range(0, len(secret) + 1, 5)]
    for heard in (plain, play(turns, at_random(2), between=Conversation.tick), *(play(turns, cut) for cut in cuts)):
        assert traces(heard.records) == []
        assert b"2b7e" not in heard.stream(line.direction)
        assert heard.stream(line.direction) == plain.stream(line.direction)


def _at(place: int) -> Cut:
    return lambda data: [part for part in (data[:place], data[place:]) if part]


def _up_to(turns: list[Turn], end: int) -> list[Turn]:
    cut: list[Turn] = []
    for turn in turns:
        if isinstance(turn, Said) and end > 0:
            cut.append(Said(turn.direction, turn.data[:end], turn.layer))
            end -= len(turn.data)
    return cut


def _without(heard: Heard, mask: bytes) -> bytes:
    stream = heard.stream(CLIENT)
    assert stream.count(mask) == 2
    return stream.replace(mask, b"")
