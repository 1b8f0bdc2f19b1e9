"""How much of the letters is kept: `imaptap record --bodies`."""

from __future__ import annotations

import enum
import re
from typing import NamedTuple

_TOLD = re.compile(r" --bodies (headers|none|hash)(?= --(?:workers|fail-closed)|\Z)")
LEFT_OUT = "body"
"""The class of what is masked because it is of a letter, as `Event.name`."""


class Bodies(enum.StrEnum):
    """What is kept of the content of messages."""

    FULL = "full"
    HEADERS = "headers"
    """The header block that a message begins with, and headers that were fetched by themselves."""
    NONE = "none"
    HASH = "hash"
    """As NONE, but with the SHA-256 of each content."""

    @property
    def told(self) -> str:
        """How the settings of a recording end that was made so; empty where everything is kept."""
        return "" if self is Bodies.FULL else f" --bodies {self}"


def bodies_told(settings: str) -> Bodies:
    """What is kept in the recording with these settings. A cassette that was imported says it behind all the others."""
    found = _TOLD.findall(settings)
    return Bodies(found[-1]) if found else Bodies.FULL


class What(enum.Enum):
    """What a string is that a line holds or announces."""

    OTHER = enum.auto()
    """No part of a letter."""
    HEADER = enum.auto()
    MESSAGE = enum.auto()
    """From its first byte on: a header block comes first."""
    TEXT = enum.auto()
    """Of a letter, but not its beginning."""
    UNREAD = enum.auto()
    """Anything of which nobody knows what it is: it may be of a letter, or a secret."""


class Found(NamedTuple):
    """Bytes start..end of a line, and what they are."""

    start: int
    end: int
    what: What


ANNOUNCED = re.compile(rb" *~?\{[0-9]+\+?\}\r?\n\Z")
"""The end of a line that announces a literal."""


def end_of_text(line: bytes, pos: int) -> int:
    """Where the line's text ends, from `pos` on: its line end, and what announces a literal, are no secrets."""
    announced = ANNOUNCED.search(line, pos)
    return announced.start() if announced else max(pos, len(line.rstrip(b"\r\n")))
