"""Literals become bodies: cut at fixed places, stored once, never held for long, never half."""

from __future__ import annotations

import itertools
import os
import tracemalloc
from typing import TYPE_CHECKING

import pytest
from blake3 import blake3
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from proxy.imap.transcript import Layer, LiteralPart, Piece
from storage import Store, Writer, tables
from storage.bodies import HELD_MAX, SEGMENT, Assembler, Segment
from tests.storage.scenes import S, Wire, eventually, opened, record, together

if TYPE_CHECKING:
    from collections.abc import Iterable


def assemble(pieces: Iterable[Piece]) -> list[Piece | Segment]:
    assembler = Assembler()
    results = [result for piece in pieces for result in assembler.take(piece, 0.0)]
    return [*results, *assembler.end(1)]


def bodies(store: Store) -> int:
    with store.reading() as connection:
        return connection.execute(select(func.count()).select_from(tables.body)).scalar_one()


@pytest.mark.parametrize(
    ("length", "lengths"),
    [
        (1, [1]),
        (SEGMENT - 1, [SEGMENT - 1]),
        (SEGMENT, [SEGMENT]),
        (SEGMENT + 1, [SEGMENT, 1]),
        (3 * SEGMENT, [SEGMENT] * 3),
    ],
)
@pytest.mark.parametrize("chunk", [16384, 99_991, 5 * SEGMENT])
def test_segments_are_cut_at_multiples_from_the_literals_own_start(length: int, lengths: list[int], chunk: int) -> None:
    wire = Wire()
    wire.say(b"x" * 777)
    data = os.urandom(length)
    results = assemble(wire.literal(data, chunk))
    segments = [result for result in results if isinstance(result, Segment)]
    assert segments == results
    assert [segment.length for segment in segments] == lengths
    assert segments[0].start == 777
    assert together(part for segment in segments for part in segment.parts) == data
    assert [s.blake3 for s in segments] == [
        blake3(data[n * SEGMENT : (n + 1) * SEGMENT]).digest() for n in range(len(lengths))
    ]
    assert all(sum(size for size, _ in s.chunks) == s.length for s in segments)


@given(st.lists(st.integers(1, 70_000), min_size=1, max_size=30), st.sets(st.integers(0, 29)))
def test_the_hash_is_of_all_bytes_whatever_they_came_in(sizes: list[int], flushed: set[int]) -> None:
    data = os.urandom(min(sum(sizes), SEGMENT))
    assembler, results = Assembler(), list[Piece | Segment]()
    for number, end in enumerate(itertools.accumulate(sizes)):
        part = memoryview(data)[end - sizes[number] : end]
        if part:
            piece = Piece(1, S, end - sizes[number], 1, Layer.TLS, part, (), LiteralPart(0, len(data)))
            results += assembler.take(piece, 1.0)
        if number in flushed:
            results += assembler.flush(2.0)
    last = results.pop()
    assert isinstance(last, Segment)
    written = together(piece.data for piece in results if isinstance(piece, Piece))
    assert (len(written), written + together(last.parts)) == (last.flushed, data)
    assert last.blake3 == blake3(data).digest()


def test_a_letter_that_came_at_once_is_the_same_the_short_way() -> None:
    data = os.urandom(SEGMENT)
    letter = Piece(1, S, 9, 5, Layer.TLS, data, (), LiteralPart(9, SEGMENT))
    begun = Piece(1, S, 0, 5, Layer.TLS, b"12345", (), LiteralPart(0, 9))
    assembler = Assembler()
    assert [assembler.whole(letter, LiteralPart(9, SEGMENT))] == assemble([letter])
    others = (
        letter._replace(literal=LiteralPart(9, SEGMENT + 1)),
        letter._replace(literal=LiteralPart(8, SEGMENT)),
        letter._replace(chunks=((SEGMENT - 1, 5), (1, 6))),
        letter._replace(data=data * 2, literal=LiteralPart(9, 2 * SEGMENT)),
    )
    assert [assembler.whole(other, other.literal) for other in others if other.literal] == [None] * len(others)
    assert not list(assembler.take(begun, 1.0))
    assert assembler.whole(letter, LiteralPart(9, SEGMENT)) is None
    assert [(session, assembler.awaits(session, S)) for session in (1, 2)] == [(1, True), (2, False)]


def test_a_piece_of_several_chunks_keeps_the_time_of_each() -> None:
    data = os.urandom(SEGMENT + 10)
    chunks = ((SEGMENT - 5, 1), (7, 2), (8, 3))
    first, second = assemble([Piece(1, S, 0, 1, Layer.TLS, data, chunks, LiteralPart(0, len(data)))])
    assert isinstance(first, Segment)
    assert isinstance(second, Segment)
    assert first.chunks == ((SEGMENT - 5, 1), (5, 2))
    assert second.chunks == ((2, 2), (8, 3))
    assert (first.at, second.at) == (1, 2)


def test_what_is_cut_short_stays_a_piece() -> None:
    wire = Wire()
    said = wire.literal(b"a" * 50_000)[:2]
    (rest,) = assemble(said)
    assert isinstance(rest, Piece)
    assert rest.data == b"a" * 32768
    assert rest.chunks == ((16384, 10), (16384, 20))
    assert rest.literal == LiteralPart(0, 50_000)


def test_after_lost_bytes_no_body_is_made() -> None:
    wire = Wire()
    said = wire.literal(os.urandom(SEGMENT + 40_000))
    del said[3]
    results = assemble(said)
    assert [type(result) for result in results[-1:]] == [Segment]
    pieces = [result for result in results if isinstance(result, Piece)]
    assert together(piece.data for piece in pieces) == together(p.data for p in said)[: SEGMENT - 16384]
    assert pieces[1].offset == 4 * 16384


def test_a_piece_that_lies_about_its_literal_is_kept_as_it_is() -> None:
    lying = Piece(1, S, 10, 1, Layer.TLS, b"12345", (), LiteralPart(0, 12))
    assert assemble([lying]) == [lying]


def test_much_that_is_held_is_flushed_at_once() -> None:
    assembler = Assembler()
    for session in range(1, HELD_MAX // 900_000 + 3):
        assert not list(
            assembler.take(Piece(session, S, 0, 1, Layer.TLS, bytes(900_000), (), LiteralPart(0, SEGMENT)), 5.0)
        )
    assert not [piece for piece in assembler.flush(4.0) if len(piece.data) != 900_000]
    assert assembler.held == 0


def test_equal_literals_are_stored_once(store: Store) -> None:
    data = os.urandom(SEGMENT + 5000)
    one, two, three = Wire(1), Wire(2), Wire(1)
    said = [*one.literal(data), one.say(b")\r\n"), *one.literal(data, 1000), *two.literal(data, 77_777)]
    record(store, [opened(1), opened(2), *said])
    other = record(store, [opened(1), three.say(b"unlike"), *three.literal(data)])
    assert bodies(store) == 2
    assert together(store.stream(other, S)) == b"unlike" + data
    shas = {piece.blake3 for piece in store.pieces(other, S)}
    assert shas == {None, *(blake3(part).hexdigest() for part in (data[:SEGMENT], data[SEGMENT:]))}
    assert store.body(blake3(data[SEGMENT:]).hexdigest()) == data[SEGMENT:]


def test_a_slow_literal_is_on_disk_before_it_is_whole_and_a_body_afterwards(store: Store) -> None:
    wire = Wire()
    data = os.urandom(200_000)
    writer = Writer(store)
    writer.put(opened())
    session_id = store.recording("last")
    for piece in wire.literal(data, 40_000):
        writer.put(piece)
        end = len(piece.data) + piece.offset
        if end < len(data):
            eventually(
                lambda end=end: end == sum(p.length for s in store.sessions(session_id) for p in store.pieces(s, S))
            )
    writer.close()
    session = next(store.sessions(session_id))
    (whole,) = store.pieces(session, S)
    assert whole.blake3 == blake3(data).hexdigest()
    assert [size for size, _ in whole.chunks] == [40_000] * 5
    assert [at for _, at in whole.chunks] == [10, 20, 30, 40, 50]
    assert together(store.stream(session, S)) == data


def test_a_slow_literal_that_is_known_already_leaves_no_second_copy(store: Store) -> None:
    data = os.urandom(60_000)
    record(store, [opened(), *Wire().literal(data)])
    wire, writer = Wire(), Writer(store, "slow")
    writer.put(opened())
    first, *rest = wire.literal(data, 30_000)
    writer.put(first)
    recording = store.recording("slow")
    eventually(lambda: [p for s in store.sessions(recording) for p in store.pieces(s, S)])
    for piece in rest:
        writer.put(piece)
    writer.close()
    session = next(store.sessions(recording))
    assert [piece.blake3 for piece in store.pieces(session, S)] == [blake3(data).hexdigest()]
    assert bodies(store) == 1


def test_a_long_literal_needs_little_memory(sqlite: Store) -> None:
    block = bytes(65536)
    length = 96 * SEGMENT
    writer = Writer(sqlite, queue_bytes=4 * SEGMENT)
    writer.put(opened())
    tracemalloc.start()
    for offset in range(0, length, len(block)):
        writer.put(Piece(1, S, offset, offset, Layer.TLS, block, (), LiteralPart(0, length)))
        eventually(lambda: not writer.full)
    writer.close()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 48 * SEGMENT
    session = next(sqlite.sessions(sqlite.recording("last")))
    assert sum(len(part) for part in sqlite.stream(session, S)) == length
    assert bodies(sqlite) == 1
