"""Spans cut into lines, however the stream comes in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from imaptap.reading.cutter import Cutter
from imaptap.reading.values import TEXT_MOST, Hidden, LeftOut, Line, Run
from proxy.imap.transcript import Certainty, Direction, Span

if TYPE_CHECKING:
    from collections.abc import Iterable

OFFSET = 100


def cut(*chunks: bytes, bodies: bool = False, direction: Direction = Direction.SERVER) -> list[Line]:
    """A span at offset 100; each chunk comes a millisecond after the last."""
    length = sum(map(len, chunks))
    span = Span(1, 1, direction, OFFSET, OFFSET + length, 1000, 1000, 1, Certainty.SURE)
    cutter = Cutter(span, bodies=bodies)
    lines, offset = list[Line](), OFFSET
    for number, chunk in enumerate(chunks, 1):
        lines += cutter.feed(offset, chunk, lambda _, at=number * 1000: at)
        offset += len(chunk)
    return lines + list(cutter.flush())


def texts(lines: Iterable[Line]) -> list[str]:
    """Lines as text, B in front of a body's."""
    shown = list[str]()
    for line in lines:
        parts = (part.data.decode() if isinstance(part, Run) else f"<{part.what} {part.length}>" for part in line.parts)
        shown.append(("B " if line.body else "") + "".join(parts))
    return shown


def test_lines_have_the_offset_and_time_of_their_first_byte() -> None:
    lines = cut(b"* 1 EXI", b"STS\r\n* 2 RECENT\r\n", b"a OK\r\n")
    assert [(line.start, line.at) for line in lines] == [(100, 1000), (112, 2000), (124, 3000)]
    assert texts(lines) == ["* 1 EXISTS", "* 2 RECENT", "a OK"]


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        (b"* 1 FETCH (BODY[] {6}\r\nA\r\nB\r\n X {0}\r\n)\r\n", ["* 1 FETCH (BODY[] {6}", "<literal 6> X {0}", ")"]),
        (b"* LIST () NIL {6}\r\nDrafts\r\n", ["* LIST () NIL {6}", "Drafts"]),
        (b"* X {90}\r\n" + b"n" * 90 + b"\r\n", ["* X {90}", "<literal 90>"]),
        (b"* X {3}\r\n\xff\xfe\x1b)\r\n", ["* X {3}", "<literal 3>)"]),
        (b"a OK {3}\r\nb OK\r\n", ["a OK {3}", "b OK"]),
        (b"\r\n\n+\r\n", ["", "", "+"]),
        (b"* X {500}\r\nonly this", ["* X {500}", "only this"]),
        (b"* half a li", ["* half a li"]),
        (b"* X {5}\r\n", ["* X {5}"]),
    ],
)
def test_literals_stand_in_the_line_that_follows(data: bytes, shown: list[str]) -> None:
    assert texts(cut(data)) == shown
    assert texts(cut(*(data[i : i + 1] for i in range(len(data))))) == shown


@pytest.mark.parametrize("bodies", [True, False])
def test_a_short_literal_has_its_place_in_the_stream(bodies: bool) -> None:
    """By which its mask is found."""
    data = b"* X {6}\r\nsecret\r\n"
    for chunks in ((data,), tuple(data[i : i + 1] for i in range(len(data)))):
        _, line = cut(*chunks, bodies=bodies)
        (run,) = line.parts
        assert isinstance(run, Run)
        assert (run.start, run.data) == (OFFSET + 9, b"secret")


def test_bodies_are_lines_of_their_own() -> None:
    letter = b"".join(b"line %d\r\n" % number for number in range(20)) + b"the end"
    data = b"* 1 FETCH (BODY[] {%d}\r\n%b X {6}\r\nA\r\nB\r\n)\r\n" % (len(letter), letter)
    shown = [f"* 1 FETCH (BODY[] {{{len(letter)}}}", *(f"B line {n}" for n in range(20)), "B the end", " X {6}"]
    for chunks in ((data,), tuple(data[i : i + 1] for i in range(len(data)))):
        assert texts(cut(*chunks, bodies=True)) == [*shown, "A\r\nB\r\n)"]


def test_an_endless_line_is_shown_in_part() -> None:
    (line,) = cut(b"* X ", *([b"y" * 10_000] * 20), b"\r\n")
    run, rest = line.parts
    assert isinstance(run, Run)
    assert len(run.data) == TEXT_MOST
    assert rest == Hidden("rest", 200_006 - TEXT_MOST)


def test_literals_are_skipped_by_count() -> None:
    span = Span(1, 1, Direction.SERVER, 0, 10**12, 0, 0, 1, Certainty.SURE)
    cutter = Cutter(span, bodies=False)
    head = b"* 1 FETCH (BODY[] {10000000}\r\n"
    lines = list(cutter.feed(0, head, lambda _: 1))
    for first in range(0, 10_000_000, 1_000_000):
        cutter.skip(len(head) + first, 1_000_000, lambda _: 2)
    lines += cutter.feed(10_000_000 + len(head), b")\r\n", lambda _: 3)
    assert texts(lines) == [head[:-2].decode(), "<literal 10000000>)"]
    assert lines[1].at == 2


def test_reading_goes_on_behind_a_hole() -> None:
    span = Span(1, 1, Direction.SERVER, 0, 100, 7, 7, 1, Certainty.SURE)
    cutter = Cutter(span, bodies=False)
    lines = list(cutter.feed(0, b"* 1 FETCH (BODY[] {50}\r\nabc", lambda _: 1))
    lines += cutter.hole(27, 74)
    cutter.skip(74, 5000, lambda _: 2)
    lines += cutter.feed(5074, b")\r\na OK\r\n", lambda _: 3)
    assert texts(lines) == ["* 1 FETCH (BODY[] {50}", "abc", "<hole 47>", "<literal 5000>)", "a OK"]


def test_the_client_announces_literals_too() -> None:
    data = b"a APPEND Drafts {300+}\r\n" + b"x\r\n" * 100 + b"\r\n"
    assert texts(cut(data, direction=Direction.CLIENT)) == ["a APPEND Drafts {300+}", "<literal 300>"]


def left_out(start: int, length: int, sha256: str = "abc", literal: int = 5000) -> LeftOut:
    return LeftOut(start, length, sha256, literal)


@pytest.mark.parametrize("bodies", [True, False])
def test_what_was_not_kept_stands_where_a_literal_would(bodies: bool) -> None:
    """It may have grown between two looks; a part of it may have a row of its own, or come behind a hole."""
    span = Span(1, 1, Direction.SERVER, 0, 100, 7, 7, 1, Certainty.SURE)
    head = b"* 1 FETCH (BODY[] {5000}\r\n"
    start = len(head)
    grown, whole = left_out(start, 2000), left_out(start, 5000, "def")
    first, second = left_out(start, 2000), left_out(start + 2000, 3000)
    for known, lengths, shown in (
        ((whole,), (5000,), [whole]),
        ((grown, whole), (2000, 3000), [whole]),
        ((first, second), (2000, 3000), [first, second]),
    ):
        cutter = Cutter(span, bodies=bodies)
        lines, offset = list(cutter.feed(0, head, lambda _: 1)), start
        for each, length in zip(known, lengths, strict=True):
            cutter.leave_out(each, offset, length, lambda _: 2)
            offset += length
        lines += cutter.feed(offset, b" X {2}\r\nab)\r\n", lambda _: 3)
        assert [line.parts for line in lines[1:]] == [(*shown, Run(offset, b" X {2}")), (Run(offset + 8, b"ab)"),)]
        assert (lines[1].start, lines[1].at, lines[1].body) == (start, 2, False)


def test_what_was_not_kept_and_torn_off() -> None:
    span = Span(1, 1, Direction.SERVER, 0, 5127, 7, 7, 1, Certainty.SURE)
    head = b"* 1 FETCH (BODY[] {5000}\r\n"
    before, after = left_out(26, 100), left_out(226, 4800)
    cutter = Cutter(span, bodies=False)
    lines = list(cutter.feed(0, head, lambda _: 1))
    cutter.leave_out(before, 26, 100, lambda _: 2)
    lines += cutter.hole(126, 226)
    cutter.leave_out(after, 226, 4800, lambda _: 2)
    lines += cutter.feed(5026, b")\r\n", lambda _: 3)
    cutter.leave_out(left_out(5029, 50), 5029, 50, lambda _: 4)
    lines += cutter.flush()
    assert [line.parts for line in lines[1:]] == [
        (before,),
        (Hidden("hole", 100),),
        (after, Run(5026, b")")),
        (left_out(5029, 50),),
    ]
