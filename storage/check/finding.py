"""What a check has found wrong, and where."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from proxy.imap.transcript import Direction
    from storage.values import Recording


class Flaw(enum.StrEnum):
    """What kind of thing is wrong."""

    DATABASE = "database"
    ORPHAN = "orphan"
    BODY = "body"
    SESSION = "session"
    STREAM = "stream"
    EXCHANGE = "exchange"
    SPAN = "span"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong. `text` is a sentence for people, without any byte of what was recorded.

    `session` and `exchange` are numbers as people give them, `offset` counts bytes of the stream of `direction`; each
    is None where the finding is not about one.
    """

    flaw: Flaw
    text: str
    recording: Recording | None = None
    session: int | None = None
    exchange: int | None = None
    direction: Direction | None = None
    offset: int | None = None
