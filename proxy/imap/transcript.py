"""The values that travel from the wire to the store: frozen, complete in themselves, already masked.

`proxy.imap.conversation` makes them, `proxy.live` hands them to a sink, `storage` keeps them. Times called `at` are
microseconds of a monotonic clock since the session was opened; offsets count bytes of one direction of one session
*as received* (after inflating, where COMPRESS is decoded). Text fields are readable forms made by `readable`; the
exact bytes are always found in the stream (DESIGN rule 4).

They are named tuples, not frozen dataclasses: several are made for each exchange, and making one costs a quarter.
"""

from __future__ import annotations

import enum
import re
from typing import NamedTuple

BODY_MIN = 4096
"""Literals of at least this many bytes are bodies: stored once by hash. Smaller ones stay inside their piece."""


class Direction(enum.IntEnum):
    """Who sent the bytes."""

    CLIENT = 0
    SERVER = 1


class Layer(enum.IntFlag):
    """What the bytes were wrapped in on the leg they were read from (M 6.8)."""

    PLAIN = 0
    TLS = 1
    DEFLATE = 2


class Certainty(enum.StrEnum):
    """How sure it is that server data belongs to its exchange (M 3.6)."""

    SURE = "sure"
    LIKELY = "likely"
    AMBIGUOUS = "ambiguous"
    UNSOLICITED = "unsolicited"


class Origin(enum.StrEnum):
    """Who issued a command: the client, or imaptap itself (M 6.4)."""

    CLIENT = "client"
    PROXY = "proxy"


class Outcome(enum.StrEnum):
    """How an exchange stands."""

    OPEN = "open"
    COMPLETED = "completed"
    BYE = "ended by BYE"
    RULE = "ended by rule"
    INCOMPLETE = "incomplete"


class Ending(enum.StrEnum):
    """How a session ended: exactly one of these, once (DESIGN rule 7)."""

    CLIENT = "closed by client"
    SERVER = "closed by server"
    FAILED = "failed"
    CUT = "cut"


class EventKind(enum.StrEnum):
    """What an event is about; `Event.name` says more."""

    TLS = "tls"
    REWRITE = "rewrite"
    SECRET = "secret"
    SECURITY = "security"
    FAULT = "fault"
    RAW = "raw"
    COMPRESS = "compress"
    NOTICE = "notice"
    GAP = "gap"
    STEP = "step"
    """What became of a recorded command that was sent again, and what this is a replay of."""
    VARIES = "varies"
    """Bytes that stand for others of their kind: a cassette's placeholder, called `Event.name`."""


class SessionOpened(NamedTuple):
    """A client has connected. `session` counts 1, 2, … within the recording; `wall` is microseconds since 1970 UTC."""

    session: int
    wall: int
    client: str
    listen: str
    upstream: str


class Kept(enum.IntEnum):
    """How much of a literal's bytes goes on record."""

    ALL = 0
    HASH = 1
    NOTHING = 2


class LiteralPart(NamedTuple):
    """Where a piece lies in a literal of at least BODY_MIN bytes: the literal's offset in the stream and its length.

    `kept` says what is kept of the piece: with HASH and NOTHING, its bytes are there only for being counted.
    """

    start: int
    length: int
    kept: Kept = Kept.ALL


class Piece(NamedTuple):
    """Contiguous bytes of one direction, secrets masked with the same length.

    `chunks` gives (length, at) of each chunk the piece is made of, when it is more than one; `at` is the first one's.
    Pieces of one direction follow each other without a gap. A piece never mixes bytes of a `literal` with others; its
    `data` may be a view of the chunk that they came in, so that bodies are not copied.
    """

    session: int
    direction: Direction
    offset: int
    at: int
    layer: Layer
    data: bytes | memoryview
    chunks: tuple[tuple[int, int], ...] = ()
    literal: LiteralPart | None = None


class Span(NamedTuple):
    """A run of consecutive units of one direction that belong to one exchange (or, with None, to no exchange).

    `open` names the exchanges that were open at arrival where that is not just `exchange` itself.
    """

    session: int
    exchange: int | None
    direction: Direction
    start: int
    end: int
    first_at: int
    last_at: int
    units: int
    certainty: Certainty
    open: tuple[int, ...] = ()


class Exchange(NamedTuple):
    """A command and what became of it. Told while it is open (outcome OPEN) and again, whole, when it has ended; one
    that begins and ends between two looks at the conversation is told once.

    `number` counts 1, 2, … within the session; `command` is in capitals, with UID in front where it was
    ("UID FETCH"); `arguments` is masked text, literals as `{n}`; `responses` counts untagged data by kind, as
    (("EXISTS", 1), ("FETCH", 3)); `marks` are words such as "tag reused" or "literal refused".
    """

    session: int
    number: int
    tag: str
    command: str
    arguments: str
    mailbox: str | None
    origin: Origin
    outcome: Outcome
    status: str | None
    code: str | None
    text: str | None
    started: int
    ended: int | None
    client_bytes: int
    server_bytes: int
    responses: tuple[tuple[str, int], ...] = ()
    marks: tuple[str, ...] = ()


class Event(NamedTuple):
    """Something that is not an exchange: TLS facts, a rewrite (received / sent), a masked secret, a fault, a finding.

    `session` is None for the recording as a whole (`at` is then microseconds since the recording began).
    `offset` and `length` point into the stream of `direction` where that makes sense.
    """

    session: int | None
    at: int
    kind: EventKind
    name: str
    text: str = ""
    direction: Direction | None = None
    offset: int | None = None
    length: int | None = None
    received: bytes | None = None
    sent: bytes | None = None


class SessionClosed(NamedTuple):
    """A session's one end, with the byte counts of both directions."""

    session: int
    at: int
    ending: Ending
    reason: str
    client_bytes: int
    server_bytes: int


_DOUBTFUL = re.compile(r"[^ -~]")

Record = SessionOpened | Piece | Span | Exchange | Event | SessionClosed


def readable(data: bytes) -> str:
    """Text for people and for text columns: UTF-8 where it is, every other byte and control character as \\xNN."""
    text = data.decode("utf-8", "backslashreplace")
    if text.isprintable():
        return text
    # Where bytes are no text at all, a loop over every character would take many times as long.
    return _DOUBTFUL.sub(_escape, text)


def _escape(doubtful: re.Match[str]) -> str:
    character = doubtful[0]
    if character.isprintable():
        return character
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
