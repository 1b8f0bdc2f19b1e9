"""What a reader of foreign logs gives: statements about sessions, in the order in which it all happened.

A session is known by its `key` while it lasts. Times called `at` and `wall` are microseconds since 1970 UTC; None is
for a log that does not tell.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from proxy.imap.transcript import Direction, Ending, Layer

if TYPE_CHECKING:
    from pathlib import Path

LATEST = 253_402_300_799_000_000
"""The end of the year 9999: what is later is no time."""
UNTOLD = "the log does not say who closed the connection"
"""Why a session of which this is true has ended."""


def possible(at: int | None) -> int | None:
    """The time, if it can be one."""
    return None if at is None or not 0 <= at <= LATEST else at


class Begun(NamedTuple):
    """A session begins. `caveats` say what of it is not exact, each a clause for people; `source` names its files.

    `deflated`: what follows COMPRESS is compressed in the log, too: in packets, and in Dovecot's rawlogs. `logged_in`:
    the log begins behind the login.
    """

    key: str
    wall: int | None
    caveats: tuple[str, ...] = ()
    client: str = "unknown"
    upstream: str = "unknown"
    source: tuple[Path, ...] = ()
    deflated: bool = False
    logged_in: bool = False
    listen: str = "unknown"


class Said(NamedTuple):
    """Bytes of one side, the next ones of its stream."""

    key: str
    direction: Direction
    data: bytes
    at: int | None = None
    layer: Layer = Layer.TLS


class Remark(NamedTuple):
    """Something about a session, or about all there is (None), that is not in the bytes."""

    key: str | None
    name: str
    text: str
    direction: Direction | None = None


class Over(NamedTuple):
    """A session is over."""

    key: str
    ending: Ending
    reason: str
    at: int | None = None


Statement = Begun | Said | Remark | Over


class BrokenError(Exception):
    """A log goes no further: `what` is a clause; `line` counts from 1, None where the file has no lines."""

    def __init__(self, path: Path, line: int | None, what: str) -> None:
        where = "" if line is None else f" at line {line:,}"
        super().__init__(f"{path.name}{where}: {what}")


class MissingError(Exception):
    """A program is needed that is not here; `hint` says what to do."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint
