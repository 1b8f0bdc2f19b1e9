"""Both directions come back byte for byte, however they were cut; rewrites are applied; holes are admitted."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from proxy.imap.transcript import Event, EventKind, Layer, LiteralPart, Piece
from storage import GapError, Store, bodies, open_store
from tests.storage.scenes import WALL, C, S, Wire, opened, record, rewrite, together

if TYPE_CHECKING:
    from pathlib import Path

SMALL = 64
part = st.tuples(st.booleans(), st.binary(max_size=300), st.lists(st.integers(1, 80), max_size=12))


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return open_store(tmp_path_factory.mktemp("streams") / "x.db", create=True)


def pieces_of(wire: Wire, data: bytes, cuts: list[int], literal: bool) -> list[Piece]:
    where = LiteralPart(len(wire.stream), len(data)) if literal and data else None
    pieces: list[Piece] = []
    for cut in cuts:
        if data:
            pieces.append(wire.say(data[:cut], where))
            data = data[cut:]
    return [*pieces, *([wire.say(data, where)] if data else [])]


@given(st.lists(part, max_size=8), st.lists(part, max_size=8))
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_stream_in_any_pieces_comes_back(
    shared: Store, monkeypatch: pytest.MonkeyPatch, server_says: object, client_says: object
) -> None:
    monkeypatch.setattr(bodies, "SEGMENT", SMALL)
    wires = (Wire(direction=C), Wire(direction=S))
    queues = [
        [piece for literal, data, cuts in says for piece in pieces_of(wire, data, cuts, literal)]  # type: ignore[attr-defined]
        for wire, says in zip(wires, (client_says, server_says), strict=True)
    ]
    mixed = [piece for pair in zip(*queues, strict=False) for piece in pair]
    mixed += [piece for queue in queues for piece in queue if piece not in mixed]
    session = record(shared, [opened(), *mixed])
    for wire in wires:
        assert together(shared.stream(session, wire.direction)) == bytes(wire.stream)
        half = len(wire.stream) // 2
        assert together(shared.stream(session, wire.direction, half)) == bytes(wire.stream[half:])
        assert together(shared.stream(session, wire.direction, half // 2, half)) == bytes(wire.stream[half // 2 : half])


def test_both_databases_give_the_stream_back(store: Store) -> None:
    wire = Wire()
    said = [wire.say(b"* 1 FETCH (BODY[] {2500000}\r\n"), *wire.literal(os.urandom(2_500_000)), wire.say(b")\r\n")]
    session = record(store, [opened(), *said, wire.closed()])
    assert together(store.stream(session, S)) == bytes(wire.stream)
    assert together(store.stream(session, S, 2_000_000, 2_000_010)) == bytes(wire.stream[2_000_000:2_000_010])
    assert max(len(block) for block in store.stream(session, S)) <= bodies.SEGMENT


def test_pieces_tell_their_times_and_chunks(store: Store) -> None:
    chunks = ((3, 100), (4, 100 + 2**40), (1, 101 + 2**40))
    typed = Piece(1, C, 0, 100, Layer.TLS | Layer.DEFLATE, b"a NOOP\r\n", chunks)
    session = record(store, [opened(), typed])
    (piece,) = store.pieces(session, C)
    assert (piece.offset, piece.length, piece.at, piece.chunks) == (0, 8, 100, chunks)
    assert piece.layer == Layer.TLS | Layer.DEFLATE
    assert (piece.data, piece.blake3, piece.literal) == (b"a NOOP\r\n", None, None)


def test_a_range_of_pieces_begins_with_the_one_that_holds_its_first_byte(sqlite: Store) -> None:
    wire = Wire()
    session = record(sqlite, [opened(), *[wire.say(b"0123456789") for _ in range(200)]])
    assert [p.offset for p in sqlite.pieces(session, S, 15, 31)] == [10, 20, 30]
    assert len(list(sqlite.pieces(session, S))) == 200
    assert list(sqlite.pieces(session, S, 5000)) == []


def test_rewrites_are_applied_in_their_order(store: Store) -> None:
    wire = Wire()
    said = wire.say(b"* CAPABILITY IMAP4 IDLE COMPRESS=DEFLATE\r\nend\r\n")
    rewrites = [
        rewrite(45, b"\r\n", b"\r\n!"),
        rewrite(23, b" COMPRESS=DEFLATE", b""),
        rewrite(2, b"", b"one "),
        rewrite(2, b"CAPABILITY", b"two"),
        rewrite(47, b"", b"appended"),
        rewrite(0, b"", b"client", C),
    ]
    session = record(store, [opened(), said, *rewrites])
    assert together(store.stream_as_sent(session, S)) == b"* one two IMAP4 IDLE\r\nend\r\n!appended"
    assert together(store.stream_as_sent(session, C)) == b"client"


def test_a_rewrite_inside_a_body(sqlite: Store) -> None:
    wire = Wire()
    body = bytes(range(256)) * 40
    session = record(sqlite, [opened(), *wire.literal(body), rewrite(5000, body[5000:5100], b"***")])
    assert together(sqlite.stream_as_sent(session, S)) == body[:5000] + b"***" + body[5100:]


def test_a_hole_is_not_joined(store: Store) -> None:
    before, after = Piece(1, S, 0, 1, Layer.PLAIN, b"before"), Piece(1, S, 10, 2, Layer.PLAIN, b"after")
    session = record(store, [opened(), before, after])
    found: list[bytes] = []
    with pytest.raises(GapError, match="bytes 6 to 10") as hole:
        found.extend(store.stream(session, S))
    assert together(found) == b"before"
    assert together(store.stream(session, S, hole.value.end or 0)) == b"after"


def test_a_hole_at_the_end_is_a_hole(store: Store) -> None:
    gap = Event(1, 3, EventKind.GAP, "not recorded", "", S, 6, 100)
    session = record(store, [opened(), Piece(1, S, 0, 1, Layer.PLAIN, b"before"), gap])
    assert together(store.stream(session, S, 0, 6)) == b"before"
    with pytest.raises(GapError, match="bytes 6 to 106"):
        together(store.stream(session, S))


def test_the_wall_clock_of_a_session_is_kept(sqlite: Store) -> None:
    session = record(sqlite, [opened()])
    assert (session.wall, session.client, session.upstream) == (WALL, "127.0.0.1:50000", "imaps://mail.example:993")


def test_an_empty_stream_is_empty(sqlite: Store, tmp_path: Path) -> None:
    session = record(sqlite, [opened()])
    assert together(sqlite.stream(session, C)) == b""
    assert together(sqlite.stream_as_sent(session, S)) == b""
