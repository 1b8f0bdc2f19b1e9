"""A stream of bytes of any length searched in flat memory, block by block."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from imaptap.scanning.detectors import LONGEST, Detectors, Kind
from imaptap.scanning.views import BASE64, continued, readable, unwrapped, views

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from imaptap.scanning.needles import Needles
    from imaptap.scanning.views import View

BLOCK: Final = 512 * 1024
"""Bytes that are looked at together."""
_BEFORE: Final = 256
"""Bytes in front of a block that are looked at again: what stands before a word says whether it is one."""

_AS_WRITTEN: Final = frozenset((Kind.ENTROPY, Kind.IP))
"""What decoding would make of any digits."""
_READINGS: Final = ("unfolded", "decoded", "unwrapped", BASE64)
"""What views are called."""

_Found: TypeAlias = tuple[Kind, str, str, int, int]
"""A hit in a block: where it begins and ends there."""


class Hit(NamedTuple):
    """Something found: what, how it was written, and the offset of its first byte."""

    kind: Kind
    what: str
    how: str
    offset: int
    lines: int
    """Line ends in front of it."""
    end: int
    """Offset after its last byte; where it was encoded, about that."""


class Search:
    """What is looked for."""

    def __init__(self, needles: Needles, detectors: Detectors, block: int = BLOCK) -> None:
        self._needles, self._detectors, self._size = needles, detectors, block
        self._behind = max(LONGEST, 8 * needles.longest)

    def through(self, parts: Iterable[bytes]) -> Iterator[Hit]:
        """All that is in these bytes, each once, in about their order."""
        held, start, lines, fresh = bytearray(), 0, 0, 0
        for part in parts:
            held += part
            while len(held) >= fresh + self._size + self._behind:
                yield from self._block(
                    bytes(held[: fresh + self._size + self._behind]), start, lines, fresh, fresh + self._size
                )
                gone = fresh + self._size - _BEFORE
                lines += held.count(b"\n", 0, gone)
                del held[:gone]
                start, fresh = start + gone, _BEFORE
        yield from self._block(bytes(held), start, lines, fresh, len(held))

    def _block(self, data: bytes, start: int, lines: int, first: int, last: int) -> Iterator[Hit]:
        """What begins from `first` up to `last` of `data`."""
        told = set[tuple[str, int]]()
        counted = 0
        for kind, what, how, place, end in sorted(self._found(data), key=_order):
            near = place - place % 8
            if first <= place < last and not {(what, near), (what, near - 8), (what, near + 8)} & told:
                told.add((what, near))
                lines += data.count(b"\n", counted, place)
                counted = place
                yield Hit(kind, what, how, start + place, lines, start + end)

    def _found(self, data: bytes) -> Iterator[_Found]:
        for view in views(data):
            for offset, needle in self._needles.find(view.data):
                how = needle.form if not view.how else f"{needle.form}, {view.how}"
                yield Kind.CANARY, f"canary {needle.number}", how, *_span(view, offset, offset + len(needle.data))
            for offset, end, kind, name in self._detectors.find(view.data):
                if view.how and (kind in _AS_WRITTEN or not _told(view, offset, end)):
                    continue
                # What stands in the next line is no part of a mask.
                if view.how and kind is Kind.PASSWORD and self._detectors.masked(data, view.origin(offset)):
                    continue
                yield kind, name, view.how, *_span(view, offset, end)
        for view in continued(data):
            for offset, end, kind, name in self._detectors.find(view.data):
                if b"@" in view.data[offset:end]:
                    yield kind, name, view.how, *_span(view, offset, end)
        if self._needles.of_several:
            for view in unwrapped(data):
                for offset, needle in self._needles.find_several(view.data):
                    how = f"{needle.form}, {view.how}"
                    yield Kind.CANARY, f"canary {needle.number}", how, *_span(view, offset, offset + len(needle.data))


def _span(view: View, start: int, end: int) -> tuple[int, int]:
    """Where it comes from."""
    return view.origin(start), view.origin(end - 1) + 1


def _told(view: View, start: int, end: int) -> bool:
    """Whether what was decoded says this: not bytes by chance, nor two lines of which one ends with an address."""
    if view.how == BASE64:
        return readable(view.data, start, end)
    return b"@" not in view.data[start:end]


def _order(found: _Found) -> tuple[int, bool, int]:
    """What is found as it is written comes before what is found at the same place in a reading of it."""
    return found[3], found[2].endswith(_READINGS), len(found[2])
