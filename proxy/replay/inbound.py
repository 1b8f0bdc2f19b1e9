"""What the target says, cut into units, through the changes of layer that STARTTLS and COMPRESS bring."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from proxy.imap.cutter import UnitCutter
from proxy.imap.transcript import Direction

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proxy.imap.cutter import CutUnit

_INFLATED = 256 * 1024


class Inbound:
    """The server's direction. Whoever takes its units says, right after the one that does it, that the layer changes.

    `injected`: bytes came in clear behind the OK to STARTTLS, where only a handshake may follow (M 6.7).
    """

    def __init__(self) -> None:
        self.deflated: Deflated | None = None
        self.injected = False
        self._cutter = UnitCutter(Direction.SERVER, 0)
        self._heard = 0
        self._switched = self._tls_due = False

    @property
    def between(self) -> bool:
        """Whether the next byte begins a unit."""
        return self._cutter.between

    def feed(self, data: bytes, at: int) -> Iterator[CutUnit]:
        """The units that end in these bytes, which came at `at`. Raises zlib.error for a broken deflate stream."""
        for part in (data,) if self.deflated is None else self.deflated.inflate(data):
            yield from self._clear(part, at)

    def expect_tls(self) -> None:
        """STARTTLS was answered OK: the next byte is one of a handshake."""
        self._switched = self._tls_due = True

    def secured(self) -> None:
        """The handshake is over."""
        self._tls_due = False

    def deflate(self) -> None:
        """COMPRESS was answered OK: the next byte of both directions is deflated (RFC 4978)."""
        self._switched, self.deflated = True, Deflated()

    def _clear(self, data: bytes, at: int) -> Iterator[CutUnit]:
        if self._tls_due:
            self.injected = True
            return
        start = self._heard
        for found in self._cutter.feed(start, data, lambda _: at):
            yield found
            if self._switched:
                self._switched, self._heard = False, found.unit.end
                yield from self._behind(data[found.unit.end - start :], at)
                return
        self._heard = start + len(data)

    def _behind(self, rest: bytes, at: int) -> Iterator[CutUnit]:
        """What came in one go with the OK that changes the layer."""
        if self.deflated is None:
            self.injected = bool(rest)
        else:
            yield from self.feed(rest, at)


class Deflated:
    """Both directions, deflated (RFC 4978)."""

    def __init__(self) -> None:
        self._out = zlib.compressobj(wbits=-zlib.MAX_WBITS)
        self._in = zlib.decompressobj(-zlib.MAX_WBITS)

    def deflate(self, data: bytes) -> bytes:
        """What goes out for these bytes."""
        return self._out.compress(data) + self._out.flush(zlib.Z_SYNC_FLUSH)

    def inflate(self, data: bytes) -> Iterator[bytes]:
        """What these bytes hold, in parts of bounded size. Raises zlib.error."""
        part = self._in.decompress(data, _INFLATED)
        while part:
            yield part
            part = self._in.decompress(self._in.unconsumed_tail, _INFLATED)
