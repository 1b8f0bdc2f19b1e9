"""What a cassette written by hand means, and what is refused where."""

from __future__ import annotations

import io
import itertools
from typing import TYPE_CHECKING

import pytest

from proxy.imap.transcript import (
    Direction,
    Ending,
    Event,
    EventKind,
    Exchange,
    Layer,
    Piece,
    SessionClosed,
    SessionOpened,
)
from storage.cassette import CassetteError, is_cassette
from storage.cassette.importing import heard
from storage.cassette.reader import read_cassette

if TYPE_CHECKING:
    from proxy.imap.transcript import Record
    from storage.left_out import LeftOut

C, S = Direction.CLIENT, Direction.SERVER
NOW = 1_700_000_000_000_000


def records(*lines: str) -> list[Record | LeftOut]:
    """What a cassette of these lines holds, the first one left out."""
    text = "\n".join(("imaptap cassette 1", *lines)) + "\n"
    return [each for some in heard(read_cassette(io.BytesIO(text.encode())), NOW) for each in some]


def streams(*lines: str) -> tuple[bytes, bytes]:
    """What client and server say."""
    pieces = [each for each in records(*lines) if isinstance(each, Piece)]
    client, server = (b"".join(each.data for each in pieces if each.direction is side) for side in (C, S))
    return client, server


@pytest.mark.parametrize(
    ("line", "data"),
    [
        ("S: * OK hello", b"* OK hello\r\n"),
        ("S:* OK hello", b"* OK hello\r\n"),
        ("S:  FLAGS (\\Seen))", b" FLAGS (\\Seen))\r\n"),
        ('S: * LIST () "\\\\" "a\\"b" %', b'* LIST () "\\\\" "a\\"b" %\r\n'),
        ("S:", b"\r\n"),
        ("S: Grüße \N{MOUSE FACE}", "Grüße \N{MOUSE FACE}\r\n".encode()),
        ("S: a\tb", b"a\tb\r\n"),
        ("S: a{{=000d}}{{=ff}}b", b"a\x00\r\xffb\r\n"),
        ("S: a{{-}}", b"a"),
        ("S: a{{=0a}}{{-}}", b"a\n"),
        ("S: {{=7b7b}}x}} {y} {", b"{{x}} {y} {\r\n"),
        ("S: a{{n:b}}}c", b"ab}c\r\n"),
        ("S: {{uid-1:7}} {{uid_2=00ff}}", b"7 \x00\xff\r\n"),
        ("S# AP8=", b"\x00\xff"),
        ("S: blanks at the end  ", b"blanks at the end  \r\n"),
        ("S: lines end{{+0.000001}}s apart", b"lines ends apart\r\n"),
    ],
)
def test_what_is_said(line: str, data: bytes) -> None:
    assert streams(line) == (b"", data)


def test_windows_line_ends_and_comments() -> None:
    text = b"imaptap cassette 1\r\n# a comment\r\n\r\n  \r\nS: * OK\r\nC: a NOOP"
    said = [each for some in heard(read_cassette(io.BytesIO(text)), NOW) for each in some if isinstance(each, Piece)]
    assert [(each.direction, each.data) for each in said] == [(S, b"* OK\r\n"), (C, b"a NOOP\r\n")]


def test_a_session_of_which_nothing_is_said() -> None:
    opened, *_, closed = records("S: * OK hello", "C: a NOOP", "S: a OK done")
    assert isinstance(opened, SessionOpened)
    assert (opened.session, opened.wall) == (1, NOW)
    assert isinstance(closed, SessionClosed)
    assert closed == (1, 3000, Ending.CLIENT, "end of stream", 8, 23)


def test_time_goes_by_when_the_other_side_begins_and_where_it_is_said() -> None:
    said = records(
        *("S: * OK", "S: * OK more", "C: a NOOP", "+0.250000", "C: b NOOP", "+0.000000", "S: a OK"),
        *("S: b{{+0.500000}} OK", "event kind=notice name=x", "event kind=notice name=y at=9.000000"),
    )
    chunks = [(each.direction, chunk) for each in said if isinstance(each, Piece) for chunk in _chunks(each)]
    times = itertools.groupby(chunks, lambda each: (each[0], each[1][1]))
    merged = [(*key, sum(size for _, (size, _) in run)) for key, run in times]
    assert merged == [
        (S, 1000, 17), (C, 2000, 8), (C, 252_000, 8), (S, 252_000, 7), (S, 752_000, 5),
    ]  # fmt: skip
    assert [each.at for each in said if isinstance(each, Event)] == [752_000, 9_000_000]


def _chunks(piece: Piece) -> tuple[tuple[int, int], ...]:
    return piece.chunks or ((len(piece.data), piece.at),)


def test_placeholders_are_events_and_passwords_are_masked() -> None:
    said = records("C: a LOGIN {{user:bob}} {{password:secret}}", "S: a OK {{any:x}}")
    events = [each[2:4] + each[5:8] for each in said if isinstance(each, Event)]
    assert sorted(events) == [
        (EventKind.SECRET, "login", C, 12, 6),
        (EventKind.VARIES, "any", S, 5, 1),
        (EventKind.VARIES, "password", C, 12, 6),
        (EventKind.VARIES, "user", C, 8, 3),
    ]
    assert b"secret" not in b"".join(bytes(each.data) for each in said if isinstance(each, Piece))


def test_a_literal_in_lines() -> None:
    client, server = streams(
        "C: a APPEND x {8}", "S: + go", "C| Hi{{=e9}}", "C| you{{-}}", "C:", "S: * 1 FETCH (X {2+}", "S# AAE=", "S: )"
    )
    assert client == b"a APPEND x {8}\r\nHi\xe9\r\nyou\r\n"
    assert server == b"+ go\r\n* 1 FETCH (X {2+}\r\n\x00\x01)\r\n"


def test_a_literal_that_the_server_refuses() -> None:
    said = records("S: * PREAUTH hi", "C: a APPEND x {9}", "S: a NO full", "C: b NOOP", "S: b OK")
    ended = {each.number: each.status for each in said if isinstance(each, Exchange)}
    assert ended == {1: "NO", 2: "OK"}


def test_sessions_and_layers() -> None:
    said = records(
        "session client=first",
        "layer is=plain",
        "S: * OK",
        "layer side=server is=tls",
        "S: x",
        "session number=5",
        "S: y",
    )
    opened = [(each.session, each.client) for each in said if isinstance(each, SessionOpened)]
    assert opened == [(1, "first"), (5, "client")]
    assert [each.layer for each in said if isinstance(each, Piece)] == [Layer.PLAIN, Layer.TLS, Layer.TLS]


UNKEPT = "unkept side=server length=99999999999 start=34 size=99999999999 sha256=" + "0" * 64
REFUSED = [
    # A line behind the first, in which column, and what is said of it.
    (["hello"], 1, "begins no statement"),
    (["X: hello"], 1, "a line begins with"),
    (["S: a{{b"], 5, "not closed"),
    (["S: a{{b}}"], 5, "none of the forms"),
    (["S: {{Name:x}}"], 4, "none of the forms"),
    (["S: {{name:}}"], 4, "no example"),
    (["S: {{=0}}"], 7, "even number of digits"),
    (["S: {{name=0g}}"], 11, "even number of digits"),
    (["S: a\x07b"], 5, "U+0007"),
    (["S: a\u2028b"], 5, "U+2028"),
    (["S: {{n:a\x00}}"], 9, "U+0000"),
    (["S# AP8"], 4, "no base64"),
    (["S# A P8="], 4, "no base64"),
    (["+1"], 1, "no time"),
    (["+0.5 "], 1, "no time"),
    (["-0.000001"], 1, "leave its range"),
    (["S| x"], 2, "none is announced"),
    (["S: {3}", "S| x", "S| y"], 2, "none is announced, or it has ended"),
    (["S: {9}", "S| x", "S: y"], 1, "has 3 bytes, but 9"),
    (["S: {4}", "S| x", "S| y"], 2, "has 6 bytes, but 4"),
    (["session number=2", "session number=2"], 1, "session 2 comes behind session 2"),
    (["session number=0"], 1, "session 0"),
    (["session colour=red"], 9, "colour is not known"),
    (["session client=a client=b"], 18, "client is said twice"),
    (["session client"], 9, "key=value"),
    (['session client="a'], 16, "neither a word nor JSON"),
    (["session client={}"], 16, "no text"),
    (["session opened=yesterday"], 16, "no date"),
    (["session tells=lies"], 15, "no one of: bytes, events, everything"),
    (["S: x", "recording"], 1, "too late"),
    (["recording", "recording"], 1, "too late"),
    (["event kind=notice"], 1, "name= is missing"),
    (["event name=x kind=odd"], 19, "no one of: tls"),
    (["event name=x kind=notice at=1"], 29, "no time"),
    (["event name=x kind=notice offset=-1"], 33, "no number from 0 on"),
    (["end", "S: x"], 1, "session 1 has ended"),
    (["end how=badly"], 9, "no one of: closed by client"),
    (["layer is=wet"], 10, "no one of: plain"),
    (["exchange number=1 tag=a command=b started=0.000000 client-bytes=0 server-bytes=0"], 1, "cannot say this"),
    (["hole side=client length=1"], 1, "cannot say this"),
    (["session tells=everything", "body side=client start=1 size=2"], 1, "does not lie in this body"),
    (["unkept side=server length=5 start=0 size=5 chunks=[[2,1],[2,2]] sha256=" + "0" * 64], 1, "not as long"),
    (["unkept side=server length=5 start=0 size=5 sha256=" + "0" * 64], 1, "not those of a literal"),
    (["unkept side=server length=5 start=0 size=5 sha256=00"], 51, "no SHA-256"),
    (["S: * 1 FETCH (BODY[] {99999999999}", UNKEPT], 1, "was never recorded"),
    (['proxy command="ü"'], 1, "ASCII"),
]


@pytest.mark.parametrize(("lines", "column", "what"), REFUSED, ids=[" / ".join(row[0])[:60] for row in REFUSED])
def test_what_is_refused(lines: list[str], column: int, what: str) -> None:
    with pytest.raises(CassetteError, match=r"^The cassette cannot be read at line") as refused:
        records(*lines)
    error = refused.value
    assert (error.line, error.column) == (1 + len(lines), column)
    assert what in str(error)
    assert error.hint


@pytest.mark.parametrize(
    ("data", "line", "column", "what"),
    [
        (b"", 1, 1, "empty"),
        (b"imaptap cassette 2\n", 1, 18, "its version is 2, and this imaptap reads 1"),
        (b"imaptap cassette one\n", 1, 1, "first line"),
        (b" imaptap cassette 1\n", 1, 1, "first line"),
        ("\ufeffimaptap cassette 1\n".encode(), 1, 1, "first line"),
        (b"imaptap cassette 1\nS: \xc3\xbc\xff\n", 2, 5, "not UTF-8"),
        (b"imaptap cassette 1\nS: " + b"x" * (1 << 20), 2, 1 << 20, "too long"),
    ],
)
def test_files_that_are_no_cassettes(data: bytes, line: int, column: int, what: str) -> None:
    with pytest.raises(CassetteError, match=what) as refused:
        list(read_cassette(io.BytesIO(data)))
    assert (refused.value.line, refused.value.column) == (line, column)


@pytest.mark.parametrize(
    ("data", "is_one"),
    [
        (b"imaptap cassette 1\n", True),
        (b"imaptap cassette 1", True),
        (b"imaptap cassette 12\r\nx", True),
        (b"imaptap cassette\n", False),
        (b"imaptap cassette 1x\n", False),
        (b"SQLite format 3\0", False),
        (b"", False),
    ],
)
def test_whether_a_file_is_one(data: bytes, is_one: bool) -> None:
    assert is_cassette(io.BytesIO(data)) is is_one
