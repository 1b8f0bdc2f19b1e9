"""What a cassette says, statement by statement. Offsets and times are those of `proxy.imap.transcript`."""

from __future__ import annotations

import enum
from typing import NamedTuple

from proxy.imap.transcript import Direction, Ending, Event, Exchange, Layer, LiteralPart, Span

FIRST_LINE = "imaptap cassette 1"
"""What a cassette begins with; the number is the version of the format."""
TURN = 1000
"""Microseconds that pass where the other side begins to speak and nothing is said about it."""


class Told(enum.StrEnum):
    """What a session of a cassette says besides its bytes. All else follows from them."""

    BYTES = "bytes"
    """Nothing: it was written by hand."""
    EVENTS = "events"
    """All its events."""
    EVERYTHING = "everything"
    """All its exchanges, spans and bodies too: they do not follow from the bytes alone."""


class Header(NamedTuple):
    """Of the recording: when it was begun and ended (microseconds since 1970), by which version, how it listened."""

    started: int | None = None
    ended: int | None = None
    version: str = ""
    settings: str = ""


class Begun(NamedTuple):
    """A session begins. `wall` is None where nobody says when."""

    number: int
    wall: int | None
    client: str
    listen: str
    upstream: str
    told: Told


class Placeholder(NamedTuple):
    """So many bytes from `start` on, within what is said, vary."""

    name: str
    start: int
    length: int


class Said(NamedTuple):
    """Bytes of one side, the next ones of its stream."""

    direction: Direction
    at: int
    layer: Layer
    data: bytes
    varies: tuple[Placeholder, ...] = ()


class Unkept(NamedTuple):
    """The next bytes of one side are of a literal that was not kept (`storage.left_out`)."""

    direction: Direction
    at: int
    layer: Layer
    length: int
    chunks: tuple[tuple[int, int], ...]
    literal: LiteralPart
    sha256: bytes


class Hole(NamedTuple):
    """So many bytes of one side were lost."""

    direction: Direction
    length: int


class Body(NamedTuple):
    """The next bytes of one side are of this literal, up to its end."""

    direction: Direction
    literal: LiteralPart


class Own(NamedTuple):
    """A command that imaptap itself sent upstream."""

    at: int
    line: str


class Answered(NamedTuple):
    """imaptap itself answered the newest command."""

    at: int
    tag: str
    status: str
    text: str


class Over(NamedTuple):
    """The session is over. The counts are None where they are those of the streams."""

    at: int
    ending: Ending
    reason: str
    client_bytes: int | None = None
    server_bytes: int | None = None


class Noted(NamedTuple):
    """A remark of a person (`written`: microseconds since 1970), on an exchange, a session, or the recording.

    Cassettes have no word for it.
    """

    session: int | None
    exchange: int | None
    written: int
    text: str


Statement = Header | Begun | Said | Unkept | Hole | Body | Own | Answered | Event | Exchange | Span | Over | Noted


class Placed(NamedTuple):
    """A statement with its line."""

    line: int
    statement: Statement
