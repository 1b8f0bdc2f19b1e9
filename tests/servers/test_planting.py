"""Plants grow where they should, and nowhere else, however the stream is cut."""

from __future__ import annotations

import pytest

from proxy.imap.transcript import Direction
from tests.servers.garden import turns
from tests.servers.planting import Bed, Plant, Row, ahead, body, drop, sub, swap
from tests.servers.plants import PLANTS

S = Direction.SERVER
SENT = b"".join(data for direction, data in turns() if direction is S)


def grown(plant: Plant, size: int = 0) -> tuple[bytes, int]:
    """What the client hears of the garden's server, cut into chunks of a size or whole lines; and how often it grew."""
    bed = Bed(plant)
    row = Row(bed)
    passed = b""
    for direction, data in turns():
        for start in range(0, len(data), size or len(data)):
            chunk = data[start : start + (size or len(data))]
            if direction is S:
                passed += row.server(chunk)
            else:
                row.client(chunk)
    return passed + row.rest(), bed.grown


def changed(heard: bytes) -> tuple[list[bytes], list[bytes]]:
    """The lines that are not there any more, and those that are there instead, in between the equal ends."""
    before, after = SENT.split(b"\r\n"), heard.split(b"\r\n")
    while before and after and before[0] == after[0]:
        del before[0], after[0]
    while before and after and before[-1] == after[-1]:
        del before[-1], after[-1]
    return before, after


@pytest.mark.parametrize("plant", [plant for plant in PLANTS if not plant.every], ids=lambda plant: plant.name)
def test_a_plant_grows_once_within_a_few_lines(plant: Plant) -> None:
    heard, count = grown(plant)
    before, after = changed(heard)
    assert count == 1
    assert heard != SENT
    assert max(len(before), len(after)) <= 15, "a body of so many lines is the largest unit"
    assert grown(plant, 1) == (heard, 1)
    assert grown(plant, 7) == (heard, 1)


@pytest.mark.parametrize("plant", [plant for plant in PLANTS if plant.every], ids=lambda plant: plant.name)
def test_some_grow_everywhere(plant: Plant) -> None:
    heard, count = grown(plant)
    assert count == (1 if "namespace" in plant.name else 3), "the greeting, CAPABILITY, and what LOGIN tells"
    assert heard.count(b"XPLANT") == (3 if plant.name == "capability more" else 0)
    assert grown(plant, 5) == (heard, count)


def test_nothing_changes_without_a_plant_that_fits() -> None:
    assert grown(Plant("none", "", "", "ABSENT", drop(".*"))) == (SENT, 0)
    assert grown(Plant("none", "", "", "", sub("never said", ""))) == (SENT, 0)


ROWS = [
    (
        "a word for another",
        sub("Line 3", "Lime 3"),
        [b"Line 3 of letter 3: nothing to see here."],
        [b"Lime 3 of letter 3: nothing to see here."],
    ),
    ("a line less", drop(r"\* LSUB"), [b'* LSUB (\\Drafts) "/" Drafts'], []),
    ("a line more", ahead(r"\* LSUB", "* LSUB"), [], [b"* LSUB"]),
    (
        "two lines in another order",
        swap(r"\* SEARCH|\* ESEARCH"),
        [b"* SEARCH 1 2 3 4 5 6 7 8", b"a18 OK Search completed (0.001 + 0.000 secs)."],
        None,
    ),
    (
        "two lines that follow each other",
        swap(r"\* [12] FETCH \(MODSEQ"),
        [
            b"* 1 FETCH (MODSEQ (4) FLAGS (\\Flagged \\Recent $Work))",
            b"* 2 FETCH (MODSEQ (4) FLAGS (\\Flagged \\Recent $Work))",
        ],
        [
            b"* 2 FETCH (MODSEQ (4) FLAGS (\\Flagged \\Recent $Work))",
            b"* 1 FETCH (MODSEQ (4) FLAGS (\\Flagged \\Recent $Work))",
        ],
    ),
    (
        "a literal tells its new size",
        body(r"FROM\)\] ", lambda data: data.partition(b"\r\n")[2]),
        [b"* 4 FETCH (UID 4 BODY[HEADER.FIELDS (SUBJECT FROM)] {58}", b"From: Ada Example <ada@example.org>"],
        [b"* 4 FETCH (UID 4 BODY[HEADER.FIELDS (SUBJECT FROM)] {21}"],
    ),
]


@pytest.mark.parametrize(("name", "make", "before", "after"), ROWS, ids=[row[0] for row in ROWS])
def test_changes(name: str, make: object, before: list[bytes], after: list[bytes] | None) -> None:
    heard, count = grown(Plant(name, "", "", "", make))  # type: ignore[arg-type]
    assert (changed(heard), count) == (((before, after), 1) if after is not None else (([], []), 0))
