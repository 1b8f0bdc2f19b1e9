"""Bytes as they are, and as they read with folding, quoted-printable, percent signs and base64 undone."""

from __future__ import annotations

import base64
import binascii
import re
from bisect import bisect_right
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_FOLD = re.compile(rb"(?:=|\\)?\r?\n[ \t]?")
_WRAP = re.compile(rb"=\r?\n|(?<![ \t])[ \t]*\r?\n[> \t]*")
_QUOTED = re.compile(rb"=([0-9A-Fa-f]{2})")
_PERCENT = re.compile(rb"%([0-9A-Fa-f]{2})")
_BASE64 = re.compile(rb"[A-Za-z0-9+/]{16,}(?:\r?\n[A-Za-z0-9+/]{4,})*={0,2}")


class View(NamedTuple):
    """A reading of some bytes, and where in them its parts come from."""

    how: str
    data: bytes
    places: list[int]
    """Where in `data` a part begins,"""
    origins: list[int]
    """and where what it was made of does."""

    def origin(self, offset: int) -> int:
        """Where the byte at `offset` of `data` comes from."""
        index = bisect_right(self.places, offset) - 1
        return self.origins[index] + offset - self.places[index]


def views(data: bytes) -> Iterator[View]:
    """All readings that differ. Decoded base64 comes a run at a time."""
    view = View("", data, [0], [0])
    yield view
    undone = _changed(view, "unfolded", _FOLD, lambda _: b"") if b"\n" in data else view
    for pattern in (_QUOTED, _PERCENT):
        undone = _changed(undone, "decoded", pattern, lambda code: bytes([int(code[1], 16)]))
    if undone is not view:
        yield undone
    for run in _BASE64.finditer(data):
        clear = _decoded(run[0])
        if clear is not None:
            yield View("base64", clear, [0], [run.start()])


def unwrapped(data: bytes) -> Iterator[View]:
    """With line ends and the blanks around them as one blank: words that only a line end parts stand side by side."""
    if b"\n" in data:
        view = View("", data, [0], [0])
        made = _changed(view, "unwrapped", _WRAP, lambda found: b"" if found[0].startswith(b"=") else b" ")
        yield _changed(made, "unwrapped", _QUOTED, lambda code: bytes([int(code[1], 16)]))


def _changed(view: View, how: str, pattern: re.Pattern[bytes], change: Callable[[re.Match[bytes]], bytes]) -> View:
    """The view with what the pattern finds replaced; itself where it finds nothing."""
    parts, places, origins = list[bytes](), [0], [0]
    position = made = 0
    for found in pattern.finditer(view.data):
        new = change(found)
        parts += [view.data[position : found.start()], new]
        made += found.start() - position + len(new)
        position = found.end()
        places.append(made)
        origins.append(view.origin(position) if position < len(view.data) else view.origin(position - 1) + 1)
    if not parts:
        return view
    return View(how, b"".join([*parts, view.data[position:]]), places, origins)


def _decoded(run: bytes) -> bytes | None:
    digits = re.sub(rb"[^A-Za-z0-9+/]", b"", run)
    try:
        return base64.b64decode(digits[: len(digits) // 4 * 4])
    except binascii.Error:
        return None
