"""Messages put together of what FETCH has told of them."""

from __future__ import annotations

import pytest

from proxy.imap.grammar import cut, parse_response
from proxy.imap.grammar.fetch import Fetch
from proxy.imap.grammar.responses import Untagged
from proxy.imap.transcript import Direction
from proxy.imap.units import Unit
from proxy.replay.seeding.beginning import Place
from proxy.replay.seeding.contents import Contents

MIXED = (
    b'(("TEXT" "PLAIN" NIL NIL NIL "7BIT" 3 1)("TEXT" "HTML" NIL NIL NIL "7BIT" 4 1) "MIXED" ("BOUNDARY" "b") NIL NIL)'
)
NESTED = MIXED.replace(b'("TEXT" "HTML" NIL NIL NIL "7BIT" 4 1)', MIXED.replace(b'"b"', b'"c"'))
PLAIN = b'("TEXT" "PLAIN" NIL NIL NIL "7BIT" 3 1)'
PARTS = b'BODY[1.MIME] "m1" BODY[1] "one" BODY[2.MIME] "m2" BODY[2] "two"'
DEEPER = b"H--b\r\nm1one\r\n--b\r\nm2--c\r\nm3two\r\n--c\r\nm4three\r\n--c--\r\n--b--"
JOINED = b"H--b\r\nm1one\r\n--b\r\nm2two\r\n--b--"

ROWS: list[tuple[str, list[bytes], bytes | None]] = [
    ("whole", [b'BODY[] "abc"'], b"abc"),
    ("by its old name", [b'RFC822 "abc"'], b"abc"),
    ("the first time counts", [b'RFC822 "abc"', b'BODY[] "abx"'], b"abc"),
    ("NIL is nothing", [b"BODY[] NIL RFC822.SIZE 3"], None),
    ("BINARY is decoded", [b'BINARY[] "abc" RFC822.SIZE 3'], None),
    ("header alone", [b'BODY[HEADER] "abc"'], None),
    ("header and text", [b'BODY[HEADER] "ab"', b'BODY[TEXT] "cd"'], b"abcd"),
    ("by their old names", [b'RFC822.HEADER "ab" RFC822.TEXT "cd" RFC822.SIZE 4'], b"abcd"),
    ("that do not add up", [b'BODY[HEADER] "ab"', b'BODY[TEXT] "cd" RFC822.SIZE 5'], None),
    ("some of the header", [b'BODY[HEADER.FIELDS (A)] "ab"', b'BODY[TEXT] "cd" RFC822.SIZE 4'], None),
    ("windows", [b'BODY[]<0> "ab" RFC822.SIZE 5', b'BODY[]<4> "e"', b'BODY[]<2> "cd"'], b"abcde"),
    ("with a hole", [b'BODY[]<0> "ab" RFC822.SIZE 5', b'BODY[]<4> "e"'], None),
    ("whose end nobody knows", [b'BODY[]<0> "ab"', b'BODY[]<2> "cd"'], None),
    ("windows of the text", [b'BODY[HEADER] "H" BODY[TEXT]<0> "ab" RFC822.SIZE 5', b'BODY[TEXT]<2> "cd"'], b"Habcd"),
    ("the only part", [b'BODY[HEADER] "H" BODY[1] "one" BODYSTRUCTURE ' + PLAIN], b"Hone"),
    ("the only part, if that is so", [b'BODY[HEADER] "H" BODY[1] "one"'], None),
    ("the only part, since it adds up", [b'BODY[HEADER] "H" BODY[1] "one" RFC822.SIZE 4'], b"Hone"),
    (
        "part by part",
        [b'BODY[HEADER] "H" RFC822.SIZE %d BODYSTRUCTURE ' % len(JOINED) + MIXED, PARTS],
        JOINED,
    ),
    (
        "with a line end behind them",
        [b'BODY[HEADER] "H" RFC822.SIZE %d BODYSTRUCTURE ' % (len(JOINED) + 2) + MIXED, PARTS],
        JOINED + b"\r\n",
    ),
    ("if it adds up", [b'BODY[HEADER] "H" RFC822.SIZE 99 BODYSTRUCTURE ' + MIXED, PARTS], None),
    ("if it is known to", [b'BODY[HEADER] "H" BODYSTRUCTURE ' + MIXED, PARTS], None),
    ("no boundaries in BODY", [b'BODY[HEADER] "H" RFC822.SIZE 28 BODY ((' + PLAIN[1:] + b'"MIXED")', PARTS], None),
    (
        "parts within parts",
        [
            b'BODY[HEADER] "H" RFC822.SIZE %d BODYSTRUCTURE ' % len(DEEPER) + NESTED,
            b'BODY[1.MIME] "m1" BODY[1] "one" BODY[2.MIME] "m2"',
            b'BODY[2.1.MIME] "m3" BODY[2.1] "two" BODY[2.2.MIME] "m4" BODY[2.2] "three"',
        ],
        DEEPER,
    ),
]


def heard(*items: bytes) -> Contents:
    """What is known after these answers."""
    contents = Contents()
    for each in items:
        value = parse_response(cut(b"* 1 FETCH (" + each + b")\r\n", Direction.SERVER)).understood
        assert isinstance(value, Untagged)
        assert isinstance(value.data, Fetch), each
        contents.hear(1, value.data)
    return contents


@pytest.mark.parametrize(("name", "items", "expected"), ROWS, ids=[row[0] for row in ROWS])
def test_whole(name: str, items: list[bytes], expected: bytes | None) -> None:
    whole = heard(*items).whole
    joined = None if whole is None else b"".join(part for part in whole if isinstance(part, bytes))
    assert joined == expected


def test_some_fields_of_a_header_are_kept_apart_and_the_most_of_them() -> None:
    contents = heard(
        b'BODY[HEADER.FIELDS (A)] "A: b"', b'BODY[HEADER.FIELDS.NOT (B)] "A: b, C: d"', b'BODY[1.MIME] "x"'
    )
    assert (contents.some, contents.header) == (b"A: b, C: d", None)


def test_large_literals_are_places() -> None:
    data = b"* 1 FETCH (BODY[HEADER] {5000}\r\n" + b"h" * 5000 + b' BODY[TEXT] "tt" RFC822.SIZE 5002)\r\n'
    whole = cut(data, Direction.SERVER, 700)
    (known,) = whole.literals
    large = type(known)(known.start, known.size, known.synchronising, known.binary, None)
    value = parse_response(Unit(whole.start, whole.end, whole.texts, (large,), ())).understood
    assert isinstance(value, Untagged)
    assert isinstance(value.data, Fetch)
    contents = Contents()
    contents.hear(4, value.data)
    assert contents.whole == (Place(4, Direction.SERVER, 700 + 32, 5000), b"tt")


def test_what_is_masked_is_not_taken() -> None:
    fetch = b'* 1 FETCH (RFC822.SIZE 9 BODY[] "for xxxxxx" BODY[HEADER] "H: x" ENVELOPE (NIL "xxxxxx" %s NIL))\r\n'
    value = parse_response(cut(fetch % b"NIL NIL NIL NIL NIL NIL", Direction.SERVER)).understood
    assert isinstance(value, Untagged)
    assert isinstance(value.data, Fetch)
    contents = Contents()
    contents.hear(1, value.data, masked=True)
    assert (contents.whole, contents.header, contents.envelope) == (None, (b"H: x",), None)
    assert (contents.size, contents.masked) == (9, True)
    contents.hear(1, value.data)
    assert contents.envelope is not None
    assert contents.whole == (b"for xxxxxx",), "letters that only look like it are what they are"
