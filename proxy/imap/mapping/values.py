"""What the parts of a mapping have in common: whose a value is, and the error for what has no counterpart."""

from __future__ import annotations

import enum
from typing import NamedTuple


class Side(enum.IntEnum):
    """Of which of the two servers something is."""

    RECORDED = 0
    REPLAYED = 1


class Strength(enum.IntEnum):
    """How two messages came to be taken for the same; what is stronger is believed."""

    ORDER = 1
    """They stand at the same place of two results that are as long as each other."""
    PLACE = 2
    """They have the same message number in two mailboxes of as many messages."""
    IDENTITY = 3
    """They have the same Message-ID, or the same bytes."""
    TOLD = 4
    """Both servers said which UID a message was given: APPENDUID, COPYUID (RFC 4315)."""


class Place(NamedTuple):
    """A namespace: what its names begin with, and what stands between their parts (RFC 9051 section 6.3.10).

    A delimiter of "" is NIL, there is no hierarchy; None is one that nobody has told.
    """

    prefix: str = ""
    delimiter: str | None = None


class NoCounterpartError(Exception):
    """Something has no counterpart at the other server; `reason` is a sentence for people, without a full stop."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
