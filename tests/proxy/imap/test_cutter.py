"""Spans cut into units again, however their bytes come."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.imap.cutter import CutUnit, UnitCutter
from proxy.imap.transcript import Direction
from tests.proxy.imap.playing import at_random, bytewise, whole

if TYPE_CHECKING:
    from tests.proxy.imap.playing import Cut

C, S = Direction.CLIENT, Direction.SERVER
STREAM = (
    b"a LOGIN {3}\r\nbob {6+}\r\nxxxxxx\r\n* 1 FETCH (BODY[] {0}\r\n)\r\nb NOOP\nc APPEND x {5000+}\r\n"
    + b"y" * 5000
    + b"\r\n"
)


def units(data: bytes, cut: Cut, side: Direction = C, start: int = 100) -> list[CutUnit]:
    """What a span becomes; each byte comes at the time that is its offset."""
    cutter = UnitCutter(side, start)
    found: list[CutUnit] = []
    for chunk in cut(data):
        found += cutter.feed(start, chunk, lambda offset: offset)
        start += len(chunk)
    return [*found, *cutter.flush()]


@pytest.mark.parametrize("cut", [bytewise, at_random(1), at_random(2)])
def test_it_does_not_matter_how_the_bytes_come(cut: Cut) -> None:
    assert units(STREAM, cut) == units(STREAM, whole)


def test_units_have_their_literals_and_times() -> None:
    first, second, third, fourth = units(STREAM, whole)
    assert first.unit.texts == (b"a LOGIN {3}\r\n", b" {6+}\r\n", b"\r\n")
    assert [literal.content for literal in first.unit.literals] == [b"bob", b"xxxxxx"]
    assert (first.at, first.literals_at) == (100, (113, 123))
    assert first.ended == first.unit.end - 1
    assert second.unit.literals[0].content == b""
    assert third.unit.flaws == ("bare LF",)
    assert (fourth.unit.literals[0].size, fourth.unit.literals[0].content) == (5000, None)


def test_a_body_is_passed_over_by_its_length() -> None:
    head, tail = b"* 1 FETCH (BODY[] {9000}\r\n", b")\r\n"
    cutter = UnitCutter(S, 0)
    assert list(cutter.feed(0, head, lambda offset: offset)) == []
    assert cutter.skip(len(head), 4000, lambda offset: offset)
    assert cutter.skip(len(head) + 4000, 5000, lambda offset: offset)
    (found,) = cutter.feed(len(head) + 9000, tail, lambda offset: offset)
    assert (found.unit.end, found.unit.texts) == (len(head) + 9003, (head, tail))
    assert not cutter.skip(0, 10, lambda offset: offset)


@pytest.mark.parametrize(
    ("data", "texts", "due"),
    [
        (b"a NOO", (b"a NOO",), None),
        (b"a CREATE {4}\r\n", (b"a CREATE {4}\r\n",), 4),
        (b"a CREATE {4}\r\nxy", (b"a CREATE {4}\r\n",), 4),
        (b"a CREATE {2}\r\nxy", (b"a CREATE {2}\r\n", b""), None),
        (b"a LOGIN {1}\r\nx {4}\r\nxy", (b"a LOGIN {1}\r\n", b" {4}\r\n"), 4),
        (b"a LOGIN {1}\r\nx y", (b"a LOGIN {1}\r\n", b" y"), None),
    ],
)
def test_what_does_not_end_is_told_at_last(data: bytes, texts: tuple[bytes, ...], due: int | None) -> None:
    (found,) = units(data, whole)
    assert (found.unit.texts, found.unit.flaws) == (texts, ("cut",))
    assert len(found.unit.literals) == len(texts) - 1
    assert (found.due.size if found.due else None) == due


def test_a_unit_is_kept_up_to_a_bound() -> None:
    line = b"a " + b"x" * 100 + b" {8+}\r\nabcdefgh\r\n"
    cutter = UnitCutter(C, 0, most=50)
    first, second = cutter.feed(0, line + b"b " + b"y" * 5 + b" {8+}\r\nabcdefgh\r\n", lambda offset: offset)
    assert sum(map(len, first.unit.texts)) == 50
    assert (first.unit.end, first.unit.literals[0].content) == (len(line), None)
    assert second.unit.literals[0].content == b"abcdefgh"


def test_literals_without_end_are_kept_up_to_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("proxy.imap.cutter.PARTS_WHOLE", 3)
    (found,) = units(b"a X " + b"{0+}\r\n" * 100 + b"\r\n", whole)
    assert (len(found.unit.texts), len(found.unit.literals)) == (4, 3)
    assert found.unit.end == 100 + 606


def test_a_torn_one_begins_with_the_next_unit() -> None:
    cutter = UnitCutter(S, 10, torn=True)
    (found,) = cutter.feed(10, b"ond half\r\n* 1 EXISTS\r\n", lambda offset: offset)
    assert (found.unit.start, found.unit.texts) == (20, (b"* 1 EXISTS\r\n",))
    cutter = UnitCutter(S, 10, torn=True)
    assert [*cutter.feed(10, b"ond ha", lambda offset: offset), *cutter.flush()] == []


@given(st.binary(max_size=200), st.integers(0, 9))
def test_any_bytes_come_back_in_order(data: bytes, seed: int) -> None:
    found = units(data, at_random(seed), S)
    assert [each.unit.start for each in found] == sorted({each.unit.start for each in found})
    assert not found or found[-1].unit.end == 100 + len(data)


LINES = st.lists(
    st.sampled_from(
        [b"* 1 EXISTS\r\n", b"a OK done\r\n", b'a LIST "" *\r\n', b'a "open\r\n', b"bare\n", b"two\r\r\n", b"x {3}\r\n",
         b"abc\r\n", b"* OK {3}\r\n", b"\r\n", b"\n", b"x" * 5000 + b"\r\n", b"cut"]
    ),
    max_size=8,
)  # fmt: skip


@given(LINES, st.sampled_from(Direction))
def test_plain_lines_are_cut_like_all_others(lines: list[bytes], direction: Direction) -> None:
    """Looked at as a whole or byte by byte."""
    data = b"".join(lines)
    assert units(data, whole, direction) == units(data, bytewise, direction)
