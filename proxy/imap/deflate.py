"""COMPRESS=DEFLATE undone for the record (RFC 4978): raw deflate, one stream a direction. Traffic stays as it is.

Deflate makes up to 1032 bytes of one, so that a peer may send a few bytes and have us read millions. What is taken is
bounded by BYTES_GRANTED and LINES_GRANTED; a stream that goes beyond is a bomb, and not inflated any further. Where
that is depends on the stream alone, not on how it was cut into chunks.
"""

from __future__ import annotations

import enum
import zlib
from collections.abc import Iterator

from proxy.imap.units import UnitReader

PART = 256 * 1024
"""Most bytes that are inflated at once."""
BYTES_GRANTED = (32 * 1024 * 1024, 100)
"""Inflated bytes that are always taken, and how many more for each compressed one. Lists of flags come to about 15."""
LINES_GRANTED = (100_000, 4)
"""The same for lines outside of literals, for these are what takes time. Ten thousand messages that are expunged one by
one are as many equal lines, out of 150 bytes."""
_BLOCK = 4096
_STEP = 8  # no more than 8256 bytes come out of it


class Failure(enum.Enum):
    """Why a stream is inflated no further."""

    BROKEN = enum.auto()
    BOMB = enum.auto()


class Inflater:
    """Inflates one direction in parts of bounded size, up to a bounded ratio."""

    def __init__(self, reader: UnitReader) -> None:
        """`reader` reads what comes out."""
        self.compressed = 0
        self.inflated = 0
        self.failure: Failure | None = None
        self.rest = b""
        """What was not inflated, after a failure."""
        self._stream = zlib.decompressobj(-zlib.MAX_WBITS)
        self._reader = reader
        self._lines_before = reader.lines

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield what the compressed bytes hold; each part has to be read before the next one is asked for.

        After a failure nothing more comes, and no more may be fed.
        """
        for start in range(0, len(data), _BLOCK):
            block = data[start : start + _BLOCK]
            parts = self._harmless(block)
            if parts is None:
                yield from self._stepwise(block)
            else:
                self.compressed += len(block)
                for part in parts:
                    self.inflated += len(part)
                    yield part
            if self._stream.eof and self._stream.unused_data:
                self.failure, self.rest = Failure.BROKEN, self._stream.unused_data
            if self.failure:
                self.rest += data[start + _BLOCK :]
                return

    def _harmless(self, block: bytes) -> list[bytes] | None:
        """What is in the block; None, with nothing taken, if it is broken or might be too much anywhere within it."""
        before, room, parts = self._stream.copy(), self._room(BYTES_GRANTED, self.inflated), list[bytes]()
        lines = self._room(LINES_GRANTED, self._lines)
        try:
            while part := self._stream.decompress(block, PART):
                parts.append(part)
                room -= len(part)
                lines -= part.count(b"\n")
                if room < 0 or lines < 0:
                    break
                block = self._stream.unconsumed_tail
        except zlib.error:
            lines = -1
        if room < 0 or lines < 0:
            self._stream = before
            return None
        return parts

    def _stepwise(self, block: bytes) -> Iterator[bytes]:
        """Look after every few bytes, counted from the stream's start, whether it has become too much."""
        pos = 0
        while pos < len(block) and not self._stream.eof:
            end = min(len(block), pos + _STEP - self.compressed % _STEP)
            before = self._stream.copy()
            try:
                part = self._stream.decompress(block[pos:end])
            except zlib.error:
                self._stream = before
                yield from self._up_to_the_error(block[pos:])
                return
            self.compressed += end - pos
            self.inflated += len(part)
            if part:
                yield part
            pos = end
            if self.compressed % _STEP == 0 and self._too_much():
                self.failure, self.rest = Failure.BOMB, block[pos:]
                return
        if pos < len(block):
            self._stream.decompress(block[pos:])  # behind the stream's end: unused data

    def _too_much(self) -> bool:
        return self._room(BYTES_GRANTED, self.inflated) < 0 or self._room(LINES_GRANTED, self._lines) < 0

    @property
    def _lines(self) -> int:
        return self._reader.lines - self._lines_before

    def _room(self, granted: tuple[int, int], taken: int) -> int:
        always, ratio = granted
        return always + ratio * self.compressed - taken

    def _up_to_the_error(self, data: bytes) -> Iterator[bytes]:
        """Inflate byte by byte, so that what is kept does not depend on how the stream was cut into chunks."""
        self.failure = Failure.BROKEN
        for pos in range(len(data)):
            try:
                part = self._stream.decompress(data[pos : pos + 1])
            except zlib.error:
                self.rest = data[pos:]
                return
            self.inflated += len(part)
            if part:
                yield part
