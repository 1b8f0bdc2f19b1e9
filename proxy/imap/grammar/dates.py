"""Dates as they stand and as moments (RFC 9051 section 9: date, date-time)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from proxy.imap.grammar.writer import Writer

MONTHS = (b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov", b"dec")
STRICT_DATE_TIME = re.compile(
    rb"(?:[0-3]| )[0-9]-(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)-[0-9]{4} "
    rb"[0-9]{2}:[0-9]{2}:[0-9]{2} [+-][0-9]{4}",
    re.IGNORECASE,
)
STRICT_DATE = re.compile(rb"[0-9]{1,2}-(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)-[0-9]{4}", re.IGNORECASE)
_DATE_TIME = re.compile(
    rb" *([0-9]{1,2})-([a-z]{3})-([0-9]{4}) +([0-9]{1,2}):([0-9]{2}):([0-9]{2})(?: +([+-])([0-9]{2})([0-9]{2}))? *",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class DateTime:
    """date-time: INTERNALDATE, SAVEDATE, and the date of an APPEND. `raw` is without its quotes."""

    raw: bytes

    @property
    def instant(self) -> datetime | None:
        """The moment, with its zone (UTC where none is given); None where the text is no date."""
        match = _DATE_TIME.fullmatch(self.raw)
        if match is None:
            return None
        day, month, year, hour, minute, second = match.group(1, 2, 3, 4, 5, 6)
        try:
            zone = timezone(_offset(match[7], match[8], match[9]))
            return datetime(
                int(year), MONTHS.index(month.lower()) + 1, int(day), int(hour), int(minute), int(second), tzinfo=zone
            )
        except ValueError:
            return None

    def write(self, w: Writer) -> None:
        """Write the canonical spelling: in quotes, since in an APPEND a literal is the message."""
        w.quoted(self.raw)


@dataclass(frozen=True, slots=True)
class Date:
    """date: what SEARCH asks for, without quotes."""

    raw: bytes

    @property
    def day(self) -> date | None:
        """The day; None where the text is no date."""
        parts = self.raw.lower().split(b"-")
        try:
            return date(int(parts[2]), MONTHS.index(parts[1]) + 1, int(parts[0]))
        except (ValueError, IndexError):
            return None

    def write(self, w: Writer) -> None:
        """Write the canonical spelling: an atom where it is a date, else a string."""
        if STRICT_DATE.fullmatch(self.raw):
            w.raw(self.raw)
        else:
            w.string(self.raw)


def _offset(sign: bytes | None, hours: bytes | None, minutes: bytes | None) -> timedelta:
    if sign is None or hours is None or minutes is None:
        return timedelta()
    offset = timedelta(hours=int(hours), minutes=int(minutes))
    return -offset if sign == b"-" else offset
