"""What a transcript is made of: lines as on the wire, events, and the exchanges they stand under."""

from __future__ import annotations

from dataclasses import dataclass

from proxy.imap.transcript import Certainty, Direction, Event, Exchange

ENDLESS = 2**63 - 1
"""The end of a span that goes on to wherever its stream ends."""

TEXT_MOST = 64 * 1024
"""Bytes of one line that are shown; a longer one ends in `Hidden`."""


@dataclass(frozen=True, slots=True)
class Run:
    """Bytes to be shown, from offset `start` of their stream on."""

    start: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Hidden:
    """Bytes that are not shown: a "literal", the "rest" of an endless line, or a "hole" in the recording."""

    what: str
    length: int


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Bytes that were not kept, `length` of them from offset `start` of their stream on, with this SHA-256 (hex, or
    nothing where that was not kept either).

    `literal` is how long their literal is: more than `length` where they are a part of it.
    """

    start: int
    length: int
    sha256: str
    literal: int


Part = Run | Hidden | LeftOut


@dataclass(frozen=True, slots=True)
class Line:
    """A line of one side, without its line end; with `body`, a line of a literal's content.

    `at` is when its first byte came, `start` that byte's offset. A literal stands in the line that follows it.
    """

    direction: Direction
    at: int
    start: int
    parts: tuple[Part, ...]
    certainty: Certainty
    body: bool = False


@dataclass(frozen=True, slots=True)
class Rest:
    """Bytes of a session that belong to no unit: what came after a change to something that is not IMAP."""

    client: int
    server: int


@dataclass(frozen=True, slots=True)
class Skipped:
    """So many lines of an exchange that are left out, before its last one, which comes at `at`."""

    at: int
    lines: int
    exchange: int


Entry = Line | Event | Exchange | Rest | Skipped
