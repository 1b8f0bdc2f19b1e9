"""Literals on their way to becoming bodies: chunks come in, whole segments come out.

A literal of BODY_MIN bytes or more is cut at multiples of SEGMENT from its own first byte, so that equal literals give
equal segments whatever their chunks were, a literal of any size needs little memory, and no blob is larger than SQLite
can hold. While a segment arrives, its chunks are held. A slow one is not held for long: `flush` turns what
is there into ordinary rows, and when the segment is complete, those rows are replaced by one that points to a body.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from blake3 import blake3

from proxy.imap.transcript import Direction, Layer, LiteralPart, Piece
from storage.chunks import cut_chunks

if TYPE_CHECKING:
    from collections.abc import Iterator

SEGMENT: Final = 1024 * 1024
"""The longest stretch of a literal that becomes one body."""

HELD_MAX: Final = 16 * 1024 * 1024
"""When this many bytes of unfinished segments are held in all, they are flushed, however young."""


_STRIDE: Final = 16 * 1024  # as many of BLAKE3's own chunks as a processor hashes at once


class Segment(NamedTuple):
    """A whole segment of `length` bytes. `parts` are its last ones; the first `flushed` have been written as rows."""

    session: int
    direction: Direction
    start: int
    length: int
    at: int
    layer: Layer
    literal: LiteralPart
    chunks: tuple[tuple[int, int], ...]
    blake3: bytes
    flushed: int
    parts: tuple[bytes | memoryview, ...]

    def rest(self) -> Piece:
        """What has not been written before, as a piece."""
        where = (self.session, self.direction, self.start + self.flushed, self.at, self.layer)
        return Piece(*where, b"".join(self.parts), literal=self.literal)


@dataclass(slots=True)
class _Unfinished:
    session: int
    direction: Direction
    layer: Layer
    literal: LiteralPart
    start: int
    end: int
    next: int
    since: float
    marks: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])
    parts: list[bytes | memoryview] = field(default_factory=list[bytes | memoryview])
    held: int = 0
    unflushed_marks: int = 0
    digest: blake3 | None = None
    """Of what has been flushed."""

    def add(self, data: bytes | memoryview, at: int, now: float) -> None:
        if not self.parts:
            self.since = now
        self.parts.append(data)
        self.marks.append((len(data), at))
        self.next += len(data)
        self.held += len(data)

    def flush(self) -> Piece:
        """What is held, as a piece of its own; from now on it counts as written."""
        chunks = tuple(self.marks[self.unflushed_marks :])
        offset = self.next - self.held
        data = b"".join(self.parts)
        self.digest = self.digest or blake3()
        self.digest.update(data)
        self.unflushed_marks = len(self.marks)
        self.parts.clear()
        self.held = 0
        return Piece(self.session, self.direction, offset, chunks[0][1], self.layer, data, chunks, self.literal)

    def finish(self) -> Segment:
        flushed = self.next - self.start - self.held
        digest = self.digest or blake3()
        _hash(digest, self.parts)
        marks, parts = tuple(self.marks), tuple(self.parts)
        place = (self.session, self.direction, self.start, self.next - self.start)
        return Segment(*place, marks[0][1], self.layer, self.literal, marks, digest.digest(), flushed, parts)


class Assembler:
    """All unfinished segments: at most one for each direction of each session. Not for two threads at once."""

    def __init__(self) -> None:
        self._unfinished: dict[tuple[int, Direction], _Unfinished] = {}
        self.held = 0

    def awaits(self, session: int, direction: Direction) -> bool:
        """Whether a segment is unfinished in this direction of this session."""
        return bool(self._unfinished) and (session, direction) in self._unfinished

    def whole(self, piece: Piece, literal: LiteralPart) -> Segment | None:
        """The segment that `piece` is, where it is all of a short literal and came at once, as most letters do."""
        length = len(piece.data)
        if literal.length != length or literal.start != piece.offset or length > SEGMENT or len(piece.chunks) > 1:
            return None
        session, direction, offset, at, layer, data, _, _ = piece
        if self.awaits(session, direction):
            return None
        digest = blake3(data).digest()
        return Segment(session, direction, offset, length, at, layer, literal, ((length, at),), digest, 0, (data,))

    def take(self, piece: Piece, now: float) -> Iterator[Piece | Segment]:
        """What to write because `piece` has arrived at `now` (any clock, in seconds): itself, segments, or nothing."""
        key = (piece.session, piece.direction)
        going = self._unfinished.get(key)
        if going is not None and (going.next != piece.offset or going.literal != piece.literal):
            yield from self._give_up(key)
        if piece.literal is None or not _inside(piece, piece.literal):
            yield piece
            return
        for part in _one_by_one(piece):
            yield from self._feed(key, part, piece.literal, now)

    def flush(self, before: float) -> Iterator[Piece]:
        """What has been held since `before` or longer, as pieces; all that is held where that is too much."""
        everything = self.held > HELD_MAX
        for going in self._unfinished.values():
            if going.parts and (everything or going.since <= before):
                self.held -= going.held
                yield going.flush()

    def end(self, session: int) -> Iterator[Piece]:
        """The rest of a session's unfinished segments, which will never be bodies."""
        for direction in Direction:
            yield from self._give_up((session, direction))

    def end_all(self) -> Iterator[Piece]:
        """The rest of all unfinished segments."""
        for key in list(self._unfinished):
            yield from self._give_up(key)

    def _give_up(self, key: tuple[int, Direction]) -> Iterator[Piece]:
        going = self._unfinished.pop(key, None)
        if going is not None and going.parts:
            self.held -= going.held
            yield going.flush()

    def _feed(
        self, key: tuple[int, Direction], part: Piece, literal: LiteralPart, now: float
    ) -> Iterator[Piece | Segment]:
        """Hand on one chunk, cut where segments begin."""
        offset, data = part.offset, part.data
        stop = offset + len(data)
        while offset < stop:
            begin = offset - (offset - literal.start) % SEGMENT
            end = min(begin + SEGMENT, literal.start + literal.length)
            here = data if offset == part.offset and stop <= end else data[offset - part.offset : end - part.offset]
            going = self._unfinished.get(key)
            if going is None and offset == begin:
                where = (part.session, part.direction, part.layer, literal)
                going = self._unfinished[key] = _Unfinished(*where, begin, end, begin, now)
            if going is None:  # its beginning was lost: no body can be made of it
                yield part._replace(offset=offset, data=here)
            else:
                self.held += len(here)
                going.add(here, part.at, now)
                if going.next == going.end:
                    self.held -= going.held
                    del self._unfinished[key]
                    yield going.finish()
            offset += len(here)


def _hash(digest: blake3, parts: list[bytes | memoryview]) -> None:
    """Add these bytes, _STRIDE by _STRIDE: BLAKE3 is up to twice as slow with parts of any other lengths."""
    rest = b""
    for part in parts:
        view = memoryview(part)
        begin = 0
        if rest:
            begin = _STRIDE - len(rest)
            rest += view[:begin]
            if len(rest) < _STRIDE:
                continue
            digest.update(rest)
        end = begin + (len(view) - begin) // _STRIDE * _STRIDE
        digest.update(view[begin:end])
        rest = bytes(view[end:])
    digest.update(rest)


def _inside(piece: Piece, literal: LiteralPart) -> bool:
    return literal.start <= piece.offset and piece.offset + len(piece.data) <= literal.start + literal.length


def _one_by_one(piece: Piece) -> Iterator[Piece]:
    """The chunks of a piece as pieces of their own."""
    if len(piece.chunks) < 2:
        yield piece
        return
    position = 0
    for length, at in cut_chunks(piece.chunks, 0, len(piece.data)):
        data = piece.data[position : position + length]
        yield piece._replace(offset=piece.offset + position, at=at, data=data, chunks=())
        position += length
