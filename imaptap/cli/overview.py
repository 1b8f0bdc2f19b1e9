"""A recording in a line an exchange: when, how long, what was asked, what the answer meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from imaptap.cli.kinds import bar, colour
from imaptap.cli.lines import clock, result_style
from imaptap.exporting.words import marks, result, said, took

if TYPE_CHECKING:
    from imaptap.meaning.values import Meaning
    from proxy.imap.transcript import Exchange

_COMMAND_MOST = 48
_ROOMY = 110
"""Cells of a line that has room for the time of day and for a bar."""


def overview_line(exchange: Exchange, meaning: Meaning, wall: int, *, full: int | None, width: int | None) -> Text:
    """One exchange. `full` is the longest duration in view, None for no bar; the line is cut at `width`, if given."""
    roomy = width is None or width >= _ROOMY
    line = Text(f"{exchange.number:>5}  ", "dim")
    if roomy:
        line.append(f"{clock(wall + exchange.started)}  ", "dim")
    if roomy and full is not None:
        line.append_text(bar(exchange, full)).append(" ")
    line.append(f"{took(exchange):>8}  ", "dim")
    command = Text(said(exchange), colour(exchange.command))
    command.truncate(_COMMAND_MOST if roomy else _COMMAND_MOST // 2, overflow="ellipsis")
    line.append_text(command)
    line.append(" → ", "dim")
    if exchange.status != "OK":
        line.append(result(exchange), result_style(exchange)).append("; " if meaning.summary else "")
    line.append(meaning.summary if meaning.summary or exchange.status != "OK" else result(exchange))
    for remark in (marks(exchange), *meaning.quirks[:2]):
        if remark:
            line.append(f"  ({remark})", "yellow")
    if width is not None:
        line.truncate(width, overflow="ellipsis")
    return line


def meaning_lines(meaning: Meaning) -> list[Text]:
    """What stands below the heading of an exchange: its meaning, the details, what was odd."""
    lines = [Text("→ ", "bold").append(meaning.summary, "bold")] if meaning.summary else []
    lines += [Text(f"  {detail}") for detail in meaning.details]
    lines += [Text(f"! {quirk}", "yellow") for quirk in meaning.quirks]
    return lines
