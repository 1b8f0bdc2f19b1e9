"""`--format mbox`: all messages in one file, as mboxrd has them.

Before each stands a line `From imaptap Tue Nov 14 22:13:20 2023` (UTC), behind it an empty one. Lines of messages that
begin with `From `, or with that behind any number of `>`, get one `>` more. Lines end with LF.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import re
from typing import TYPE_CHECKING, BinaryIO

from imaptap.exporting.messages import messages
from imaptap.exporting.times import calendar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from imaptap.exporting.messages import Message
    from imaptap.exporting.selection import Selection
    from imaptap.exporting.settings import Settings

_FROM = re.compile(rb"\n(>*From )")
_BEGINS = re.compile(rb">*From ")
_HELD_MOST, _HALF = 64 * 1024, len(b"From")
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def write(selection: Selection, target: BinaryIO, settings: Settings) -> int:  # noqa: ARG001
    """Write them in the order in which they came. Those that were not kept are left out; returns how many bytes."""
    missing = 0
    for message in messages(selection):
        content = message.content()
        if content is None:
            missing += message.size
            continue
        target.write(_separator(message))
        last = b"\n"
        for block in quoted(content):
            target.write(block)
            last = block[-1:]
        target.write(b"\n" if last == b"\n" else b"\n\n")
    return missing


def _separator(message: Message) -> bytes:
    """With INTERNALDATE, or the date that an APPEND gave; else when it was seen. English in every locale."""
    when = calendar(message.at)
    if message.date is not None:
        with contextlib.suppress(OverflowError):  # the first or the last day of all
            when = message.date.astimezone(dt.UTC)
    day = f"{_DAYS[when.weekday()]} {_MONTHS[when.month - 1]} {when.day:2}"
    return f"From imaptap {day} {when:%H:%M:%S} {when.year:04}\n".encode("ascii")


def quoted(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """The bytes with LF for CRLF, and quoted, however they are cut."""
    held, begins = b"", True
    for block in blocks:
        held += block
        cut = held.rfind(b"\n") + 1
        if cut:
            yield _quoted(held[:cut], begins=begins)
            begins, held = True, held[cut:]
        elif len(held) > _HELD_MOST:  # an endless line: all but what may be half a `From ` or half a line end
            if begins and _BEGINS.match(held):
                held, begins = b">" + held, False
            yield held[:-_HALF]
            begins, held = begins and not held[:-_HALF].strip(b">"), held[-_HALF:]
    if held:
        yield _quoted(held, begins=begins)


def _quoted(text: bytes, *, begins: bool) -> bytes:
    """`begins`: nothing but `>` stands before it in its line, and one more there is as good as one in front."""
    plain = text.replace(b"\r\n", b"\n")
    found = _FROM.sub(rb"\n>\1", plain)
    return b">" + found if begins and _BEGINS.match(plain) else found
