"""Units that come again and again, read once: NOOP and its OK, FLAGS, the same lines at two servers.

A command and its completion come again with another tag, which is put into what is remembered of them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Generic, TypeVar, cast

from proxy.imap.grammar import Command, Parsed, Tagged

if TYPE_CHECKING:
    from collections.abc import Callable

    from proxy.imap.units import Unit

V = TypeVar("V")

TEXT_MOST = 200
"""Bytes of a unit that is remembered: long ones do not come again."""
UNITS_MOST = 4096
_TAG = re.compile(rb"[A-Za-z0-9.]+(?= )")  # what begins so is no untagged response and no continuation


class Remembered(Generic[V]):
    """Reads units by `parse`. What it remembers holds nothing of where a unit stood."""

    def __init__(self, parse: Callable[[Unit], Parsed[V]]) -> None:
        self._parse = parse
        self._known: dict[bytes, Parsed[V]] = {}

    def __call__(self, unit: Unit) -> Parsed[V]:
        """What the unit says."""
        text = unit.texts[0]
        if unit.literals or unit.flaws or len(text) > TEXT_MOST or len(text) != unit.end - unit.start:
            return self._parse(unit)
        match = _TAG.match(text)
        key = b"." + text[match.end() :] if match else text  # no other text begins so
        found = self._known.get(key)
        if found is None:
            found = self._parse(unit)
            if found.understood is not None and not found.quirks:  # those tell offsets
                if len(self._known) >= UNITS_MOST:
                    self._known.clear()
                self._known[key] = found
        elif match:
            return cast("Parsed[V]", _tagged(found.value, match[0]))
        return found


def _tagged(value: object, tag: bytes) -> Parsed[Command] | Parsed[Tagged]:
    """The same, said with this tag."""
    if isinstance(value, Command):
        return Parsed(Command(tag, value.body))
    return Parsed(Tagged(tag, cast("Tagged", value).status))
