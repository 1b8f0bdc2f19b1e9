"""What holds of the records of any session, whatever was said in it."""

from __future__ import annotations

from collections import Counter

from proxy.imap.transcript import Direction, EventKind, Outcome, Piece
from tests.proxy.imap.playing import Heard


def check(heard: Heard, streams: dict[Direction, bytes]) -> None:
    """All of it. `streams` is what either side sent (inflated, where COMPRESS is decoded)."""
    for direction, stream in streams.items():
        _pieces_follow_each_other(heard.pieces(direction))
        _stream_comes_back(heard, direction, stream)
        _spans_lie_in_order(heard, direction, len(stream))
        _literals_hold_their_pieces(heard.pieces(direction))
    _exchanges_are_numbered_and_ended(heard)
    _bytes_are_counted_once(heard)
    assert not [x for x in heard.events if (x.kind, x.name) == (EventKind.FAULT, "parser")]
    assert (heard.closed.client_bytes, heard.closed.server_bytes) == tuple(len(streams[d]) for d in Direction)


def _pieces_follow_each_other(pieces: list[Piece]) -> None:
    offset = 0
    for piece in pieces:
        assert piece.offset == offset
        assert piece.data
        assert not piece.chunks or sum(length for length, _ in piece.chunks) == len(piece.data)
        offset += len(piece.data)


def _stream_comes_back(heard: Heard, direction: Direction, stream: bytes) -> None:
    """Byte for byte outside the secret spans, and hidden inside them (M 7.8)."""
    masked = bytearray(stream)
    for event in heard.secrets:
        if event.direction is direction:
            assert event.offset is not None
            # A mask may be longer than the stream: "all that comes", or a secret literal that was cut.
            end = len(stream) if event.length is None else min(len(stream), event.offset + event.length)
            assert event.offset < end or event.length is None
            masked[event.offset : end] = b"x" * (end - event.offset)
    assert heard.stream(direction) == masked


def _spans_lie_in_order(heard: Heard, direction: Direction, length: int) -> None:
    end = 0
    for span in heard.spans(direction):
        assert end <= span.start < span.end <= length
        assert span.units >= 1
        assert span.first_at <= span.last_at
        end = span.end


def _literals_hold_their_pieces(pieces: list[Piece]) -> None:
    for piece in pieces:
        if piece.literal:
            start, end = piece.literal.start, piece.literal.start + piece.literal.length
            assert start <= piece.offset
            assert piece.offset + len(piece.data) <= end


def _exchanges_are_numbered_and_ended(heard: Heard) -> None:
    assert [x.number for x in heard.exchanges] == list(range(1, len(heard.exchanges) + 1))
    for exchange in heard.exchanges:
        assert exchange.outcome is not Outcome.OPEN
        assert exchange.ended is not None
        assert exchange.started <= exchange.ended
        assert (exchange.status is not None) == (exchange.outcome in {Outcome.COMPLETED, Outcome.RULE})


def _bytes_are_counted_once(heard: Heard) -> None:
    """What the spans of an exchange cover is what the exchange says it is made of."""
    covered: Counter[tuple[int | None, Direction]] = Counter()
    for direction in Direction:
        for span in heard.spans(direction):
            covered[span.exchange, direction] += span.end - span.start
    for x in heard.exchanges:
        told = (x.client_bytes, x.server_bytes)
        assert told == (covered[x.number, Direction.CLIENT], covered[x.number, Direction.SERVER])
