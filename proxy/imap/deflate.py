"""COMPRESS=DEFLATE undone for the record (RFC 4978): raw deflate, one stream a direction. Traffic stays as it is."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

PART = 256 * 1024
"""Most bytes that are inflated at once."""


class Inflater:
    """Inflates one direction in parts of bounded size, so that a bomb costs time in proportion, and no memory."""

    def __init__(self) -> None:
        self._stream = zlib.decompressobj(-zlib.MAX_WBITS)
        self._before = self._stream.copy()
        self.compressed = 0
        self.inflated = 0
        self.broken = False
        self.rest = b""
        """What could not be inflated."""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield what the compressed bytes hold. After an error `broken` is set and nothing more comes."""
        self.compressed += len(data)
        full = True
        while (data or full) and not self.broken:
            self._before = self._stream.copy()
            try:
                part = self._stream.decompress(data, PART)
            except zlib.error:
                yield from self._up_to_the_error(data)
                return
            # A full part may have left output behind although all input is taken.
            data, full = self._stream.unconsumed_tail, len(part) == PART
            self.inflated += len(part)
            if part:
                yield part
            if self._stream.eof:
                self.rest, data = self._stream.unused_data, b""
                self.broken = bool(self.rest)

    def _up_to_the_error(self, data: bytes) -> Iterator[bytes]:
        """Inflate byte by byte, so that what is kept does not depend on how the stream was cut into chunks."""
        self.broken = True
        for pos in range(len(data)):
            try:
                part = self._before.decompress(data[pos : pos + 1])
            except zlib.error:
                self.rest = data[pos:]
                return
            self.inflated += len(part)
            if part:
                yield part
