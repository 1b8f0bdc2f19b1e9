"""Transcripts whose lines say whose they are: `C: a NOOP`, `S: a OK done`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from imaptap.importing.sessions import Sessions
from imaptap.importing.sides import is_bye, is_greeting
from imaptap.importing.values import BrokenError, Remark
from imaptap.meaning.words import counted
from proxy.imap.transcript import Direction

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from imaptap.importing.values import Statement

MARK = re.compile(rb"[ \t]{0,12}([CS])(?:lient|erver)?: ?")
_SIDES = {b"C": Direction.CLIENT, b"S": Direction.SERVER}
_HELD_MOST = 16 * 1024
"""Bytes of a line that may go on: each one that it goes on with copies it."""


class Marked:
    """Reads one file, line by line."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._sessions = Sessions(path)
        self._held: tuple[int, Direction, bytes] | None = None
        """The newest line, which the next ones may go on with: RFCs are 72 columns wide."""
        self._passed_over: tuple[int, int] | None = None
        """The first line that is nobody's, and how many there are."""
        self._bye = False

    def line(self, number: int, text: bytes) -> Iterator[Statement]:
        """The next line, without its end."""
        found = MARK.match(text)
        if found is not None:
            yield from self._flush()
            side, content = _SIDES[found[1]], text[found.end() :]
            within = self._sessions.literals[side].unfinished
            self._held = (number, side, content if within else content.lstrip(b" \t"))
        elif self._held is not None and not self._announced(self._held) and text[:1] in {b" ", b"\t"} and text.strip():
            begun, side, before = self._held
            if len(before) > _HELD_MOST:
                raise BrokenError(self._path, number, "the line is longer than anybody types")
            self._held = (begun, side, before + b" " + text.strip(b" \t"))
        else:
            yield from self._flush()
            goes_on = self._sessions.within()
            if goes_on is not None and self._sessions.literals[goes_on].owed:
                yield from self._sessions.say(number, goes_on, text)
            elif text.strip():
                self._pass_over(number)

    def end(self) -> Iterator[Statement]:
        """There are no more."""
        yield from self._flush()
        yield from self._sessions.end()
        if self._passed_over is not None:
            first, count = self._passed_over
            are = counted(count, "line is", "lines are")
            yield Remark(None, "passed over", f"{are} marked as nobody's, the first in line {first:,}")

    def _announced(self, held: tuple[int, Direction, bytes]) -> bool:
        """Whether what comes next is a literal's."""
        _, side, content = held
        return self._sessions.literals[side].owed > 0 or content.endswith((b"}", b"}\r"))

    def _pass_over(self, number: int) -> None:
        first, count = self._passed_over or (number, 0)
        self._passed_over = (first, count + 1)

    def _flush(self) -> Iterator[Statement]:
        """The line that was held is whole."""
        if self._held is None:
            return
        (number, side, content), self._held = self._held, None
        greets = side is Direction.SERVER and is_greeting(content) and self._bye
        if self._sessions.key is None or greets:
            self._bye = False
            yield from self._sessions.begin("unknown", None)
        within = self._sessions.literals[side].unfinished
        self._bye |= not within and side is Direction.SERVER and is_bye(content)
        yield from self._sessions.say(number, side, content)
