"""What is held, masked and released (M 1.8, 7.8)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.imap.ledger import Ledger
from proxy.imap.transcript import Event, Layer, LiteralPart, Piece, Record
from tests.proxy.imap.playing import CLIENT


class Book:
    """A ledger and what it has put on record."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.ledger = Ledger(1, CLIENT, self.records.append)

    def hold(self, *chunks: bytes, layer: Layer = Layer.PLAIN) -> None:
        for chunk in chunks:
            self.ledger.hold(chunk, 10 * (self.ledger.received + 1), layer)

    def release(self, upto: int, literal: LiteralPart | None = None) -> None:
        self.ledger.release(upto, literal)
        self.ledger.record()

    @property
    def pieces(self) -> list[Piece]:
        return [x for x in self.records if isinstance(x, Piece)]

    @property
    def masks(self) -> list[tuple[int | None, int | None]]:
        return [(x.offset, x.length) for x in self.records if isinstance(x, Event)]


@pytest.fixture
def book() -> Book:
    return Book()


def test_a_piece_knows_the_chunks_that_it_is_made_of(book: Book) -> None:
    book.hold(b"abc", b"de", b"fgh")
    book.release(4)
    book.release(8)
    one, two = book.pieces
    assert (one.offset, one.at, one.data, one.chunks) == (0, 10, b"abcd", ((3, 10), (1, 40)))
    assert (two.offset, two.at, two.data, two.chunks) == (4, 40, b"efgh", ((1, 40), (3, 60)))


def test_what_is_released_bit_by_bit_is_recorded_as_one_piece(book: Book) -> None:
    book.hold(b"abc", b"de", b"fgh")
    for upto in (1, 4, 6):
        book.ledger.release(upto)
    book.ledger.record()
    assert [(x.data, x.chunks) for x in book.pieces] == [(b"abcdef", ((3, 10), (2, 40), (1, 60)))]


def test_a_literal_is_recorded_at_once_and_behind_what_came_before(book: Book) -> None:
    """Its chunks may be large: they are never put together, nor with others."""
    book.hold(b"ab", b"cd", b"ef", b"gh")
    book.ledger.release(2)
    book.ledger.release(4, LiteralPart(2, 4))
    book.ledger.release(6, LiteralPart(2, 4))
    assert [(x.data, x.literal is not None) for x in book.pieces] == [(b"ab", False), (b"cd", True), (b"ef", True)]


def test_one_chunk_needs_no_list_of_chunks(book: Book) -> None:
    book.hold(b"abc")
    book.release(3)
    assert book.pieces[0].chunks == ()


def test_a_piece_is_of_one_layer(book: Book) -> None:
    book.hold(b"ab")
    book.hold(b"cd", layer=Layer.TLS)
    book.release(4)
    assert [(x.data, x.layer) for x in book.pieces] == [(b"ab", Layer.PLAIN), (b"cd", Layer.TLS)]


def test_nothing_beyond_what_is_held_is_released(book: Book) -> None:
    book.hold(b"abc")
    book.release(10, LiteralPart(0, 10))
    book.release(10)
    assert [(x.data, x.literal) for x in book.pieces] == [(b"abc", LiteralPart(0, 10))]
    assert book.ledger.held == 0


@pytest.mark.parametrize(
    ("masks", "events", "stream"),
    [
        ([(1, 3)], [(1, 2)], b"axxdefgh"),
        ([(1, 3), (1, 3), (1, 2)], [(1, 2)], b"axxdefgh"),
        ([(1, 3), (2, 5)], [(1, 2), (2, 3)], b"axxxxfgh"),
        ([(2, 5), (1, 3)], [(2, 3), (1, 2)], b"axxxxfgh"),
        ([(4, 5), (1, 2), (0, 8)], [(4, 1), (1, 1), (0, 8)], b"xxxxxxxx"),
        ([(1, 2), (5, 6), (3, 4), (3, 6)], [(1, 1), (5, 1), (3, 1), (3, 3)], b"axcxxxgh"),
        ([(3, 3)], [], b"abcdefgh"),
        ([(6, 20)], [(6, 14)], b"abcdefxx"),
    ],
)
def test_masks(book: Book, masks: list[tuple[int, int]], events: list[tuple[int, int]], stream: bytes) -> None:
    book.hold(b"abcd", b"efgh")
    for start, end in masks:
        book.ledger.mask(start, end, "echo", 0)
    for upto in (1, 3, 5, 8):
        book.release(upto)
    assert book.masks == events
    assert b"".join(x.data for x in book.pieces) == stream


def test_what_has_been_released_cannot_be_masked(book: Book) -> None:
    book.hold(b"abcd")
    book.release(2)
    book.ledger.mask(0, 3, "echo", 0)
    book.release(4)
    assert book.masks == [(2, 1)]
    assert b"".join(x.data for x in book.pieces) == b"abxd"


def test_a_mask_may_be_for_good(book: Book) -> None:
    book.hold(b"abcd")
    book.ledger.mask(0, 2, "echo", 0)
    book.ledger.mask_rest(1, "unread", 0)
    book.hold(b"ef")
    book.ledger.mask(5, 6, "echo", 0)
    book.release(6)
    book.hold(b"gh")
    book.release(8)
    assert book.masks == [(0, 2), (1, None)]
    assert b"".join(x.data for x in book.pieces) == b"xxxxxxxx"


@given(
    st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=12), st.lists(st.integers(0, 30), max_size=5)
)
def test_masks_in_any_order_hide_their_bytes_and_no_others(masks: list[tuple[int, int]], stops: list[int]) -> None:
    book = Book()
    data = bytes(range(100, 130))
    book.hold(data[:7], data[7:20], data[20:])
    for start, end in masks:
        book.ledger.mask(start, end, "echo", 0)
    for stop in [*sorted(stops), 30]:
        book.release(stop)
    hidden = {i for a, b in masks for i in range(a, b)}
    assert b"".join(x.data for x in book.pieces) == bytes(ord("x") if i in hidden else data[i] for i in range(30))


def test_times_are_found_by_offset(book: Book) -> None:
    book.hold(b"abc", b"d", b"ef")
    assert [book.ledger.time_of(offset) for offset in range(8)] == [10, 10, 10, 40, 50, 50, 50, 50]
    book.release(6)
    assert book.ledger.time_of(0) == 50, "the newest, where nothing is held"


def ends(book: Book) -> list[int]:
    """When each line of what is on record came to its end, by the chunks that it came in."""
    times: list[int] = []
    for piece in book.pieces:
        chunks, start = piece.chunks or ((len(piece.data), piece.at),), 0
        for length, at in chunks:
            times += [at] * bytes(piece.data[start : start + length]).count(b"\n")
            start += length
    return times


@pytest.mark.parametrize("released", [True, False], ids=["released", "held"])
def test_every_line_has_the_time_of_its_own_end_however_many_chunks_there_are(book: Book, released: bool) -> None:
    """What is released goes on record before anything is joined; what is held is joined within lines."""
    lines = [b"a%d NOOP\r\n" % number for number in range(5000)] if released else [b"x" * 90 + b"\n"] * 50
    for line in lines:
        book.hold(*([line] if released else [line[i : i + 1] for i in range(len(line))]))
        if released:
            book.ledger.release(book.ledger.received)
    book.release(book.ledger.received)
    assert b"".join(bytes(piece.data) for piece in book.pieces) == b"".join(lines)
    last = book.ledger.received - len(lines[-1]) + 1 if released else book.ledger.received
    assert ends(book)[-1] == 10 * last
    assert len(set(ends(book))) == len(lines)


def test_of_very_many_lines_that_are_held_only_the_places_are_kept(book: Book) -> None:
    """Somebody sends line ends one by one, behind a command that is not answered: times are not worth the room."""
    book.hold(*[b"\n"] * 20_000)
    assert len(book.ledger._chunks) < 2048
    book.release(20_000)
    assert sum(len(piece.data) for piece in book.pieces) == 20_000


def test_held_bytes_can_be_taken_back(book: Book) -> None:
    """M 6.12: they turned out to be compressed."""
    book.hold(b"abc", b"def")
    book.release(2)
    assert book.ledger.take_back(4) == b"ef"
    assert (book.ledger.received, book.ledger.unmasked(0, 9)) == (4, b"abcd"[0:4])
    book.hold(b"XY")
    book.release(6)
    assert b"".join(x.data for x in book.pieces) == b"abcdXY"


@pytest.mark.parametrize("released", [0, 1, 2, 3])
def test_taking_back_leaves_no_empty_piece(released: int) -> None:
    book = Book()
    book.hold(b"abcdef")
    book.release(released)
    book.ledger.take_back(3)
    book.hold(b"gh")
    book.release(5)
    assert all(x.data for x in book.pieces)
    assert b"".join(x.data for x in book.pieces) == b"abcgh"
