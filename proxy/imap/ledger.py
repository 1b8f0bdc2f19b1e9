"""What was received and is not yet released to the store: one ledger per direction.

Bytes are held until it is known which of them are secret (a password may come one byte at a time), then released as
pieces with the secret spans masked by the same number of `x` (M 7.8: the line still parses).
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterable
from operator import itemgetter
from typing import TypeAlias

from proxy.imap.transcript import Direction, Event, EventKind, Layer, LiteralPart, Piece, Record

MASK = b"x"
_START = itemgetter(0)
_ENDLESS = 2**63
_TOGETHER = 64 * 1024
"""So many bytes of released text are put together, and not many more."""
_CHUNKS_HELD = 1024
_GATHERED = 4096
_Chunk: TypeAlias = tuple[int, bytes, int, Layer]
"""Where it begins, its bytes, when they came and under which layer."""


class Ledger:
    """Holds the bytes of one direction from the socket to the record."""

    def __init__(self, session: int, direction: Direction, put: Callable[[Record], None]) -> None:
        self.session = session
        self.direction = direction
        self.received = 0
        """Offset after the last byte held."""
        self.released = 0
        """Offset after the last byte that may go on record; what is before it cannot be masked any more."""
        self.newest_at = 0
        """When the newest byte was received."""
        self._put = put
        self._recorded = 0
        """Offset after the last byte put on record: released text is put together, not in the bits it came in."""
        self._chunks: deque[_Chunk] = deque()
        self._masks: list[tuple[int, int]] = []
        """Sorted by start, none within another, none of it released yet."""

    @property
    def held(self) -> int:
        """Bytes received and not released."""
        return self.received - self.released

    @property
    def layer(self) -> Layer:
        """The layer of the newest byte held."""
        return self._chunks[-1][3] if self._chunks else Layer.PLAIN

    def hold(self, data: bytes, at: int, layer: Layer) -> None:
        """Take the stream's next bytes."""
        if len(self._chunks) >= _CHUNKS_HELD:
            self.record()
        if len(self._chunks) >= _CHUNKS_HELD:
            self._gather()
        self._chunks.append((self.received, data, at, layer))
        self.received += len(data)
        self.newest_at = at

    def _gather(self) -> None:
        """Join what came byte by byte, for a chunk of a byte weighs a hundred; all get the time of the first.

        Where a line ends stays as it came: by their beginnings and ends units are put in order. Unless lines are many.
        """
        self._chunks = _joined(self._chunks, by_line=True)
        if len(self._chunks) > _CHUNKS_HELD // 2:
            self._chunks = _joined(self._chunks, by_line=False)

    def mask(self, start: int, end: int, name: str, at: int, text: str = "") -> None:
        """Bytes start..end are a secret of class `name`, of which no more is known than `text`.

        What was released already cannot be masked any more.
        """
        start = max(start, self.released)
        masks = self._masks
        before = bisect_right(masks, start, key=_START)
        if start >= end or (before and end <= masks[before - 1][1]):
            return
        self._put(Event(self.session, at, EventKind.SECRET, name, text, self.direction, start, end - start))
        after = bisect_right(masks, end, key=_START)
        masks[before:after] = [(start, max(end, masks[after - 1][1]) if after > before else end)]

    def mask_rest(self, start: int, name: str, at: int) -> None:
        """All bytes from `start` on are hidden, those that have not come yet too."""
        start = max(start, self.released)
        self._put(Event(self.session, at, EventKind.SECRET, name, "", self.direction, start))
        self._masks = [(a, min(b, start)) for a, b in self._masks if a < start]
        self._masks.append((start, _ENDLESS))

    def take_back(self, start: int) -> bytes:
        """Give back what is held from offset `start` on: those bytes turned out to be compressed (M 6.12)."""
        taken = self.unmasked(start, self.received)
        while self._chunks and self._chunks[-1][0] >= start:
            self._chunks.pop()
        if self._chunks:
            first, data, at, layer = self._chunks.pop()
            if start > self._recorded:
                self._chunks.append((first, data[: start - first], at, layer))
        self.received = start
        return taken

    def time_of(self, offset: int) -> int:
        """When the held byte at `offset` was received; the newest time if nothing is held from there on."""
        if not self._chunks or offset >= self._chunks[-1][0]:
            return self.newest_at
        return self._chunks[max(0, bisect_right(self._chunks, offset, key=_START) - 1)][2]

    def release(self, upto: int, literal: LiteralPart | None = None) -> None:
        """The held bytes before offset `upto` may go on record; with `literal`, at once and as a part of that literal.

        A literal's chunks are never joined: they may be large.
        """
        if literal:
            self.record()
        if upto > self.released:
            self.released = min(upto, self.received)
        if literal or self.released - self._recorded > _TOGETHER:
            self.record(literal)

    def record(self, literal: LiteralPart | None = None) -> None:
        """Put all that is released on record."""
        while self._recorded < self.released:
            self._put(self._piece(self.released, literal))

    def _piece(self, upto: int, literal: LiteralPart | None) -> Piece:
        chunks, offset = self._chunks, self._recorded
        start, chunk, at, layer = chunks[0]
        end = min(start + len(chunk), upto)
        if end == start + len(chunk):
            chunks.popleft()
        whole = end - offset == len(chunk)
        marks: tuple[tuple[int, int], ...] = ()
        data: bytes | memoryview
        if literal and not self._masks:
            data = chunk if whole else memoryview(chunk)[offset - start : end - start]
        else:
            data = chunk if whole else chunk[offset - start : end - start]
            if end < upto and literal is None and chunks[0][3] == layer:
                data, end, marks = self._join(data, end, at, upto)
            data = self._masked(offset, data) if self._masks else data
        self._recorded = end
        return Piece(self.session, self.direction, offset, at, layer, data, marks, literal)

    def _join(self, data: bytes, end: int, at: int, upto: int) -> tuple[bytes, int, tuple[tuple[int, int], ...]]:
        """`data` and what follows it up to `upto` in the same layer; where that ends, and the chunks it is made of."""
        chunks, parts, marks = self._chunks, [data], [(len(data), at)]
        layer = chunks[0][3]
        while chunks and end < upto and chunks[0][3] == layer:
            start, more, at, _ = chunks[0]
            if start + len(more) > upto:
                more = more[: upto - start]
            else:
                chunks.popleft()
            parts.append(more)
            marks.append((len(more), at))
            end += len(more)
        return b"".join(parts), end, tuple(marks)

    def _masked(self, offset: int, data: bytes) -> bytes:
        end = offset + len(data)
        copy = bytearray(data)
        for a, b in self._masks:
            if a >= end:
                break
            if b > offset:
                first, last = max(a, offset), min(b, end)
                copy[first - offset : last - offset] = MASK * (last - first)
        self._masks = [(a, b) for a, b in self._masks if b > end]
        return bytes(copy)

    def unmasked(self, start: int, end: int) -> bytes:
        """The held bytes start..end as they were received; only for the language itself, never for the record."""
        out = bytearray()
        for first, data, _, _ in self._chunks:
            if first < end and first + len(data) > start:
                out += data[max(0, start - first) : end - first]
        return bytes(out)


def _joined(chunks: Iterable[_Chunk], *, by_line: bool) -> deque[_Chunk]:
    """Chunks of one layer and about the same place as one; `by_line`: not those that end a line."""
    runs: list[list[_Chunk]] = []
    before: tuple[int, Layer] | None = None
    for chunk in chunks:
        start, data, _, layer = chunk
        place = None if by_line and b"\n" in data else (start // _GATHERED, layer)
        if place is None or place != before:
            runs.append([chunk])
        else:
            runs[-1].append(chunk)
        before = place
    return deque((run[0][0], b"".join([data for _, data, _, _ in run]), *run[0][2:]) for run in runs)
