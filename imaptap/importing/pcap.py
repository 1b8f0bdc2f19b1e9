"""Packet captures, pcap and pcapng: the IMAP connections in them, plain, or in TLS with the keys of its sessions."""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING, Final

from imaptap.importing.sides import is_greeting
from imaptap.importing.tcp import Order
from imaptap.importing.tls import Tls
from imaptap.importing.tshark import FIN, RST, SYN, frames
from imaptap.importing.values import Begun, BrokenError, Over, Remark, Said
from imaptap.meaning.words import counted
from proxy.imap.transcript import Direction, Ending, Layer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from imaptap.importing.tshark import Frame
    from imaptap.importing.values import Statement

PORTS: Final = frozenset({143, 993})
"""Where a connection whose beginning was not captured is taken for IMAP."""
_MAGIC: Final = tuple(
    bytes.fromhex(each) for each in ("a1b2c3d4", "d4c3b2a1", "a1b23c4d", "4d3cb2a1", "0a0d0d0a", "a1b2cd34", "34cdb2a1")
)
_GOES_ON: Final = re.compile(r"\bsession [0-9]+ goes on(?:,|\Z)")
_WILL_GO_ON: Final = "what was inside goes on in a connection of its own"
"""Comments of our own exports, in which a session goes over to another connection behind STARTTLS and COMPRESS."""
_NO_KEYS = "{} could not be decrypted: their keys are not in the capture, and in no --keylog"
_HOLE = "bytes of the {} are missing in the capture"


def recognise(head: bytes) -> bool:
    """Whether a file that begins so is one."""
    return head.startswith(_MAGIC)


def read(paths: Sequence[Path], keylog: Path | None = None) -> Iterator[Statement]:
    """The sessions of these files. Raises BrokenError, MissingError, OSError."""
    for path in paths:
        reading = _Reading(path)
        with contextlib.closing(frames(path, keylog)) as packets:
            for frame in packets:
                yield from reading.frame(frame)
        yield from reading.end()


class _Reading:
    """Reads one capture."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._streams: dict[int, _Stream | None] = {}
        """None for those that are over, or no IMAP."""
        self._parted: _Stream | None = None
        """The one that will go on in another connection."""
        self._sealed = 0
        self._begun = 0

    def frame(self, frame: Frame) -> Iterator[Statement]:
        """The next segment."""
        if frame.stream not in self._streams:
            before, self._parted = self._parted, None
            goes_on = before is not None and _GOES_ON.search(frame.comment) is not None
            self._streams[frame.stream] = _Stream(f"{self._path}#{frame.stream}", frame, before if goes_on else None)
            if before is not None and not goes_on:
                yield from before.end(Ending.CUT, "the capture has no more of it")
        stream = self._streams[frame.stream]
        if stream is None:
            return
        yield from stream.frame(frame)
        if stream.parted:
            self._parted = stream
        if stream.over or stream.parted:
            self._forget(frame.stream, stream)

    def _forget(self, number: int, stream: _Stream) -> None:
        self._sealed += stream.tls and not stream.begun
        self._begun += stream.begun
        self._streams[number] = None

    def end(self) -> Iterator[Statement]:
        """There are no more. Raises BrokenError where all there was is sealed."""
        if self._parted is not None:
            yield from self._parted.end(Ending.CUT, "the capture ends here")
        for number, stream in self._streams.items():
            if stream is not None:
                yield from stream.end(Ending.CUT, "the capture ends here")
                self._forget(number, stream)
        if self._sealed:
            text = _NO_KEYS.format(counted(self._sealed, "TLS connection"))
            if not self._begun:
                raise BrokenError(self._path, None, text)
            yield Remark(None, "not decrypted", text)


class _Stream:
    """One connection."""

    def __init__(self, key: str, first: Frame, before: _Stream | None) -> None:
        """With `before`, what that one said goes on here, between the same two."""
        self.key = key
        self._orders = {first.source: Order(), first.target: Order()}
        self._ends = [first.source, first.target]
        self._server: tuple[str, int] | None = None
        self._whole = bool(first.flags & SYN)
        self._finished: list[tuple[str, int]] = []
        self._at = first.at
        self.clear = Tls(Layer.PLAIN)
        self.begun = False
        self.tls = False
        self.over = False
        self.parted = False
        """Whether it will go on in another connection."""
        if before is not None:
            self.key, self.clear, self.begun = before.key, before.clear, True
            self._server = first.target

    def frame(self, frame: Frame) -> Iterator[Statement]:
        """The next segment."""
        self._at = frame.at
        order = self._orders.get(frame.source)
        if order is None:
            return
        if frame.flags & SYN:
            order.begin(frame.seq)
        if frame.tls and not self.tls:
            self.tls = True
        if self.tls:
            yield from self._protected(frame)
        else:
            for data in order.take(frame.seq + bool(frame.flags & SYN), frame.payload):
                yield from self._said(frame.source, data, self.clear.layer)
            if order.hopeless or frame.missing:
                yield from self._tear(frame.source)
        if self.begun and frame.flags & FIN and _WILL_GO_ON in frame.comment:
            self.parted = True
        elif not self.over:
            yield from self._closing(frame)

    def _protected(self, frame: Frame) -> Iterator[Statement]:
        if frame.decrypted:
            yield from self._said(frame.source, frame.decrypted, Layer.TLS)
        elif frame.sealed and self.begun:
            yield from self.end(Ending.CUT, "TLS could not be decrypted from here on")

    def _closing(self, frame: Frame) -> Iterator[Statement]:
        if frame.flags & RST:
            yield from self._closed(frame.source, "reset")
        elif frame.flags & FIN and frame.source not in self._finished:
            self._finished.append(frame.source)
            if len(self._finished) == len(self._ends):
                yield from self._closed(self._finished[0], "end of stream")

    def _closed(self, by: tuple[str, int], reason: str) -> Iterator[Statement]:
        if not self.tls:
            for end, order in self._orders.items():
                if order.torn:
                    yield from self._tear(end)
                    return
        yield from self.end(Ending.SERVER if by == self._server else Ending.CLIENT, reason)

    def _tear(self, end: tuple[str, int]) -> Iterator[Statement]:
        """What comes behind lost bytes is not heard: nobody knows what it is, and it may be a password."""
        side = "server" if end == self._server else "client"
        yield from self.end(Ending.CUT, _HOLE.format(side))

    def end(self, ending: Ending, reason: str) -> Iterator[Statement]:
        """It is over."""
        self.over = True
        if self.begun:
            yield Over(self.key, ending, reason, self._at)

    def _said(self, source: tuple[str, int], data: bytes, layer: Layer) -> Iterator[Statement]:
        if not self.begun:
            self._server = self._find_server(source, data)
            if self._server is None:
                self.over = True
                return
            self.begun = True
            client = next(end for end in self._ends if end != self._server)
            scheme = "imaps" if layer is Layer.TLS else "imap"
            caveats = () if self._whole else ("its beginning is not in the capture",)
            yield Begun(
                self.key, self._at, caveats, _address(client), f"{scheme}://{_address(self._server)}", deflated=True
            )
        side = Direction.SERVER if source == self._server else Direction.CLIENT
        yield Said(self.key, side, data, self._at, layer)
        self.clear.said(side, data)

    def _find_server(self, source: tuple[str, int], data: bytes) -> tuple[str, int] | None:
        """Which end is the server; None where this is no IMAP."""
        if is_greeting(data):
            return source
        return None if self._whole else next((end for end in self._ends if end[1] in PORTS), None)


def _address(end: tuple[str, int]) -> str:
    host, port = end
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
