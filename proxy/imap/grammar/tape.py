"""A unit laid out for reading: one run of text, and the literals where they were announced.

Everything that moves goes forward by compiled patterns that cannot backtrack far, so a unit of n bytes takes time in
proportion to n. `Stopped` is raised where reading cannot go on; nobody outside of this package sees it.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, NoReturn, TypeVar

from proxy.imap.grammar.quirks import NOTES_MOST, Noted, Quirk
from proxy.imap.grammar.values import DEPTH_MOST, VALUES_MOST, Absent, Opaque, String

if TYPE_CHECKING:
    from collections.abc import Callable

    from proxy.imap.units import Literal, Unit

T = TypeVar("T")

_TAB = ord("\t")
_BLANKS = (b" ", b"\t")
_SPACES = re.compile(rb"[ \t]*+")
_ANNOUNCEMENT = re.compile(rb"(~?)\{([0-9]++)(\+?)\}\r?\n")
_ANNOUNCED = re.compile(rb"\{[0-9]++\+?\}\Z")
_ANNOUNCED_MOST = 30
_BRACKETS = re.compile(rb'\[(?:[^\]"]++|"(?:[^"\\\n]++|\\[^\n])*+")*+\](?:<[^> ()]*+>)?+')
_TOKENS = re.compile(rb'\(++|\)++|"(?:[^"\\\n]++|\\[^\n])*+"|~?\{[0-9]++\+?\}\r?\n|[^ ()"\n]++| ++')


class Stopped(Exception):  # noqa: N818 - it is where reading stopped, and may be no error at all
    """Reading cannot go on at this position of the text; `expected` says what had to stand there."""

    def __init__(self, pos: int, expected: str) -> None:
        super().__init__(f"expected {expected} at {pos}")
        self.pos = pos
        self.expected = expected


Mark = tuple[int, int, int]


class Tape:
    """Text of the unit in `data`, from `pos` to `end` (the line end is not part of it)."""

    def __init__(self, unit: Unit) -> None:
        self.unit = unit
        self.data = unit.texts[0] if len(unit.texts) == 1 else b"".join(unit.texts)
        self.pos: int = 0
        self.end = len(self.data)
        self.notes: list[Noted] = []
        self._depth = 0
        self._left = VALUES_MOST
        self._places: list[int] = []
        self._sizes = [0]
        self._literals: dict[int, Literal] = {}
        if unit.literals:
            self._places += accumulate(map(len, unit.texts[:-1]))
            self._sizes += accumulate(literal.size for literal in unit.literals)
            self._literals.update(zip(self._places, unit.literals, strict=False))
        if self._whole():
            self._cut_line_end()
        else:
            self.end = -1

    @property
    def whole(self) -> bool:
        """Whether the unit has all of its text; what was too long to keep cannot be read."""
        return self.end >= 0

    def offset(self, pos: int) -> int:
        """The offset in the unit of a position in the text."""
        return pos + self._sizes[bisect_right(self._places, pos)]

    def stop(self, expected: str, pos: int | None = None) -> NoReturn:
        """Give up here."""
        raise Stopped(self.pos if pos is None else pos, expected)

    def note(self, quirk: Quirk, start: int, end: int | None = None, detail: str = "") -> None:
        """A quirk from `start` to `end`, or to where reading is now."""
        if len(self.notes) < NOTES_MOST:
            end = self.pos if end is None else end
            self.notes.append(Noted(quirk, self.offset(start), self.offset(end), detail))

    def mark(self) -> Mark:
        """A place to come `back` to."""
        return self.pos, len(self.notes), self._depth

    def back(self, mark: Mark) -> None:
        """Forget what was read since."""
        self.pos, notes, self._depth = mark
        del self.notes[notes:]

    def spend(self, values: int = 1) -> None:
        """Count values made of this unit; too many end it."""
        self._left -= values
        if self._left < 0:
            self.stop(f"at most {VALUES_MOST} values")

    def enter(self) -> None:
        """One list deeper."""
        self._depth += 1
        if self._depth > DEPTH_MOST:
            self.stop(f"at most {DEPTH_MOST} lists within each other")

    def leave(self) -> None:
        """One list less deep."""
        self._depth -= 1

    def at(self, text: bytes) -> bool:
        """Whether `text` comes next; never at the end."""
        return self.data.startswith(text, self.pos, self.end)

    def at_end(self) -> bool:
        """Whether the line ends here."""
        return self.pos >= self.end

    def accept(self, text: bytes) -> bool:
        """Take `text` if it comes next."""
        if self.data.startswith(text, self.pos, self.end):
            self.pos += len(text)
            return True
        return False

    def expect(self, text: bytes) -> None:
        """Take `text`, which has to come next."""
        if not self.accept(text):
            self.stop(text.decode())

    def match(self, pattern: re.Pattern[bytes]) -> re.Match[bytes] | None:
        """Take what the pattern matches, if it does."""
        match = pattern.match(self.data, self.pos, self.end)
        if match is not None:
            self.pos = match.end()
        return match

    def take(self, pattern: re.Pattern[bytes], expected: str) -> re.Match[bytes]:
        """Take what the pattern matches, which has to."""
        match = pattern.match(self.data, self.pos, self.end)
        if match is None:
            self.stop(expected)
        self.pos = match.end()
        return match

    def sp(self) -> None:
        """SP (RFC 9051 section 9). More than one, or none beside a bracket or quote, is a quirk (M 2.8)."""
        start, data = self.pos, self.data
        if data.startswith(b" ", start, self.end) and not data.startswith(_BLANKS, start + 1, self.end):
            self.pos = start + 1  # as nearly always
            return
        self.match(_SPACES)
        count = self.pos - start
        if count == 1:
            if data[start] == _TAB:
                self.note(Quirk.TAB, start)
        elif count:
            self.note(Quirk.DOUBLED_SPACE, start)
        elif data[start - 1 : start] in (b")", b'"', b"]") or data[start : start + 1] in (b"(", b'"', b"{", b"["):
            self.note(Quirk.MISSING_SPACE, start)
        else:
            self.stop("a space")

    def more(self) -> bool:
        """Whether an argument follows: takes the space before it. Spaces before the line end are a quirk."""
        start = self.pos
        self.match(_SPACES)
        if self.pos >= self.end:
            self.pos = start
            return False
        self.pos = start
        if start == self.end:
            return False
        self.sp()
        return True

    def spaces(self) -> None:
        """Spaces that do not belong here."""
        start = self.pos
        if self.data.startswith(_BLANKS, start, self.end):
            self.match(_SPACES)
            self.note(Quirk.EXTRA_SPACE, start)

    def finish(self) -> None:
        """The line ends here."""
        start = self.pos
        if start < self.end:
            self.match(_SPACES)
        if self.pos < self.end:
            self.pos = start
            self.stop("the line end")
        # A word like that, written again, would announce a literal. The wire let it pass where a quote stood open.
        if self.data.endswith(b"}", 0, start) and _ANNOUNCED.search(self.data, max(0, start - _ANNOUNCED_MOST), start):
            self.pos = start
            self.stop("a literal")
        if self.pos > start:
            self.note(Quirk.TRAILING_SPACE, start)

    def listed(self, item: Callable[[], T], close: bytes = b")") -> tuple[T, ...]:
        """Items with a space between them up to `close`; the opening bracket has been taken."""
        items: list[T] = []
        self.spend()
        self.spaces()
        while not self.accept(close):
            self.spend()
            items.append(item())
            if not self.at(close):
                start = self.pos
                self.sp()
                if self.at(close):
                    self.note(Quirk.EXTRA_SPACE, start)
        return tuple(items)

    def run(self, item: Callable[[], T]) -> tuple[T, ...]:
        """Items without spaces between them up to ")"; the opening parenthesis has been taken."""
        items: list[T] = []
        self.spend()
        self.spaces()
        while not self.accept(b")"):
            self.spend()
            items.append(item())
            self.spaces()
        return tuple(items)

    def parenthesised(self, item: Callable[[], T]) -> tuple[T, ...]:
        """`(item item …)`, perhaps empty."""
        self.expect(b"(")
        return self.listed(item)

    def literal(self) -> String:
        """literal / literal8 / non-sync (RFC 9051 section 9, RFC 7888, RFC 3516)."""
        start = self.pos
        match = _ANNOUNCEMENT.match(self.data, start, self.end)
        literal = self._literals.get(match.end()) if match else None
        if match is None or literal is None:
            self.stop("a literal")
        self.pos = match.end()
        self.spend()
        return _content(literal)

    def skip(self) -> Opaque:
        """One value of any kind and depth, as it stands."""
        start = self.pos
        depth = 0
        while True:
            match = self.take(_TOKENS, ")" if depth else "a value")
            self.spend()
            first = match[0][:1]
            if first == b"(":
                depth += match.end() - match.start()
            elif first == b")":
                depth = self._close(depth, match.start(), match.end())
            elif first == b" " and not depth:
                self.stop("a value", start)
            if not depth:
                return self.opaque(start)

    def skip_brackets(self) -> None:
        """`[…]` and `<…>` behind an item's name, whatever stands in them: quoted strings and literals too (M 2.7)."""
        self.take(_BRACKETS, "]")

    def opaque(self, start: int) -> Opaque:
        """Everything from `start` to here."""
        cuts = self._places[bisect_right(self._places, start) : bisect_right(self._places, self.pos)]
        edges = [start, *cuts, self.pos]
        texts = tuple(self.data[a:b] for a, b in pairwise(edges))
        return Opaque(texts, tuple(_content(self._literals[place]) for place in cuts))

    def _close(self, depth: int, start: int, end: int) -> int:
        """Take as many ")" as are open."""
        if not depth:
            self.stop("a value", start)
        count = min(depth, end - start)
        self.pos = start + count
        return depth - count

    def _whole(self) -> bool:
        unit = self.unit
        return len(self.data) + self._sizes[-1] == unit.end - unit.start and len(unit.texts) == len(unit.literals) + 1

    def _cut_line_end(self) -> None:
        end = len(self.data)
        last = self.unit.texts[-1]  # the line end of an announcement ends nothing
        if last.endswith(b"\r\n"):
            self.end = end - 2
        elif last.endswith(b"\n"):
            self.end = end - 1
            self.note(Quirk.BARE_LF, end - 1, end)
        else:
            self.note(Quirk.CUT, end, end)


def _content(literal: Literal) -> String:
    if literal.content is None:
        return Absent(literal.size, literal.binary, literal.start)
    return literal.content
