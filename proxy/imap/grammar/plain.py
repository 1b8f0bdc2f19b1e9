"""The line that ends most commands, read by one pattern: `tag OK text`, without a code, and nothing odd about it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from proxy.imap.grammar.responses import Tagged
from proxy.imap.grammar.status import CONDITIONS, Status

if TYPE_CHECKING:
    from proxy.imap.units import Unit

_COMPLETION = re.compile(rb"([A-Za-z0-9.]++) (OK|NO|BAD) ([^\[ \t\r\n][^\r\n]*+)\r\n")


def plain_completion(unit: Unit) -> Tagged | None:
    """What the grammar makes of such a line; None for every other unit."""
    text = unit.texts[0] if len(unit.texts) == 1 else b""
    match = _COMPLETION.fullmatch(text) if len(text) == unit.end - unit.start else None
    return Tagged(match[1], Status(CONDITIONS[match[2]], None, match[3])) if match else None
