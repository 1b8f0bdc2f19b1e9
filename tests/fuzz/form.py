"""How a fuzzer's input says what two peers do: bytes, with marks among them that a mutation easily makes and moves.

The first byte holds a harness's options. After it everything is said by the client until a mark, which is 0xFF and a
letter; 0xFF before anything else is just a byte.

    0xFF C, 0xFF S    the client speaks, the server speaks
    0xFF |            a chunk ends here
    0xFF t            a tick
    0xFF T            TLS begins
    0xFF Z            what follows is deflated on the wire, both ways
    0xFF 0xFF         the byte 0xFF
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from proxy.imap.transcript import Direction
from tests.proxy.imap.playing import CLIENT, SERVER, Said, Secured, Turn

_MARK = re.compile(rb"\xff([CS|tTZ\xff])", re.DOTALL)
_SIDES = {b"C": CLIENT, b"S": SERVER}
_LETTERS = {CLIENT: b"C", SERVER: b"S"}


@dataclass(frozen=True, slots=True)
class Speech:
    """What one side says without the other between: chunks as they are cut, and after which of them there is a tick."""

    direction: Direction
    chunks: tuple[bytes, ...]
    ticks: frozenset[int]

    @property
    def data(self) -> bytes:
        """All of it."""
        return b"".join(self.chunks)


@dataclass(frozen=True, slots=True)
class Input:
    """What an input says. A None among the speeches is where TLS begins."""

    options: int
    speeches: tuple[Speech | None, ...]
    deflated: bool

    def stream(self, direction: Direction) -> bytes:
        """All that one side sends."""
        return b"".join(x.data for x in self.speeches if x is not None and x.direction is direction)

    def chunks(self, direction: Direction) -> list[bytes]:
        """The same as it is cut."""
        return [c for x in self.speeches if x is not None and x.direction is direction for c in x.chunks]

    @property
    def turns(self) -> list[Turn]:
        """For `play`, to be cut as `cuts` says."""
        return [Secured() if x is None else Said(x.direction, x.data) for x in self.speeches]


def read(data: bytes) -> Input:
    """Read an input; any bytes are one."""
    reader = _Reader()
    text = data[1:]
    pos = 0
    for mark in _MARK.finditer(text):
        reader.say(text[pos : mark.start()])
        pos = mark.end()
        reader.mark(mark[1])
    reader.say(text[pos:])
    reader.end()
    return Input(data[0] if data else 0, tuple(reader.speeches), reader.deflated)


class _Reader:
    def __init__(self) -> None:
        self.speeches: list[Speech | None] = []
        self.deflated = False
        self._side = CLIENT
        self._chunks: list[bytes] = []
        self._ticks: set[int] = set()
        self._chunk = bytearray()
        self._deflaters: dict[Direction, zlib._Compress] = {}  # type: ignore[name-defined]

    def say(self, data: bytes) -> None:
        self._chunk += data

    def mark(self, letter: bytes) -> None:
        if letter == b"\xff":
            self._chunk += letter
        elif letter in _SIDES:
            if _SIDES[letter] is not self._side:
                self.end()
            self._side = _SIDES[letter]
        elif letter in b"|t":
            self._cut()
            if letter == b"t":
                self._ticks.add(len(self._chunks))
        else:
            self.end()
            if letter == b"T":
                self.speeches.append(None)
            elif not self.deflated:
                self.deflated = True
                self._deflaters = {side: zlib.compressobj(9, wbits=-zlib.MAX_WBITS) for side in Direction}

    def end(self) -> None:
        """Another one speaks."""
        self._cut()
        if self._chunks:
            before = self.speeches[-1] if self.speeches else None
            if before is not None and before.direction is self._side:
                # `play` would join them as well, and so the cuts must be.
                ticks = {len(before.chunks) + tick for tick in self._ticks}
                self.speeches[-1] = Speech(self._side, (*before.chunks, *self._chunks), frozenset(before.ticks | ticks))
            else:
                self.speeches.append(Speech(self._side, tuple(self._chunks), frozenset(self._ticks)))
        self._chunks, self._ticks = [], set()

    def _cut(self) -> None:
        data = bytes(self._chunk)
        self._chunk.clear()
        if data and self._deflaters:
            deflater = self._deflaters[self._side]
            data = deflater.compress(data) + deflater.flush(zlib.Z_SYNC_FLUSH)
        if data:
            self._chunks.append(data)


def write(turns: Iterable[Turn], options: int = 0) -> bytes:
    """The input that says this, one chunk a turn."""
    return bytes([options]) + b"".join(_marked(turns))


def _marked(turns: Iterable[Turn]) -> Iterator[bytes]:
    side = CLIENT
    for turn in turns:
        if isinstance(turn, Secured):
            yield b"\xffT"
            continue
        yield b"\xff|" if turn.direction is side else b"\xff" + _LETTERS[turn.direction]
        side = turn.direction
        yield turn.data.replace(b"\xff", b"\xff\xff")
