"""Text of peers in Markdown, where it is nothing but text."""

from __future__ import annotations

import re

from storage.diff.report.words import plain

_SPECIAL = re.compile(r"([\\`*_\[\]#|<>~&@:])")
_TICKS = re.compile(r"`+")


def marked(text: str) -> str:
    """Text in which nothing is Markdown or HTML."""
    return _SPECIAL.sub(r"\\\1", plain(text))


def code(text: str) -> str:
    """Text as code, in a table too: a bar would end the cell even there, so it is shown as what looks like one."""
    shown = plain(text).replace("|", "¦")
    fence = "`" * (1 + max(map(len, _TICKS.findall(shown)), default=0))
    pad = " " if shown.startswith("`") or shown.endswith("`") or not shown else ""
    return f"{fence}{pad}{shown}{pad}{fence}"
