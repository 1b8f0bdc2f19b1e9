"""Lines of a log, in parts where they are long: a line without an end needs no memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST = 64 * 1024
"""Bytes of one part."""


class Part(NamedTuple):
    """A part of line `number` (from 1) with its line end, if that is in it; `begins`: the first one of the line."""

    number: int
    data: bytes
    begins: bool


def parts(file: BinaryIO) -> Iterator[Part]:
    """All lines of a file."""
    number, begins = 1, True
    while data := file.readline(MOST):
        yield Part(number, data, begins)
        begins = data.endswith(b"\n")
        number += begins
