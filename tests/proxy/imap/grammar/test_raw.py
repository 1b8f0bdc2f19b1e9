"""Units that are kept raw, literals that lie elsewhere, and how the bytes of a unit are cut."""

from __future__ import annotations

import pytest

from proxy.imap.grammar import Command, Parsed, Quirk, Raw, Untagged, cut, joined, parse_command, parse_response, write
from proxy.imap.grammar.append import Append, AppendMessage, Whole
from proxy.imap.grammar.fetch import Fetch
from proxy.imap.grammar.fetch_items import Content, NumberItem
from proxy.imap.grammar.mailbox_names import Mailbox
from proxy.imap.grammar.sections import Section
from proxy.imap.grammar.values import Absent
from proxy.imap.transcript import Direction
from proxy.imap.units import LITERAL_KEPT, Boundary, Literal, Unit, UnitReader
from tests.proxy.imap.grammar.rows import client, server

SERVER, CLIENT = Direction.SERVER, Direction.CLIENT


@pytest.mark.parametrize(
    "line", [b"b LOGIN {5}", b"* X ~{5}", b"* X a{5+}", b"* X a{5} \r\n", b'* LIST () NIL y"z {5}\r\n']
)
def test_an_announcement_is_no_word(line: bytes) -> None:
    """Written again it would announce a literal, which is not there: the line was cut, or a quote stands open in it."""
    assert isinstance(parse_response(cut(line, SERVER)).value, Raw)


@pytest.mark.parametrize("line", [b"* X {5}?\r\n", b"* OK see {5}\r\n", b"a NO {5}", b"+ {5}"])
def test_braces_that_are_read(line: bytes) -> None:
    assert not isinstance(parse_response(cut(line, SERVER)).value, Raw)


@pytest.mark.parametrize(
    ("line", "at", "expected"),
    [
        (b"", 0, "a tag"),
        (b" x", 0, "a tag"),
        (b"*", 1, "a space"),
        (b"* (", 2, "a data word"),
        (b"hello", 5, "a space"),
        (b"hello ", 6, "a status"),
        (b'* LIST "open', 7, "("),
        (b'* X "open', 4, "a value"),
        (b"* FETCH ((x)", 12, ")"),
        (b"* X )", 4, "a value"),
    ],
)
def test_server_lines_that_are_kept(line: bytes, at: int, expected: str) -> None:
    value = server(line).value
    assert isinstance(value, Raw)
    assert (value.expected, value.at) == (expected, at)
    assert joined(value.unit) == line + b"\r\n"


@pytest.mark.parametrize(
    ("line", "at", "expected"),
    [
        (b"", 0, "a tag"),
        (b"a", 1, "a space"),
        (b"a UID", 5, "a space"),
        (b'a "x"', 2, "a command"),
        (b"a SEARCH (FROM x", 16, "a space"),
        (b'a LOGIN bob "x', 12, "a quoted string"),
        (b"AGEAYg==", 8, "a space"),
    ],
)
def test_client_lines_that_are_kept(line: bytes, at: int, expected: str) -> None:
    value = client(line).value
    assert isinstance(value, Raw)
    assert (value.expected, value.at) == (expected, at)


def test_what_is_no_imap_at_all() -> None:
    parsed = server(b"HTTP/1.1 400 Bad Request")
    assert parsed.names == (Quirk.UNKNOWN_STATUS,)
    assert isinstance(server(b"\x15\x03\x01\x00\x02\x02F").value, Raw)


def test_a_unit_of_which_text_is_missing_is_kept() -> None:
    """The reader on the wire keeps 64 KiB of a line: such a unit must not be taken for a short one."""
    line = b"* SEARCH" + b" 1" * 50_000 + b"\r\n"
    reader = UnitReader(SERVER)
    assert reader.read(line, 0) == (Boundary.UNIT, len(line))
    value = parse_response(reader.take_unit()).value
    assert isinstance(value, Raw)
    assert value.expected == "all of the unit's text"
    assert len(parse_response(cut(line, SERVER)).value.data.numbers) == 50_000  # type: ignore[union-attr]


def test_a_literal_that_lies_elsewhere() -> None:
    """As the reader on the wire hands it over: by offset and size."""
    size = LITERAL_KEPT + 1
    data = b"* 5 FETCH (BODY[] {%d}\r\n" % size + b"x" * size + b" UID 7)\r\n"
    reader, pos = UnitReader(SERVER), 0
    while pos < len(data):
        _, pos = reader.read(data, pos)
    unit = reader.take_unit()
    assert unit.literals[0].content is None
    parsed = parse_response(unit)
    absent = Absent(size, start=data.index(b"xx"))
    assert parsed == Parsed(Untagged(Fetch(5, (Content(b"BODY", Section(), absent), NumberItem(b"UID", 7)))))
    assert parsed.value.data.items[0].data.start == absent.start  # type: ignore[union-attr]
    again = write(parsed.value)  # type: ignore[arg-type]
    assert parse_response(again).value == parsed.value
    with pytest.raises(ValueError, match="a literal of 4096 bytes lies elsewhere"):
        joined(again)


def test_an_append_whose_message_lies_elsewhere() -> None:
    head = b"a APPEND x {10+}\r\n"
    unit = Unit(0, len(head) + 12, (head, b"\r\n"), (Literal(len(head), 10, synchronising=False, binary=False),), ())
    message = AppendMessage(Whole(Absent(10)))
    assert parse_command(unit) == Parsed(Command(b"a", Append(Mailbox(b"x"), (message,))))


@pytest.mark.parametrize(
    "data",
    [
        b"a NOOP\r\n",
        b"a NOOP",
        b"a NOOP\n",
        b"a LOGIN {1}\r\nb {0+}\r\n\r\n",
        b'a LOGIN "x {1}\r\n',
        b"a APPEND x ~{3+}\n\r\n\0\r\n",
    ],
)
def test_units_are_cut_whole(data: bytes) -> None:
    unit = cut(data, CLIENT, 100)
    assert (unit.start, unit.end) == (100, 100 + len(data))
    assert joined(unit) == data
    assert all(data[x.start - 100 : x.start - 100 + x.size] == x.content for x in unit.literals)
    assert not isinstance(parse_command(unit).value, Raw) or b'"' in data


@pytest.mark.parametrize(
    "data",
    [
        b"a LOGIN {1}\r\n",
        b"a LOGIN {0}\r\n",
        b"a LOGIN {5}\r\nab",
        b"a NOOP\r\nb NOOP\r\n",
        b"a {99999999999999999999}\r\n x",
    ],
)
def test_what_is_no_whole_unit_is_kept(data: bytes) -> None:
    value = parse_command(cut(data, CLIENT)).value
    assert isinstance(value, Raw)
    assert value.expected == "all of the unit's text"


def test_free_text_has_no_literals() -> None:
    """Units that are framed otherwise than M 2.4 says lose nothing: they are kept."""
    texts = (b"* OK see {1}\r\n", b"\r\n")
    unit = Unit(0, 17, texts, (Literal(14, 1, synchronising=True, binary=False, content=b"x"),), ())
    assert isinstance(parse_response(unit).value, Raw)
