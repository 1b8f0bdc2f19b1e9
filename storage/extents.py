"""Bodies, packed into extents: rows of up to a megabyte in which their bytes stand side by side.

A row of its own for each body would leave the end of its last page empty: a tenth of the file, where letters are
30 KB long and pages 32. So the bodies of one transaction share as few extents as they can. Where mail comes one
letter at a time, the next transaction goes on with the extent that the last one left short.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from storage.bodies import SEGMENT

if TYPE_CHECKING:
    from collections.abc import Iterable

EXTENT: Final = SEGMENT
"""Bytes of the longest extent. Each body fits into one."""

SHORT: Final = 256 * 1024
"""An extent shorter than this may still be added to, though that means to write all of it again."""


class Packed(NamedTuple):
    """Bytes for an extent, which has `length` with them: a new one, or the end of one that had `before` bytes."""

    before: int
    length: int
    parts: list[bytes | memoryview]


class Packing:
    """Deals bodies out to extents, which are numbered from 0; the first one may have `before` bytes already."""

    def __init__(self, before: int = 0) -> None:
        self._length = self._before = before
        self._parts: list[bytes | memoryview] = []
        self._packed: list[Packed] = []

    def add(self, parts: Iterable[bytes | memoryview], length: int) -> tuple[int, int]:
        """Put a body of `length` bytes, at most EXTENT, somewhere. Returns the number of its extent and its offset."""
        if self._length + length > EXTENT:
            self._close()
        offset = self._length
        self._parts += parts
        self._length += length
        return len(self._packed), offset

    def packed(self) -> list[Packed]:
        """What is to be written, by the extents' numbers. Nothing may be added any more."""
        if self._parts:
            self._close()
        return self._packed

    def _close(self) -> None:
        self._packed.append(Packed(self._before, self._length, self._parts))
        self._length = self._before = 0
        self._parts = []
