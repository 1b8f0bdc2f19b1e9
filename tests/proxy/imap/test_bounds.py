"""Linear time and bounded memory, whatever comes (M 1.4, 2.10): work is counted and memory measured, never time."""

from __future__ import annotations

import sys
import tracemalloc
import zlib
from collections.abc import Callable, Iterable, Iterator

import pytest

from proxy.imap.conversation import Conversation
from proxy.imap.transcript import Direction, Exchange, Layer, Piece
from proxy.imap.units import PARTS_KEPT, Boundary, UnitReader
from tests.proxy.imap.playing import CLIENT, SERVER

MIB = 1024 * 1024


def peak_of(chunks: Iterable[tuple[Direction, bytes]]) -> int:
    """The most memory that is held while the chunks are played and the records go their way."""
    conversation = Conversation(1)
    tracemalloc.start()
    try:
        for at, (direction, chunk) in enumerate(chunks):
            conversation.receive(direction, chunk, at, Layer.PLAIN)
            conversation.take()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def line(prefix: bytes, filler: bytes, size: int, end: bytes = b"\r\n") -> Iterator[bytes]:
    """A line of `size` bytes in chunks of 64 KiB."""
    chunk = filler * (65536 // len(filler))
    yield prefix
    for _ in range(size // len(chunk)):
        yield chunk
    yield end


@pytest.mark.parametrize(
    ("direction", "prefix", "filler"),
    [
        (SERVER, b"* SEARCH ", b"123456 "),
        (SERVER, b'* 1 FETCH (ENVELOPE ("', b"x"),
        (SERVER, b"* ", b"("),
        (SERVER, b"* OK [", b'"\\'),
        (SERVER, b'* ID ("', b'" "'),
        (CLIENT, b"a UID FETCH ", b"1234,"),
        (CLIENT, b"a LOGIN bob ", b"x"),
        (CLIENT, b"", b"x"),
        (CLIENT, b'a LOGIN "', b'\\"'),
    ],
)
def test_a_line_of_64_mib_is_not_kept(direction: Direction, prefix: bytes, filler: bytes) -> None:
    """Not the line: what was released is gone, and what is held is a part of it."""
    size = 64 * MIB if prefix == b"* SEARCH " else 8 * MIB
    assert peak_of((direction, chunk) for chunk in line(prefix, filler, size)) < 4 * MIB


@pytest.mark.parametrize(
    ("direction", "head"), [(SERVER, b"* 1 FETCH (BODY[] {%d}\r\n"), (CLIENT, b"a APPEND x {%d+}\r\n")]
)
def test_a_large_literal_is_not_kept_nor_copied(direction: Direction, head: bytes) -> None:
    chunk = b"y" * 65536
    conversation = Conversation(1)
    conversation.receive(direction, head % (2 * len(chunk)), 0, Layer.PLAIN)
    conversation.take()
    for _ in range(2):
        conversation.receive(direction, chunk, 0, Layer.PLAIN)
        (piece,) = conversation.take()
        assert isinstance(piece, Piece)
        assert piece.data is chunk


def test_a_million_small_units() -> None:
    reader = UnitReader(SERVER)
    chunk = b"* 1 EXISTS\r\n" * 10_000
    count = 0
    for _ in range(100):
        pos = 0
        while pos < len(chunk):
            boundary, pos = reader.read(chunk, pos)
            count += boundary is Boundary.UNIT
            reader.take_unit()
    assert count == 1_000_000
    assert reader.texts == reader.literals == ()


def test_a_unit_of_a_hundred_thousand_literals() -> None:
    """What is kept of it is bounded; where it ends is known all the same."""
    reader = UnitReader(SERVER)
    data = b"* 1 FETCH (" + b"{1}\r\nx " * 100_000 + b")\r\n"
    pos, boundary = 0, Boundary.PARTIAL
    while pos < len(data):
        boundary, pos = reader.read(data, pos)
    assert boundary is Boundary.UNIT
    unit = reader.take_unit()
    assert unit.end == len(data)
    assert len(unit.literals) <= PARTS_KEPT
    assert len(unit.texts) <= PARTS_KEPT + 1


def test_a_command_of_many_literals_is_told_once_a_look() -> None:
    """However often it has changed meanwhile."""
    conversation = Conversation(1)
    conversation.receive(CLIENT, b"a SEARCH" + b" {1+}\r\nx" * 10_000 + b"\r\n", 0, Layer.PLAIN)
    assert sum(isinstance(x, Exchange) for x in conversation.take()) == 1


def test_pipelining_costs_the_same_for_each_command() -> None:
    """Steps counted, for 500 commands in flight and for 4000: mbsync sends its whole job at once."""

    def steps(commands: int) -> int:
        conversation = Conversation(1)
        fetches = b"".join(b"t%d UID FETCH %d BODY[]\r\n" % (n, n) for n in range(commands))
        answers = b"".join(b"* %d FETCH (BODY[] {1}\r\nx)\r\nt%d OK\r\n" % (n, n) for n in range(commands))
        conversation.receive(CLIENT, fetches, 0, Layer.PLAIN)
        counted = counting(lambda: conversation.receive(SERVER, answers, 0, Layer.PLAIN))
        assert sum(isinstance(x, Exchange) and x.ended is not None for x in conversation.take()) == commands
        return counted

    assert steps(2000) < 4.5 * steps(500)


def test_echoes_cost_the_same_for_each_place() -> None:
    """A line full of the password: masks must not be compared each with each."""

    def steps(places: int) -> int:
        conversation = Conversation(1)
        conversation.receive(CLIENT, b"a LOGIN bob pass\r\n", 0, Layer.PLAIN)
        return counting(lambda: conversation.receive(SERVER, b"* OK " + b"pass " * places + b"\r\n", 0, Layer.PLAIN))

    assert steps(4000) < 4.5 * steps(1000)


def counting(act: Callable[[], None]) -> int:
    """How many lines of Python the act takes."""
    count = 0

    def trace(*_: object) -> object:
        nonlocal count
        count += 1
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        act()
    finally:
        sys.settrace(before)
    return count


def test_a_client_that_is_not_answered_is_held_up_to_a_bound() -> None:
    """Behind AUTHENTICATE nothing is read until the server has spoken; not for ever, and what is given up is hidden."""
    conversation = Conversation(1)
    conversation.receive(CLIENT, b"a AUTHENTICATE PLAIN\r\n", 0, Layer.PLAIN)
    kept = b""
    for _ in range(64):
        conversation.receive(CLIENT, b"b LOGIN bob secret\r\n" * 3000, 0, Layer.PLAIN)
        kept += b"".join(x.data for x in conversation.take() if isinstance(x, Piece))
    assert len(kept) > 2 * MIB
    assert b"secret" not in kept


def test_a_deflate_bomb_comes_in_parts() -> None:
    """M 6.12: 64 MiB out of 64 KiB are never there at once."""
    stream = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    bomb = stream.compress(b"* 1 FETCH (BODY[] {%d}\r\n" % (64 * MIB))
    bomb += b"".join(stream.compress(bytes(MIB)) for _ in range(64)) + stream.flush(zlib.Z_SYNC_FLUSH)
    opening = [(SERVER, b"* PREAUTH hi\r\n"), (CLIENT, b"a COMPRESS DEFLATE\r\n"), (SERVER, b"a OK\r\n")]
    cuts = [(SERVER, bomb[i : i + 1024]) for i in range(0, len(bomb), 1024)]
    assert len(bomb) < MIB // 10
    assert peak_of([*opening, *cuts]) < 8 * MIB


HOSTILE = {
    "quotes": b'"' * 50_000,
    "escaped quotes": b'\\"' * 25_000,
    "open quotes, escaped": b'"' + b'\\"' * 25_000,
    "spaces": b" " * 50_000,
    "braces": b"{1" * 25_000,
    "digits": b"{" + b"1" * 50_000,
    "brackets": b"[" * 50_000,
    "urls": b"imap://" * 7_000,
    "tokens": b";urlauth=" * 5_000,
    "vendors": b'/private/vendor/x "' * 2_500,
    "vendors, escaped": b'/private/vendor/x "\\"' * 2_500,
    "push": b"aps-device-token " * 3_000,
    "strings": b'"x" ' * 12_500,
    "flags": b"FLAGS (x) UID 1 " * 3_000,
    "bearer": b"auth=Bearer " * 4_000,
}
PREFIXES = [b"* ID (", b'* METADATA "" (', b"* OK [BADCHARSET (", b"* 1 FETCH (", b"+ ", b"a OK [", b"* ESEARCH (TAG "]
COMMANDS = [b"a ID (", b'a SETMETADATA "" (', b"a LOGIN ", b"a LOGIN bob ", b"a AUTHENTICATE X ", b"", b"a "]


@pytest.mark.timeout(20)
@pytest.mark.parametrize("name", HOSTILE)
def test_no_pattern_goes_over_a_line_again_and_again(name: str) -> None:
    """A tenth of a second for lines of 50 kB; a pattern that starts anew at every byte needs ten for each."""
    for end in (b"\r\n", b" {5}\r\n"):
        for prefix in PREFIXES:
            Conversation(1).receive(SERVER, prefix + HOSTILE[name] + end, 0, Layer.PLAIN)
        for prefix in COMMANDS:
            conversation = Conversation(1)
            conversation.receive(CLIENT, prefix + HOSTILE[name] + end, 0, Layer.PLAIN)
            conversation.tick()
