"""When the chunks of a piece arrived, packed: of each a u32 length and a u64 of microseconds since the piece's `at`."""

from __future__ import annotations

import itertools
import struct
from typing import Final

_ONE: Final = struct.Struct("<IQ")


def pack_chunks(chunks: tuple[tuple[int, int], ...], at: int) -> bytes | None:
    """(length, at) of each chunk as bytes; None for a single one, which the row's own `length` and `at` describe."""
    if len(chunks) < 2:
        return None
    pack = _ONE.pack
    return b"".join([pack(length, moment - at if moment > at else 0) for length, moment in chunks])


def unpack_chunks(packed: bytes | None, length: int, at: int) -> tuple[tuple[int, int], ...]:
    """(length, at) of each chunk of a piece; one entry where nothing was packed."""
    if packed is None:
        return ((length, at),)
    return tuple((size, at + since) for size, since in _ONE.iter_unpack(packed))


def cut_chunks(chunks: tuple[tuple[int, int], ...], start: int, end: int) -> tuple[tuple[int, int], ...]:
    """The part of `chunks` that covers bytes `start` up to `end`, counted from the first chunk's first byte."""
    ends = itertools.accumulate(length for length, _ in chunks)
    cut = ((max(stop - length, start), min(stop, end), at) for (length, at), stop in zip(chunks, ends, strict=True))
    return tuple((stop - begin, at) for begin, stop, at in cut if stop > begin)
