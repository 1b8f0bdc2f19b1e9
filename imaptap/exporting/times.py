"""Times as exports write them."""

from __future__ import annotations

import datetime as dt
from typing import Final

_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_LEAST: Final = -62_135_596_800_000_000
_MOST: Final = 253_402_300_799_999_999
"""The years 1 and 9999."""


def calendar(wall: int) -> dt.datetime:
    """Microseconds since 1970 as a date and time, UTC: the first or the last of all, where a cassette goes beyond."""
    return _EPOCH + dt.timedelta(microseconds=min(max(wall, _LEAST), _MOST))


def local(wall: int) -> dt.datetime:
    """The same by the local clock; a year is kept free for its offset."""
    return min(max(calendar(wall), _EPOCH.replace(year=2)), _EPOCH.replace(year=9998)).astimezone()


def moment(wall: int) -> str:
    """Microseconds since 1970 in ISO 8601, UTC, to the microsecond."""
    return f"{calendar(wall).replace(tzinfo=None).isoformat(timespec='microseconds')}Z"
