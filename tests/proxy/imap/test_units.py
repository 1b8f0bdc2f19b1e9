"""Units of one direction: rows of bytes and where they are cut (M 2.1-2.11)."""

from __future__ import annotations

import pytest

from proxy.imap.announcements import LITERAL_MAX
from proxy.imap.transcript import Direction
from proxy.imap.units import LITERAL_KEPT, TEXT_KEPT, Boundary, Unit, UnitReader
from tests.proxy.imap.playing import CLIENT, SERVER, bytewise, whole

CUTS = pytest.mark.parametrize("cut", [whole, bytewise], ids=["whole", "bytewise"])


def units_of(direction: Direction, chunks: list[bytes], *, lines_only: bool = False) -> list[Unit]:
    """All complete units."""
    reader = UnitReader(direction)
    reader.lines_only = lines_only
    found: list[Unit] = []
    for chunk in chunks:
        pos = 0
        while pos < len(chunk):
            boundary, pos = reader.read(chunk, pos)
            if boundary is Boundary.UNIT:
                found.append(reader.take_unit())
    return found


ONE_UNIT = [
    # 2.1 literals of all kinds; the tail may be just ")" or empty; a unit may announce several
    (CLIENT, b"a LOGIN {3}\r\nbob {3+}\r\npwd\r\n"),
    (CLIENT, b"a APPEND x ~{3}\r\n\x00\r\n\r\n"),
    (CLIENT, b"a APPEND x (~{2+}\r\n\r\n)\r\n"),
    (SERVER, b"* 1 FETCH (BODY[] {3}\r\nabc)\r\n"),
    # 2.2 "{0}" is a literal and its line goes on; leading zeros count
    (CLIENT, b"a SELECT {0}\r\n\r\n"),
    (SERVER, b"* LIST () NIL {0}\r\n x {012}\r\n123456789012\r\n"),
    # 2.3 content is opaque
    (SERVER, b"* 1 FETCH (X {31}\r\na OK done\r\n+ {9}\r\n* BYE\r\n\x00\xff\r\n1)\r\n"),
    (CLIENT, b"a APPEND x {6}\r\nDONE\r\n\r\n"),
    # 2.4, 2.5 free text announces nothing, opens nothing
    (SERVER, b"* OK see {5}\r\n"),
    (SERVER, b"a NO [ALERT] see {5+}\r\n"),
    (SERVER, b"* bye {5}\r\n"),
    (SERVER, b"+ go on {5}\r\n"),
    (SERVER, b"+{5}\r\n"),
    (SERVER, b'a BAD lone " and ( and [ {3}\r\n'),
    (SERVER, b"* OK [COPYUID 701  ] x {1}\r\n"),
    (SERVER, b'* NO [Error="{5}" x=y z] t {5}\r\n'),
    (SERVER, b'* NO [X "]"] t {5}\r\n'),
    # ... but in an open code a literal is possible, and after it the code may close
    (SERVER, b"* NO [BADCHARSET ({5}\r\nUTF-8 {2}\r\nXX)] not {3}\r\n"),
    (SERVER, b"a NO [REFERRAL {3}\r\nx]y] there\r\n"),
    # 2.6 quoted strings hold anything but a line end; only \" and \\ are escapes
    (CLIENT, b'a LOGIN "{3}\\"" "(*]\\\\"\r\n'),
    (CLIENT, b'a LOGIN "\\\\" {1}\r\nx\r\n'),
    (SERVER, b'* LIST () "\\\\" {1}\r\nx\r\n'),
    (SERVER, b'* 1 FETCH (BODY ("a\\"{5}\r\n'),
    # 2.7 brackets are atoms
    (SERVER, b'* 1 FETCH (BODY[HEADER.FIELDS (A "b c" {3}\r\n"](]<0> {1}\r\nx)\r\n'),
    # 2.8 broken grammar is framed like any other
    (SERVER, b"*  SEARCH   \r\n"),
    (SERVER, b"A1 OK\r\n"),
    (SERVER, b"+\r\n"),
    (SERVER, b"* STATUS{1}\r\nx (MESSAGES 1)\r\n"),
    # 2.9 bare LF ends a line, a bare CR does not; the content of a literal starts right after LF
    (CLIENT, b"a NOOP\n"),
    (CLIENT, b"a LOGIN {3}\nbob {1}\nx\n"),
    (SERVER, b"* OK a\rb\r\r\n"),
    # 2.14 status words in any case
    (SERVER, b"a ok {5}\r\n"),
    # 3.16 unknown data is grammar
    (SERVER, b"* 99 XYZZY (a {4}\r\n)\r\n()\r\n"),
    # not announcements
    (CLIENT, b"a NOOP {5} \r\n"),
    (CLIENT, b"a NOOP {-5}\r\n"),
    (CLIENT, b"a NOOP {}\r\n"),
    (CLIENT, b"a NOOP {5\r\n"),
    (CLIENT, b"\r\n"),
]


@CUTS
@pytest.mark.parametrize(("direction", "data"), ONE_UNIT)
def test_one_unit(direction: Direction, data: bytes, cut: object) -> None:
    """Alone, and between two others."""
    before, after = b"a NOOP\r\n", b"* 1 EXISTS\r\n"
    chunks = list(cut(before + data + after))  # type: ignore[operator]
    found = units_of(direction, chunks)
    assert [(x.start, x.end) for x in found] == [
        (0, len(before)),
        (len(before), len(before) + len(data)),
        (len(before) + len(data), len(before) + len(data) + len(after)),
    ]


def test_a_unit_says_what_it_is_made_of() -> None:
    (unit,) = units_of(CLIENT, [b'a X {3}\r\nbob ~{2+}\r\n\x00\xff "q"\r\n'])
    assert unit.texts == (b"a X {3}\r\n", b" ~{2+}\r\n", b' "q"\r\n')
    bob, binary = unit.literals
    assert (bob.start, bob.size, bob.synchronising, bob.binary, bob.content) == (9, 3, True, False, b"bob")
    assert (binary.start, binary.size, binary.synchronising, binary.binary) == (20, 2, False, True)
    assert binary.content == b"\x00\xff"
    assert unit.flaws == ()


@CUTS
@pytest.mark.parametrize(
    ("data", "flaws"),
    [
        (b"a NOOP\n", ("bare LF",)),
        (b"a NO\rOP\r\n", ("bare CR",)),
        (b"a NOOP\r\r\n", ("bare CR",)),
        (b'a LOGIN "b\r\n', ("open quote",)),
        (b'a LOGIN "b {3}\r\n', ("open quote",)),
        (b"a LOGIN {1}\nb\rc\r\n", ("bare LF", "bare CR")),
        (b"a X {9223372036854775808}\r\n", ("literal too large",)),
        (b"a X {" + b"9" * 50 + b"}\r\n", ("literal too large",)),
        (b"a NOOP\r\n", ()),
    ],
)
def test_flaws(data: bytes, flaws: tuple[str, ...], cut: object) -> None:
    (unit,) = units_of(CLIENT, list(cut(data)))  # type: ignore[operator]
    assert unit.flaws == flaws


def test_sasl_lines_announce_nothing() -> None:
    """M 4.6."""
    assert len(units_of(CLIENT, [b"YWJj {3}\r\nabc\r\n"], lines_only=True)) == 2


def test_the_largest_literal_is_one_and_a_larger_one_is_raw() -> None:
    """M 2.2."""
    reader = UnitReader(SERVER)
    line = b"* 1 FETCH (X {%d}\r\n" % LITERAL_MAX
    assert reader.read(line, 0) == (Boundary.LINE, len(line))
    assert reader.read(b"abc\r\n", 0) == (Boundary.LITERAL, 5)
    reader = UnitReader(SERVER)
    line = b"* 1 FETCH (X {%d}\r\n" % (LITERAL_MAX + 1)
    assert reader.read(line, 0) == (Boundary.UNIT, len(line))
    reader.take_unit()
    assert reader.read(b"* OK\r\n", 0) == (Boundary.RAW, 6)
    assert reader.cut() is None


def test_a_unit_can_be_cut_anywhere() -> None:
    """M 1.9, 4.3."""
    data = b"a LOGIN {3}\r\nbob {4}\r\npass\r\n"
    for end in range(1, len(data)):
        reader = UnitReader(CLIENT)
        pos = 0
        while pos < end:
            _, pos = reader.read(data[:end], pos)
        unit = reader.cut("cut")
        assert unit
        assert (unit.start, unit.end, unit.flaws) == (0, end, ("cut",))
        assert reader.between
        assert reader.cut() is None


@CUTS
@pytest.mark.parametrize("length", [TEXT_KEPT - 2, TEXT_KEPT - 1, TEXT_KEPT, TEXT_KEPT + 1, TEXT_KEPT + 100])
def test_long_lines_are_read_like_short_ones(length: int, cut: object) -> None:
    """M 2.10: what is not kept is still counted: quotes, the literal at the end, the line end."""
    line = b"a X " + b"y" * (length - 4)
    for tail, ends, flaws in [
        (b"\r\n", True, ()),
        (b"\n", True, ("bare LF",)),
        (b' "\r\n', True, ("open quote",)),
        (b' "{5}"\r\n', True, ()),
        (b' "{5}\r\n', True, ("open quote",)),
        (b" {2}\r\nxx\r\n", False, ()),
        (b' "\\"" ~{2+}\r\nxx\r\n', False, ()),
    ]:
        (unit,) = units_of(CLIENT, list(cut(line + tail)))  # type: ignore[operator]
        assert (unit.end, unit.flaws) == (len(line + tail), flaws)
        assert bool(unit.literals) is not ends
        assert len(unit.texts[0]) <= TEXT_KEPT


def test_literals_are_kept_up_to_a_size() -> None:
    small, large = b"s" * LITERAL_KEPT, b"l" * (LITERAL_KEPT + 1)
    head = b"a X {%d}\r\n%b {%d}\r\n%b\r\n" % (len(small), small, len(large), large)
    (unit,) = units_of(CLIENT, [head])
    assert [x.content for x in unit.literals] == [small, None]


def test_what_passes_unread_is_known() -> None:
    """The rest of a literal that is not kept; a small one's content is looked into, and so is text."""
    reader, large = UnitReader(CLIENT), LITERAL_KEPT + 1
    said = (b"a X {9}\r\n", b"1234", b"56789", b" {%d}\r\n" % large, b"12", b"3" * (large - 2), b" y")
    passing: list[int] = []
    for chunk in said:
        reader.read(chunk, 0)
        passing.append(reader.passing)
    assert passing == [0, 0, 0, large, large - 2, 0, 0]
    reader.read(b" {%d}\r\n" % large, 0)
    assert reader.passing == large
    reader.go_raw()
    assert reader.passing == 0


@pytest.mark.parametrize("size", [0, 3, LITERAL_KEPT, 100_000, LITERAL_MAX])
def test_a_literal_that_is_not_there_is_passed_over_at_once(size: int) -> None:
    reader = UnitReader(SERVER)
    line = b"* 1 FETCH (BODY[] {%d}\r\n" % size
    reader.read(line, 0)
    assert reader.pass_over(size // 2) + reader.pass_over(LITERAL_MAX) == size
    assert reader.literal is None
    assert reader.read(b")\r\n", 0) == (Boundary.UNIT, 3)
    assert reader.take_unit().end == len(line) + size + 3
