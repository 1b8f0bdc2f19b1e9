"""Bytes as they are, and as they read with folding, quoted-printable, percent signs and base64 undone."""

from __future__ import annotations

import base64
import binascii
import re
from bisect import bisect_right
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BASE64: Final = "base64"
"""How a view is called that is base64 decoded."""
_FOLD = re.compile(rb"(?:=|\\)?\r?\n[ \t]?")
_SOFT = re.compile(rb"[=\\]\r?\n[ \t]?")
_WRAP = re.compile(rb"=\r?\n|(?<![ \t])[ \t]*\r?\n[> \t]*")
_QUOTED = re.compile(rb"=([0-9A-Fa-f]{2})")
_PERCENT = re.compile(rb"%([0-9A-Fa-f]{2})")
_BASE64 = re.compile(rb"[A-Za-z0-9+/]{16,}(?:\r?\n[A-Za-z0-9+/]{4,})*={0,2}")

_CONTROLS = bytes(value for value in range(0x20) if value not in b"\t\n\x0b\x0c\r\x1b") + b"\x7f"
_CONTROLS_MOST = 50
"""One such byte in so many makes it something else than text: of bytes by chance every ninth is one."""
_PRINTED = re.compile(rb"[\t\n\r -~]+")
_PRINTED_LEAST = 12
"""So many letters in a row, of which some look like somebody, are hardly ever there by chance."""


class View(NamedTuple):
    """A reading of some bytes, and where in them its parts come from."""

    how: str
    data: bytes
    places: list[int]
    """Where in `data` a part begins,"""
    origins: list[int]
    """and where what it was made of does,"""
    under: View | None = None
    """in the reading that this is one of, if it is none of the bytes themselves."""

    def origin(self, offset: int) -> int:
        """Where the byte at `offset` of `data` comes from."""
        index = bisect_right(self.places, offset) - 1
        place = self.origins[index] + offset - self.places[index]
        return place if self.under is None else self.under.origin(place)


def views(data: bytes) -> Iterator[View]:
    """All readings that differ. Decoded base64 comes a run at a time."""
    view = View("", data, [0], [0])
    yield view
    undone = _undone(view, _FOLD)
    if undone is not view:
        yield undone
    for run in _BASE64.finditer(data):
        clear = _decoded(run[0])
        if clear is not None:
            yield View(BASE64, clear, [0], [run.start()])


def continued(data: bytes) -> Iterator[View]:
    """The reading in which lines go on only where they say so, if any does, or has codes: addresses do not else."""
    view = View("", data, [0], [0])
    if (undone := _undone(view, _SOFT)) is not view:
        yield undone


def _undone(view: View, folds: re.Pattern[bytes]) -> View:
    """Without these folds, and with codes of quoted-printable and percent signs decoded."""
    undone = _changed(view, "unfolded", folds, lambda _: b"") if b"\n" in view.data else view
    for pattern in (_QUOTED, _PERCENT):
        undone = _changed(undone, "decoded", pattern, lambda code: bytes([int(code[1], 16)]))
    return undone


def readable(data: bytes, start: int, end: int) -> bool:
    """Whether what was decoded is text, or has letters in a row where this stands: a picture has words by chance."""
    if len(data) - len(data.translate(None, _CONTROLS)) <= len(data) // _CONTROLS_MOST:
        return True
    before, after = data[max(0, start - _PRINTED_LEAST) : start], data[start : end + _PRINTED_LEAST]
    head, tail = _PRINTED.match(before[::-1]), _PRINTED.match(after)
    return (head.end() if head else 0) + (tail.end() if tail else 0) >= _PRINTED_LEAST


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
        origins.append(position)
    if not parts:
        return view
    return View(how, b"".join([*parts, view.data[position:]]), places, origins, view)


def _decoded(run: bytes) -> bytes | None:
    digits = re.sub(rb"[^A-Za-z0-9+/]", b"", run)
    try:
        return base64.b64decode(digits[: len(digits) // 4 * 4])
    except binascii.Error:
        return None
