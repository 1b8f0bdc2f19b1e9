"""What a command is about, by colour; and how long it took, as a bar."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from imaptap.exporting.kinds import Kind, kind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from proxy.imap.transcript import Exchange

_COLOURS = {
    Kind.SESSION: "magenta",
    Kind.MAILBOXES: "blue",
    Kind.MESSAGES: "cyan",
    Kind.SEARCHES: "green",
    Kind.NEWS: "yellow",
    Kind.OTHER: "white",
}
_EIGHTHS = " ▏▎▍▌▋▊▉█"
BAR = 6
"""Cells of a bar."""


def colour(command: str) -> str:
    """The colour of a command: of sessions, mailboxes, messages, searches, or news."""
    return _COLOURS[kind(command)]


def duration(exchange: Exchange) -> int | None:
    """Microseconds that it took; None while it is open, and for an IDLE, which takes as long as the client likes."""
    if exchange.ended is None or exchange.command == "IDLE":
        return None
    return exchange.ended - exchange.started


def longest(exchanges: Iterable[Exchange]) -> int:
    """What a full bar stands for."""
    return max((taken for taken in map(duration, exchanges) if taken is not None), default=0)


def bar(exchange: Exchange, full: int) -> Text:
    """Its duration beside the longest one's; blank for what has none."""
    taken = duration(exchange)
    if taken is None or full <= 0:
        return Text(" " * BAR)
    eighths = max(1, round(min(1.0, taken / full) * BAR * 8))
    whole, rest = divmod(eighths, 8)
    cells = "█" * whole + (_EIGHTHS[rest] if rest else "")
    return Text(f"{cells:<{BAR}}", "red" if taken * 2 > full else "green")
