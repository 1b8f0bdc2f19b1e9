"""Dates moved by whole days, in as many bytes (RFC 5322 section 3.3, RFC 9051 section 9, ISO 8601)."""

from __future__ import annotations

import datetime as dt
import re
from typing import Final

_DAYS: Final = tuple(map(str, "mon tue wed thu fri sat sun".split()))
_MONTHS: Final = tuple(map(str, "jan feb mar apr may jun jul aug sep oct nov dec".split()))
_NAMES = "|".join(_MONTHS)
_TIME = r"(?P<tail{0}>[ T]+\d\d?:\d\d(?::\d\d)?(?:\.\d+)?(?:[ ]*[+-]\d{{2}}:?\d{{2}}\b|Z\b)?)?"
PATTERN: Final = (
    rf"(?:\b(?:(?P<weekday>{'|'.join(_DAYS)}),(?P<gap>[ \t]*))?(?P<day>[ ]?\b\d{{1,2}})(?P<a>[ -]+)(?P<month>{_NAMES})"
    rf"(?P<b>[ -]+)(?P<year>\d{{4}})\b{_TIME.format('')})"
    rf"|\b(?P<weekday2>{'|'.join(_DAYS)})[ ]+(?P<month2>{_NAMES})[ ]+(?P<day2>\d{{1,2}})[ ]+"
    r"(?P<time2>[\d:]+)[ ]+(?P<year2>\d{4})\b"
    rf"|\b(?P<year3>(?:19|20)\d\d)-(?P<month3>0[1-9]|1[0-2])-(?P<day3>[0-3]\d)(?!\d){_TIME.format(3)}"
)
"""What a date looks like, with its time (to be used with re.IGNORECASE and re.ASCII)."""


def moved(match: re.Match[str], days: int) -> str | None:
    """The date that this is, so many days later, in as many characters; None where it is no date at all."""
    kind = "3" if match["year3"] else "2" if match["year2"] else ""
    month = match[f"month{kind}"].lower()
    number = int(month) if kind == "3" else _MONTHS.index(month) + 1
    date = _date(int(match[f"year{kind}"]), number, int(match[f"day{kind}"]), days)
    if date is None:
        return None
    if kind == "3":
        return f"{date.year:04d}-{date:%m-%d}{match['tail3'] or ''}"
    return _of_program(match, date) if kind else _of_letter(match, date)


def _date(year: int, month: int, day: int, days: int) -> dt.date | None:
    try:
        return dt.date(year, month, day) + dt.timedelta(days)
    except (ValueError, OverflowError):
        return None


def _of_letter(match: re.Match[str], date: dt.date) -> str:
    head, written = "", match["day"]
    room = len(written)
    if match["weekday"]:
        gap = match["gap"]
        head = _like(_DAYS[date.weekday()], match["weekday"]) + ","
        room += len(gap)
    day = f"{date.day:02d}" if written.lstrip().startswith("0") else str(date.day)
    if len(day) > room:
        # The RFCs leave no room in `SINCE 9-Nov-2026` for the 12th: the last day that fits.
        day = "9"
    month = _like(_MONTHS[date.month - 1], match["month"])
    return f"{head}{day.rjust(room)}{match['a']}{month}{match['b']}{date.year:04d}{match['tail'] or ''}"


def _of_program(match: re.Match[str], date: dt.date) -> str:
    """As ctime(3) writes it."""
    text = match[0]
    start = match.start()
    parts = {
        "weekday2": _like(_DAYS[date.weekday()], match["weekday2"]),
        "month2": _like(_MONTHS[date.month - 1], match["month2"]),
        "year2": f"{date.year:04d}",
    }
    width = len(match["day2"])
    if len(str(date.day)) > width and text[match.start("day2") - start - 2] == " ":
        day_start, width = match.start("day2") - 1, 2
    else:
        day_start = match.start("day2")
    day = str(date.day) if len(str(date.day)) <= width else "9"
    made = list(text)
    made[day_start - start : day_start - start + width] = day.rjust(width)
    for name, part in parts.items():
        made[match.start(name) - start : match.end(name) - start] = part
    return "".join(made)


def _like(word: str, written: str) -> str:
    return word.upper() if written.isupper() else word if written.islower() else word.capitalize()
