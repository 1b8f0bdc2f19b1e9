"""COMPRESS=DEFLATE undone for the record (RFC 4978): raw deflate, one stream a direction. Traffic stays as it is."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

_PART = 256 * 1024


class Inflater:
    """Inflates one direction in parts of bounded size, so that a bomb costs time in proportion, and no memory."""

    def __init__(self) -> None:
        self._stream = zlib.decompressobj(-zlib.MAX_WBITS)
        self.compressed = 0
        self.inflated = 0
        self.broken = False
        self.rest = b""
        """What could not be inflated."""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield what the compressed bytes hold. After an error `broken` is set and nothing more comes."""
        self.compressed += len(data)
        while data and not self.broken:
            try:
                part = self._stream.decompress(data, _PART)
            except zlib.error:
                self.broken, self.rest = True, data
                return
            data = self._stream.unconsumed_tail
            self.inflated += len(part)
            if part:
                yield part
            if self._stream.eof:
                self.rest = self._stream.unused_data
                self.broken = bool(self.rest)
                return
