"""Extents: bodies side by side, in as few rows as can be, each found again where it was put."""

from __future__ import annotations

import itertools
import os
import random
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from storage import Check, Store, Writer, tables
from storage.batch import Sorter
from storage.extents import EXTENT, SHORT, Packing
from storage.ledger import Ledger
from storage.recording import begin_recording
from storage.sharing import alone
from storage.trouble import passing
from tests.storage.scenes import S, Wire, eventually, opened, together

if TYPE_CHECKING:
    from collections.abc import Sequence


def lengths(store: Store) -> list[int]:
    """Of all extents, in order."""
    with store.reading() as connection:
        found = connection.execute(select(tables.extent.c.data).order_by(tables.extent.c.id)).scalars()
        return [len(data) for data in found]


def told(store: Store, letters: Sequence[bytes]) -> bytes:
    """A recording of these letters, each in a transaction of its own. Returns its stream."""
    wire = Wire()
    writer = Writer(store, "letters")
    writer.put(opened())
    for number, letter in enumerate(letters, 1):
        for piece in wire.literal(letter):
            writer.put(piece)
        eventually(lambda number=number: stored(store, writer) == number)
    writer.close()
    return bytes(wire.stream)


def stored(store: Store, writer: Writer) -> int:
    """How many bodies the recording has so far."""
    return sum(1 for s in store.sessions(writer.recording) for piece in store.pieces(s, S) if piece.blake3)


@given(st.lists(st.integers(1, EXTENT)), st.integers(0, SHORT - 1))
def test_every_body_is_where_it_was_put(sizes: list[int], before: int) -> None:
    dice = random.Random(len(sizes))  # noqa: S311 - no secret
    packing = Packing(before)
    bodies = [dice.randbytes(min(size, 40)) + bytes(max(0, size - 40)) for size in sizes]
    places = [packing.add([memoryview(body)[:7], body[7:]], len(body)) for body in bodies]
    extents = packing.packed()
    whole = [bytes(each.before) + b"".join(each.parts) for each in extents]
    assert all(each.length == len(data) <= EXTENT for each, data in zip(extents, whole, strict=True))
    for body, (number, offset) in zip(bodies, places, strict=True):
        assert whole[number][offset : offset + len(body)] == body
    assert [each.before for each in extents[1:]] == [0] * len(extents[1:])
    assert sum(each.length - each.before for each in extents) == sum(sizes)
    for one, two in itertools.pairwise(whole):
        assert len(one) + len(two) > EXTENT, "two extents could have been one"


def test_nothing_is_packed_for_nothing() -> None:
    assert Packing().packed() == []
    assert Packing(99).packed() == []


def test_letters_that_come_one_by_one_share_an_extent(sqlite: Store) -> None:
    letters = [b"\0 begins with NUL" + os.urandom(30_000 + n) for n in range(9)]
    said = told(sqlite, letters)
    session = sqlite.session(sqlite.recording("letters"), 1)
    assert together(sqlite.stream(session, S)) == said
    assert lengths(sqlite) == [sum(map(len, letters))]
    assert list(Check(sqlite).findings()) == []


def test_a_long_extent_is_not_written_again(sqlite: Store) -> None:
    letters = [os.urandom(SHORT - 5), os.urandom(10), *(os.urandom(5000) for _ in range(2))]
    letters[1] += os.urandom(4990)
    told(sqlite, letters)
    assert lengths(sqlite) == [SHORT - 5 + 5000, 10_000]


def test_an_extent_that_somebody_else_has_changed_is_left_alone(sqlite: Store) -> None:
    wire = Wire()
    writer = Writer(sqlite, "letters")
    writer.put(opened())
    for number in (1, 2):
        for piece in wire.literal(os.urandom(5000)):
            writer.put(piece)
        eventually(lambda number=number: stored(sqlite, writer) == number)
        with sqlite.writing() as connection:
            connection.exec_driver_sql("UPDATE extent SET data = CAST(data || zeroblob(1) AS BLOB) WHERE id = 1")
    writer.close()
    assert lengths(sqlite)[1:] == [5000]


def test_each_body_can_be_read_by_itself(store: Store) -> None:
    letters = [os.urandom(4096 + n) for n in range(20)]
    wire = Wire()
    writer = Writer(store, "letters")
    writer.put(opened(), *(piece for letter in letters for piece in wire.literal(letter)))
    writer.close()
    (session,) = store.sessions(writer.recording)
    bodies = [store.body(piece.blake3) for piece in store.pieces(session, S) if piece.blake3]
    assert bodies == letters
    with store.reading() as connection:
        shown = connection.exec_driver_sql("SELECT data FROM bodies ORDER BY length").scalars()
        assert [bytes(data) for data in shown] == letters


def test_a_letter_that_finds_no_room_is_written_once_there_is_some(sqlite: Store) -> None:
    """What SQLite says while an extent is filled reaches the writer as all other trouble does."""
    recording, wire = begin_recording(sqlite, "letters", version="", settings=""), Wire()
    ledger, sorter = Ledger(sqlite.engine, recording.id, alone().turn), Sorter(itertools.count(1))
    batch = sorter.sort([opened(), *wire.literal(os.urandom(EXTENT))], 0.0, flush_before=0.0)
    limit_pages(sqlite, 1)  # or as many as there are
    with pytest.raises(OperationalError, match="disk is full") as raised:
        ledger.write(batch)
    assert passing(raised.value)
    assert lengths(sqlite) == []
    limit_pages(sqlite, 1_000_000)
    ledger.write(batch)
    assert lengths(sqlite) == [EXTENT]
    assert together(sqlite.stream(sqlite.session(recording, 1), S)) == wire.stream


def limit_pages(store: Store, number: int) -> None:
    """How many the file may have, for the one connection that is in use here."""
    with store.unmanaged() as connection:
        connection.exec_driver_sql(f"PRAGMA max_page_count = {number}").all()
