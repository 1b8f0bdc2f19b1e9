"""Numbers with units, and moments, as people write them in a filter."""

from __future__ import annotations

import datetime as dt
import re
from typing import Final

from storage.filter.facts import Kind

LARGEST: Final = 2**63 - 1

_AMOUNT: Final = re.compile(r"(\d{1,19})(?:\.(\d{1,9}))?\s*([A-Za-z]*)", re.ASCII)
_DURATIONS: Final = {"": 1000, "us": 1, "ms": 1000, "s": 10**6, "m": 60 * 10**6, "h": 3600 * 10**6}
_SIZES: Final = {"": 1, "b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "kib": 2**10, "mib": 2**20, "gib": 2**30}
_UNITS: Final = {
    Kind.NUMBER: {"": 1}, Kind.SIZE: _SIZES | {"k": 10**3, "m": 10**6, "g": 10**9}, Kind.DURATION: _DURATIONS
}  # fmt: skip
HOW: Final = {
    Kind.NUMBER: "Write a whole number.",
    Kind.DURATION: "Write milliseconds, or a number with us, ms, s, m or h: 500, 1.5s.",
    Kind.SIZE: "Write bytes, or a number with KB, MB, GB, KiB, MiB or GiB: 4096, 1.5MB.",
    Kind.TIME: "Write 2026-11-01, 2026-11-01T10:00 or 2026-11-01T10:00:00.5 (local time), with Z behind it for UTC,"
    " or how long ago: -90s, -10m, -12h, -2d, -1w.",
}
"""What to write for each kind of number."""

_AGO: Final = re.compile(r"-(\d{1,6})([smhdw])", re.ASCII)
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_MOMENT: Final = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)(?:[Tt](\d\d)(?::(\d\d)(?::(\d\d)(?:\.(\d{1,6}))?)?)?)?([Zz]?)", re.ASCII
)
_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def amount(text: str, kind: Kind) -> int | None:
    """A number with its unit as microseconds, bytes, or itself. None: it is none, or no whole one, or too large."""
    match = _AMOUNT.fullmatch(text)
    unit = _UNITS[kind].get(match[3].lower()) if match else None
    if match is None or unit is None:
        return None
    fraction = match[2] or ""
    value, rest = divmod(int(match[1] + fraction) * unit, 10 ** len(fraction))
    return value if not rest and value <= LARGEST else None


def is_moment(text: str) -> bool:
    """Whether it is a time, or how long ago."""
    return ago(text) or _absolute(text) is not None


def ago(text: str) -> bool:
    """Whether it is how long ago."""
    return _AGO.fullmatch(text) is not None


def period(text: str, now: int) -> tuple[int, int]:
    """What `text` means: from, up to but not including; microseconds since 1970 UTC, as is `now`.

    A day is as long as a day, a minute as long as a minute; `-10m` is an instant.
    """
    if match := _AGO.fullmatch(text):
        moment = now - int(match[1]) * _SECONDS[match[2]] * 1_000_000
        return moment, moment
    found = _absolute(text)
    if found is None:
        raise ValueError(text)
    return found


def _absolute(text: str) -> tuple[int, int] | None:
    match = _MOMENT.fullmatch(text)
    if match is None:
        return None
    year, month, day, hour, minute, second, fraction, utc = match.groups()
    try:
        digits = (fraction or "").ljust(6, "0")
        start = dt.datetime(  # noqa: DTZ001  it gets one at once
            int(year), int(month), int(day), int(hour or 0), int(minute or 0), int(second or 0), int(digits)
        )
        long = _precision(hour, minute, second, fraction)
        return tuple(_microseconds(moment, utc=bool(utc)) for moment in (start, start + long))  # type: ignore[return-value]
    except (ValueError, OverflowError, OSError):
        return None


def _precision(hour: str | None, minute: str | None, second: str | None, fraction: str | None) -> dt.timedelta:
    if fraction:
        return dt.timedelta(microseconds=10 ** (6 - len(fraction)))
    if second:
        return dt.timedelta(seconds=1)
    if minute:
        return dt.timedelta(minutes=1)
    return dt.timedelta(hours=1) if hour else dt.timedelta(days=1)


def _microseconds(moment: dt.datetime, *, utc: bool) -> int:
    aware = moment.replace(tzinfo=dt.UTC) if utc else moment.astimezone()
    return (aware - _EPOCH) // dt.timedelta(microseconds=1)
