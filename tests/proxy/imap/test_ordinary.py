"""Ordinary lines, whole, go the short way; cut into bytes, the long one. Nobody can tell from the records."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.imap.transcript import Piece
from proxy.imap.units import Boundary, UnitReader
from tests.proxy.imap.playing import Cut, Turn, bytewise, client, lines, play, server, whole

BODY = b"Subject: x\r\n\r\n" + b"y" * 4990
PASSWORD = "5ecret://aps-"
LOGIN = [
    *lines("S: * OK hi", f'C: l LOGIN bob "{PASSWORD}"', "S: l OK in", "C: s SELECT INBOX", "S: s OK [READ-WRITE] on")
]

ORDINARY: dict[str, list[Turn]] = {
    "news": lines("C: a NOOP", "S: * 5 EXISTS", "S: * 1 RECENT", "S: a OK done"),
    "flags": lines("C: a UID FETCH 1:* (UID FLAGS)", "S: * 1 FETCH (UID 7 FLAGS (\\Seen))", "S: a OK done"),
    "store": lines("C: a STORE 1 +FLAGS (\\Deleted)", "S: * 1 FETCH (FLAGS (\\Deleted))", "S: a NO not today"),
    "search": lines("C: . SEARCH UNSEEN", "S: * SEARCH 1 2 3", "S: . OK done"),
    "pipelined": lines("C: a NOOP", "C: b CHECK", "C: c FETCH 1 FLAGS", "S: c OK c", "S: a OK a", "S: b BAD b"),
    "equal tags": lines("C: a NOOP", "C: a EXPUNGE", "S: * 1 EXPUNGE", "S: a OK one", "S: a OK two"),
    "unsolicited": lines("S: * 9 EXISTS", "S: * 3 EXPUNGE"),
    "lower case": lines("C: a uid fetch 1 (flags)", "S: * 1 fetch (flags ())", "S: a ok done"),
    "codes": lines("C: a COPY 1 x", "S: a OK [COPYUID 1 2 3:4] done", "C: b NOOP", "S: b no [highestmodseq 7]  x "),
}
"""Whose every line takes the short way."""

ODD: dict[str, list[Turn]] = {
    "a quote": lines('C: a SEARCH TEXT "x"', "S: * SEARCH", "S: a OK done"),
    "an open quote": lines('C: a SEARCH TEXT "x', "S: a BAD no"),
    "braces": lines("C: a FETCH 1 {x}", "S: a BAD what is {x}"),
    "a code": lines("C: a NOOP", "S: * OK [ALERT] hey", "S: a OK [HIGHESTMODSEQ 5] done"),
    "an echo": lines(
        "C: a NOOP", f"S: * 1 FETCH {PASSWORD}", f"S: a NO {PASSWORD.upper()}", f"C: b STORE 1 {PASSWORD}"
    ),
    "a token": lines("C: a COPY 1 imap://bob@host", "S: * LIST () / imap://bob@host", "S: a NO imap://bob@host"),
    "another token": lines("C: a SEARCH aps-account-id 77", "S: a OK aps-device-token 88"),
    "two blanks": lines("C: a  NOOP", "C: b FETCH  1 FLAGS", "C: c NOOP ", "S: a OK  one ", "S: b  OK two", "S: c OK"),
    "nobody's": lines("S: z OK who?", "S: * 1 NONSENSE", "S: nonsense", "S: * 1 EXISTS"),
    "other codes": lines("C: a NOOP", "S: a OK [APPENDUID x] y", "C: b NOOP", "S: b OK [COPYUID 1 2]", "S: + [x] y"),
    "idle": lines("C: a IDLE", "S: + go", "S: * 4 EXISTS", "C: DONE", "S: a OK over", "C: b NOOP", "S: b OK done"),
    "a refused literal": lines("C: a APPEND x {5000}", "S: a NO no", "C: b NOOP", "S: b OK done"),
    "a login": lines("C: a LOGIN x y", "S: a NO no", "C: b NOOP", "S: b OK done"),
    "beyond ASCII": lines("C: a SEARCH \u00e9", "S: a OK \u00e9", "S: * LIST () / \u00e9"),
    "bare": [client(b"a NOOP\n"), server(b"* 1 EXISTS\na OK\rdone\r\n")],
    "BYE": lines("C: a NOOP", "S: * BYE over", "S: a OK done"),
    "BAD tag": lines("C: * NOOP", "S: * BAD no"),
}


def message(size: int = len(BODY), tail: str = ")", head: str = "UID 5 BODY[]") -> list[Turn]:
    """A FETCH with a body of `size` bytes, answered in one go."""
    data = f"* 5 FETCH ({head} {{{size}}}\r\n".encode() + (BODY * 2)[:size] + tail.encode() + b"\r\na OK done\r\n"
    return [*lines("C: a UID FETCH 5 (UID BODY.PEEK[])"), server(data)]


MESSAGES: dict[str, list[Turn]] = {
    "a body": message(),
    "flags behind it": message(tail=" FLAGS (\\Seen))"),
    "part of a body": message(head="BODY[1.2.MIME]<0>"),
    "RFC822": message(head="FLAGS () RFC822"),
}
ODD_MESSAGES: dict[str, list[Turn]] = {
    "a small body": message(4095),
    "a body and a quote": message(tail=' X "y")'),
    "two bodies": message(tail=" BODY[TEXT] {3}\r\nabc)"),
    "a code in front": message(head="[BADURL x] BODY[]"),
    "cut short": [message()[0], server(b"* 5 FETCH (BODY[] {9000}\r\n" + BODY)],
    "an echo behind it": message(tail=f" X {PASSWORD})"),
    "a line that is not its end": message(tail=""),
}


def append(line: str = "APPEND x {5004}", body: bytes = BODY, *, end: bytes = b"\r\n", answer: str = "+") -> list[Turn]:
    """An APPEND with a body, in the usual four steps."""
    done = "S: a OK [APPENDUID 1 42] Append completed."
    return [*lines(f"C: a {line}", f"S: {answer}"), client(body + end), *lines(done, "C: b NOOP", "S: b OK done")]


APPENDS: dict[str, list[Turn]] = {
    "an APPEND": append(),
    "all that it may have": append('append "Sent Mail" (\\Seen $x) "25-Nov-2026 22:05:08 +0000" {5004}', answer="+ go"),
    "not synchronising": [client(b"a APPEND x {5004+}\r\n" + BODY + b"\r\n"), *lines("S: a OK done")],
    "two": append() * 2,
}
ODD_APPENDS: dict[str, list[Turn]] = {
    "answered too early": [*append()[:2], client(BODY), *lines("S: a NO no", "C: ", "C: b NOOP", "S: b OK done")],
    "not asked for": append(answer="* 1 EXISTS"),
    "two literals": append(end=b" {5004}\r\n" + BODY + b"\r\n"),
    "more behind it": append(end=b" x\r\n"),
    "a bare LF": append(end=b"\n"),
    "a small literal": append("APPEND x {4}", b"abcd"),
    "none announced": append("APPEND x"),
    "a literal too large": append("APPEND x {9999999999}"),
    "a literal for a mailbox": append("APPEND {5004}"),
    "a binary literal": append("APPEND x ~{5004}"),
    "an odd mailbox": append('APPEND "x\\"y" {5004}'),
    "an echo for a mailbox": append(f"APPEND {PASSWORD} {{5004}}"),
    "refused": [*lines("C: a APPEND x {5004}", "S: a NO no"), *append()],
    "never sent": lines("C: a APPEND x {5004}", "S: + go"),
    "cut short": [*append()[:2], client(BODY[:3000])],
    "without its end": [*append()[:2], client(BODY)],
    "behind a command": [client(b"z NOOP\r\na APPEND x {5004}\r\n"), *append()[1:]],
    "behind a login that went wrong": [*lines("C: l LOGIN x", "S: l BAD no"), *append(), *lines("C: secret pass")],
}

SAID: dict[str, list[Turn]] = {**ORDINARY, **ODD, **MESSAGES, **ODD_MESSAGES, **APPENDS, **ODD_APPENDS}


@functools.cache
def by_the_long_way(name: str) -> list[object]:
    """What comes of it when no line comes whole."""
    return play([*LOGIN, *SAID[name]], bytewise).facts


def in_parts(*lengths: int) -> Cut:
    """Cut so that the parts are so long, again and again."""

    def cut(data: bytes) -> Iterator[bytes]:
        pos = 0
        for length in itertools.cycle(lengths):
            if pos >= len(data):
                return
            yield data[pos : pos + length]
            pos += length

    return cut


@pytest.mark.parametrize("cut", [whole, in_parts(4096), in_parts(40, 2000), in_parts(5003, 3)])
@pytest.mark.parametrize("name", SAID)
def test_both_ways_come_to_the_same(name: str, cut: Cut) -> None:
    assert play([*LOGIN, *SAID[name]], cut).facts == by_the_long_way(name)


@pytest.mark.parametrize("name", [*MESSAGES, *APPENDS])
def test_a_body_may_be_cut_anywhere(name: str) -> None:
    """In the line that announces it, between its bytes, in the line that ends it."""
    end = len(BODY)
    for length in (*range(1, 45, 2), *range(end - 3, end + 9), *range(end + 10, end + 70, 5)):
        assert play([*LOGIN, *SAID[name]], in_parts(length, 2 * end)).facts == by_the_long_way(name)


@pytest.mark.parametrize("cut", [whole, in_parts(3000)])
@pytest.mark.parametrize("name", [*ORDINARY, *MESSAGES, *APPENDS])
def test_the_ordinary_goes_the_short_way(name: str, cut: Cut, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[bytes] = []
    long_way = UnitReader.read

    def spy(reader: UnitReader, chunk: bytes, pos: int) -> object:
        boundary, end = long_way(reader, chunk, pos)
        if boundary is not Boundary.LITERAL and boundary is not Boundary.LITERAL_END:
            read.append(chunk[pos:end])
        return boundary, end

    monkeypatch.setattr(UnitReader, "read", spy)
    before = len(play(LOGIN).records), len(read)
    read.clear()
    heard = play([*LOGIN, *SAID[name]], cut)
    assert len(heard.records) > before[0]
    assert len(read) == before[1], "the login's lines, and no others"


def test_a_large_body_is_a_piece_of_its_own() -> None:
    heard = play([*LOGIN, *message()])
    bodies = [x for x in heard.records if isinstance(x, Piece) and x.literal]
    assert [(x.data, x.literal and x.literal.length) for x in bodies] == [(BODY, len(BODY))]


ATOMS = 'a b . * + OK NO BAD NOOP UID FETCH SEARCH DONE IDLE LIST 1 (FLAGS) "q" {3} {3+} [X] BYE EXISTS EXPUNGE'
WORDS = st.sampled_from([*ATOMS.split(), PASSWORD, "x" * 70, "", "\u00e9"])
SPEECH = st.lists(st.tuples(st.sampled_from("CS"), st.lists(WORDS, min_size=1, max_size=5)), max_size=12)


@given(SPEECH)
def test_whatever_is_said(speech: list[tuple[str, list[str]]]) -> None:
    said = [*LOGIN, *lines(*(f"{side}: {' '.join(words)}" for side, words in speech))]
    assert play(said).facts == play(said, bytewise).facts
