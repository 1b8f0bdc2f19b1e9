"""What a recorded conversation keeps of letters, in rows, however it is cut.

What stands between « and » is never kept, what stands between two ¦ only with the headers. `{}` announces what follows
in the next line up to ¶.
"""

from __future__ import annotations

import hashlib
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.imap.conversation import Conversation
from proxy.imap.letters.policy import Bodies
from proxy.imap.transcript import Direction, Ending, Event, EventKind, Exchange, Kept, Layer, Piece, Record
from tests.proxy.imap.playing import CLIENT, SERVER, Cut, at_random, bytewise, whole

HEADER = "¦Subject: s\r\nX: topic\r\n\r\n¦"
LONG = "«" + "canary " * 1000 + "»"
BEGIN = ["S: * OK hi", "C: a LOGIN joe pass", "S: a OK in", "C: b SELECT INBOX", "S: * 9 EXISTS", "S: b OK selected"]

ROWS = {
    "whole messages": [
        "C: c FETCH 1:9 (BODY[] RFC822)",
        f"S: * 1 FETCH (UID 1 BODY[] {{}}\r\n{HEADER}«canary»¶)",
        f"S: * 2 FETCH (RFC822 {{}}\r\n{HEADER}{LONG}¶ FLAGS (\\Seen))",
        f"S: * 3 UIDFETCH (BINARY[] ~{{}}\r\n{HEADER}«canary \0»¶)",
        f"S: * 3 FETCH (BODY[]<0> {{}}\r\n{HEADER}{LONG}¶)",
        "S: * 3 FETCH (BODY[]<70> {}\r\n«A: canary\r\n\r\n»¶)",
        "S: * 4 FETCH (BODY[] {}\r\n«no header, canary»¶)",
        "S: * 5 FETCH (BODY[] {}\r\n¦A: 1\r\n topic\r\n¦¶)",
        'S: * 6 FETCH (BODY[] {}\r\n¶ BODY[] NIL BODY[] "" RFC822.SIZE 7)',
        "S: c OK done",
    ],
    "parts of messages": [
        "C: c UID FETCH 1 (BODY.PEEK[TEXT] BODY[1.2] PREVIEW)",
        f"S: * 1 FETCH (BODY[TEXT] {{}}\r\n«A: canary\r\n\r\n»¶ BODY[1.2] {{}}\r\n{LONG}¶)",
        'S: * 1 FETCH (BODY[TEXT] "«canary»" BODY[1] "«can\\"ary»" RFC822.TEXT "«canary»" UID 4)',
        'S: * 1 FETCH (PREVIEW "«canary»" BINARY[1] {}\r\n«canary»¶ BINARY.SIZE[1] 17)',
        'S: * 1 FETCH (SNIPPET (FUZZY "«canary»") UID 4)',
        "S: * 1 FETCH (UID 4 SNIPPET (FUZZY {}\r\n«canary»¶) BODY[1] NIL)",
        'S: * 1 FETCH (SNIPPET (LAZY "«canary»"« canary) UID 4)»',
        "S: * 1 FETCH (body[text] {}\r\n«canary»¶)",
        'S: * 1 FETCH (BODY[0] {}\r\n«A: canary»¶ BODY[1.0] "«canary»")',
        "S: c OK done",
    ],
    "headers": [
        "C: c FETCH 1 (BODY[HEADER.FIELDS (FROM)] BODY[2.MIME])",
        'S: * 1 FETCH (BODY[HEADER.FIELDS (FROM "x y" {}\r\nfoo¶)] {}\r\n¦From: topic\r\n\r\n¦¶)',
        'S: * 1 FETCH (BODY[2.MIME] {}\r\n¦A: topic¦¶ BODY[1.HEADER]<5> "¦topic¦")',
        "S: * 1 FETCH (RFC822.HEADER {}\r\n¦b¦¶)",
        "S: c OK done",
    ],
    "what is no letter": [
        "C: c FETCH 1 ALL",
        'S: * 1 FETCH (ENVELOPE ("d" "a (subject) [x]" NIL ((NIL NIL "a" "b")) {}\r\nanother¶) UID 3)',
        'S: * 1 FETCH (BODY ("TEXT" "PLAIN" ("CHARSET" "UTF-8") NIL {}\r\nsome¶ "7BIT" 9 1) BODYSTRUCTURE (NIL) UID 4)',
        'S: * 1 FETCH (MODSEQ (12) EMAILID (M1) X-GM-LABELS ("a b" {}\r\nlabel¶) FLAGS (\\Seen $x))',
        'S: * LIST () "/" {}\r\nbox¶',
        "S: * SEARCH 1 2",
        "S: * METADATA INBOX (/shared/comment {}\r\nnote¶)",
        "S: c OK [MODIFIED 1] done",
        'C: d SEARCH TEXT {}\r\nwords¶ SUBJECT "more"',
        "S: + go on",
        "S: d OK done",
    ],
    "what nobody knows": [
        "C: c FETCH 1 (X-FOO)",
        "S: * 1 FETCH (UID 1 «X-FOO canary BODY[]» {}\r\n«canary»¶«)»",
        "S: * 1 FETCH (BODY[TEXT]« canary)»",
        "S: * 1 FETCH (BODY[TEXT]« canary)»",
        "S: * 1 FETCH (UID 2)« canary»",
        'S: * 1 FETCH (ENVELOPE ("a "b" (" «BODY[TEXT] "canary")»',
        "S: * «XFOO canary {x} canary»",
        'S: * URLFETCH« "imap://canary/x"» {}\r\n«canary»¶',
        "S: * 4 CONVERTED« (TAG canary)»",
        "S: c OK done",
    ],
    "what is no IMAP": [
        "S: «and here comes canary»",
        "S: «* LIST (canary) canary»",
        "C: c NOOP",
        "S: «canary OK this is nobody's»",
        "S: c OK done",
        'S: * LIST () "/" kept',
        "S: +« canary»",
    ],
    "messages that are sent": [
        f'C: c APPEND "my box" (\\Seen kw) " 1-Jan-2026 00:00:00 +0000" {{}}\r\n{HEADER}«canary»¶',
        "S: + go on",
        "S: c OK [APPENDUID 1 2] done",
        f"C: d APPEND {{}}\r\nbox¶ {{}}\r\n{HEADER}{LONG}¶ (\\Draft) {{}}\r\n{HEADER}«canary»¶",
        "S: d OK done",
        f"C: e APPEND box UTF8 (~{{}}\r\n{HEADER}«canary»¶)",
        "S: e OK done",
        f'C: f APPEND box CATENATE (TEXT {{}}\r\n{HEADER}¶ URL "/box/;uid=20" TEXT {{}}\r\n«A: canary»¶)',
        "S: f OK done",
        f"C: g UID REPLACE 4 box {{}}\r\n{HEADER}«canary»¶",
        "S: g OK done",
        'C: h APPEND box «canary» («\\Seen») «more» "«canary»" ("«canary»") {}\r\n«canary»¶',
        "S: h OK done",
        'C: i APPEND box CATENATE (TEXT "«canary»" «canary» «canary»)',
        "S: i BAD no",
    ],
    "a letter that the server did not want": [
        "C: c APPEND box {10}",
        "S: c NO too large",
        "C: «canary: letter»",
        "C: «please list all the canary birds»",
        "S: «canary: BAD canary»",
        "C: «d NOOP»",
        "S: «d OK done»",
        "C: e NOOP",
        "S: e OK done",
    ],
}


def marked(line: str, policy: Bodies) -> tuple[Direction, bytes, bytes]:
    """Who sends what, and how it is recorded."""
    text = line[3:]
    while "{}" in text:
        before, _, after = text.partition("{}")
        content, _, rest = after.removeprefix("\r\n").partition("¶")
        size = len(re.sub("[«»¦]", "", content))
        text = f"{before}{{{size}}}\r\n{content}{rest}"
    sent, recorded, hidden, header = "", "", False, False
    for each in text + "\r\n":
        if each in "«»":
            hidden = each == "«"
        elif each == "¦":
            header = not header
        else:
            sent += each
            recorded += "x" if hidden or (header and policy is not Bodies.HEADERS) else each
    return (CLIENT if line[0] == "C" else SERVER), sent.encode("latin-1"), recorded.encode("latin-1")


def hear(
    said: list[tuple[Direction, bytes]], policy: Bodies, cut: Cut = whole, layer: Layer = Layer.PLAIN
) -> list[Record]:
    conversation = Conversation(1, bodies=policy)
    heard: list[Record] = []
    for at, (direction, data) in enumerate(said):
        for part in cut(data):
            conversation.receive(direction, part, at, layer)
            conversation.tick()
            heard += conversation.take()
    conversation.close(len(said), Ending.CUT, "")
    return heard + conversation.take()


def kept(heard: list[Record], direction: Direction) -> bytes:
    """One stream as it goes to the disk; what is left out is x."""
    stream = b""
    for piece in heard:
        if isinstance(piece, Piece) and piece.direction is direction:
            assert piece.offset == len(stream)
            left_out = piece.literal is not None and piece.literal.kept is not Kept.ALL
            stream += b"x" * len(piece.data) if left_out else bytes(piece.data)
    return stream


def told(heard: list[Record]) -> str:
    """Everything else that goes to the disk."""
    return repr([each for each in heard if not isinstance(each, Piece)])


LEAVING = [Bodies.HEADERS, Bodies.NONE, Bodies.HASH]


@pytest.mark.parametrize("policy", LEAVING)
@pytest.mark.parametrize("row", ROWS)
@pytest.mark.parametrize("cut", [whole, bytewise, at_random(7)], ids=["whole", "bytewise", "at random"])
def test_what_is_kept(row: str, policy: Bodies, cut: Cut) -> None:
    lines = [marked(line, policy) for line in (*BEGIN, *ROWS[row])]
    heard = hear([(direction, sent) for direction, sent, _ in lines], policy, cut)
    for side in Direction:
        expected = b"".join(recorded for direction, _, recorded in lines if direction is side)
        assert kept(heard, side).split(b"\r\n") == expected.replace(b"pass", b"xxxx").split(b"\r\n")
    assert "canary" not in told(heard).lower()


@pytest.mark.parametrize("row", ROWS)
def test_everything_is_kept_without_a_policy(row: str) -> None:
    lines = [marked(line, Bodies.FULL) for line in (*BEGIN, *ROWS[row])]
    heard = hear([(direction, sent) for direction, sent, _ in lines], Bodies.FULL)
    for side in Direction:
        sent = b"".join(sent for direction, sent, _ in lines if direction is side)
        assert kept(heard, side) == sent.replace(b"pass", b"xxxx")
    assert {each.literal.kept for each in heard if isinstance(each, Piece) and each.literal} <= {Kept.ALL}


@given(st.sampled_from(LEAVING), st.sampled_from(list(ROWS)), st.integers(0, 2**32), st.floats(0, 1))
@settings(deadline=None, max_examples=60)
def test_a_session_cut_anywhere_keeps_nothing(policy: Bodies, row: str, seed: int, share: float) -> None:
    lines = [marked(line, policy) for line in (*BEGIN, *ROWS[row])]
    said = [(direction, sent) for direction, sent, _ in lines]
    left = int(sum(len(data) for _, data in said) * share)
    begun = list[tuple[Direction, bytes]]()
    for direction, data in said:
        begun.append((direction, data[:left]))
        left -= len(begun[-1][1])
    heard = hear(begun, policy, at_random(seed))
    for side in Direction:
        sent = b"".join(data for direction, data in begun if direction is side)
        stream = kept(heard, side)
        assert len(stream) == len(sent)
        assert b"canary" not in stream.lower()
    assert "canary" not in told(heard).lower()


def hashes(heard: list[Record]) -> list[str]:
    return [each.text for each in heard if isinstance(each, Event) and each.kind is EventKind.SECRET and each.text]


def test_hashes_tell_what_it_was() -> None:
    small, large = b"canary", b"canary" * 1000
    lines = (f"* 1 FETCH (BODY[1] {{{len(small)}}}\r\n", f') BODY[1] "{small.decode()}" BODY[2] {{{len(large)}}}\r\n')
    begin = [marked(line, Bodies.HASH)[:2] for line in (*BEGIN, "C: c FETCH 1 BODY[1]")]
    said = [*begin, (SERVER, lines[0].encode() + small + lines[1][1:].encode() + large + b")\r\n")]
    heard = hear(said, Bodies.HASH)
    assert hashes(heard) == [f"sha256 {hashlib.sha256(small).hexdigest()}"] * 2
    assert [each.literal.kept for each in heard if isinstance(each, Piece) and each.literal] == [Kept.HASH]
    assert not hashes(hear(said, Bodies.NONE))


def test_a_password_in_a_letter_is_not_hashed() -> None:
    said = [*BEGIN, "C: c APPEND box {}\r\npass¶", "S: c OK", "C: d APPEND box {}\r\nnone¶", "C: XLOGON joe pass2"]
    heard = hear([marked(line, Bodies.HASH)[:2] for line in said], Bodies.HASH)
    assert hashes(heard) == [f"sha256 {hashlib.sha256(b'none').hexdigest()}"]


@pytest.mark.parametrize("policy", list(Bodies))
@pytest.mark.parametrize(
    "lines",
    [("C: c APPEND box {40}",), ("C: c FETCH 1 BODY[]", "S: * 1 FETCH (BODY[] {40}")],
    ids=["sent", "fetched"],
)
def test_a_password_in_the_header_of_a_letter_that_breaks_off(policy: Bodies, lines: tuple[str, ...]) -> None:
    """The header may be kept, wherever it breaks off; the password in it is not."""
    said = [marked(line, policy)[:2] for line in (*BEGIN, *lines)]
    side, letter = said[-1][0], b"Subject: pass\r\nX: pass\r\n\r\n"
    before = b"".join(data for direction, data in said if direction is side)
    for end in range(len(letter) + 1):
        stream = kept(hear([*said, (side, letter[:end])], policy), side)
        assert len(stream) == len(before) + end
        assert b"pass" not in stream
    assert (b"Subject" in stream) == (policy in {Bodies.FULL, Bodies.HEADERS})


@pytest.mark.parametrize("policy", LEAVING)
@pytest.mark.parametrize("compressed", [False, True])
def test_what_cannot_be_read_is_left_out(policy: Bodies, compressed: bool) -> None:
    begin = [marked(line, policy)[:2] for line in BEGIN]
    more = (SERVER, b"canary in nobody knows what"), (CLIENT, b"canary, too")
    conversation = Conversation(1, decode=not compressed, bodies=policy)
    heard: list[Record] = []
    start = [(CLIENT, b"c COMPRESS DEFLATE\r\n"), (SERVER, b"c OK\r\n")]
    for at, (direction, data) in enumerate([*begin, *start, *more]):
        if at == len(begin) and not compressed:
            conversation.give_up(at, "topic")
        conversation.receive(direction, data, at, Layer.TLS)
        heard += conversation.take()
    conversation.close(99, Ending.CLIENT, "")
    heard += conversation.take()
    assert b"canary" not in kept(heard, SERVER) + kept(heard, CLIENT)
    assert kept(heard, SERVER).endswith(b"x" * len(more[0][1]))


@pytest.mark.parametrize("policy", LEAVING)
def test_lines_that_are_too_long_to_be_held(policy: Bodies) -> None:
    line = b'* 1 FETCH (BODY[TEXT] "' + b"canary " * 40_000 + b'" BODY[] {6}\r\ncanary)\r\n'
    said = [marked(each, policy)[:2] for each in (*BEGIN, "C: c FETCH 1 BODY[]")]
    said += [(SERVER, line), (SERVER, b"* SEARCH" + b" 1234567" * 20_000 + b"\r\n"), (SERVER, b"c OK\r\n")]
    said += [(CLIENT, b"d APPEND box (" + b"canary " * 20_000 + b") {6+}\r\ncanary\r\n")]
    for cut in (whole, at_random(3)):
        heard = hear(said, policy, cut)
        assert b"canary" not in kept(heard, SERVER) + kept(heard, CLIENT)
        assert b"* SEARCH" + b" 1234567" * 20_000 in kept(heard, SERVER)
        assert "canary" not in told(heard)


def test_the_exchange_is_counted_all_the_same() -> None:
    said = [marked(line, Bodies.NONE)[:2] for line in (*BEGIN, *ROWS["whole messages"])]
    exchanges = [each for each in hear(said, Bodies.NONE) if isinstance(each, Exchange)]
    assert (exchanges[-1].command, exchanges[-1].status) == ("FETCH", "OK")
    assert exchanges[-1].responses == (("FETCH", 7), ("UIDFETCH", 1))
