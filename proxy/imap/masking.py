"""Masked text of a line, for the readable columns of the record."""

from __future__ import annotations

from collections.abc import Iterable

from proxy.imap.ledger import MASK


def masked(line: bytes, spans: Iterable[tuple[int, int]]) -> bytes:
    """The line with the spans (start, end) replaced by as many mask bytes."""
    copy: bytearray | None = None
    for start, end in spans:
        copy = bytearray(line) if copy is None else copy
        copy[start:end] = MASK * (end - start)
    return line if copy is None else bytes(copy)
