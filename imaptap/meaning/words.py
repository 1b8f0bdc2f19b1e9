"""Numbers, sets and strings of peers in words. All that is made here is one line and safe to print."""

from __future__ import annotations

from array import array
from contextlib import suppress
from typing import TYPE_CHECKING

from proxy.imap.grammar.values import Absent, Atom, Ext, NString
from proxy.imap.transcript import readable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from proxy.imap.grammar.dates import DateTime
    from proxy.imap.grammar.sets import SequenceSet

STRING_MOST = 72
"""Characters of one string of a peer that are shown."""
RANGES_MOST = 12
"""Ranges of one set that are shown; of the rest it is said how many there are."""


def safe(text: str) -> str:
    """The text without anything that a terminal obeys."""
    return readable(text.encode("utf-8", "surrogatepass"))


def short(text: str, most: int = STRING_MOST) -> str:
    """At most so many characters of it, safe to print."""
    return safe(text) if len(text) <= most else safe(text[:most]) + "…"


def string(value: NString) -> str:
    """A string: NIL, its size where its content lies elsewhere, or what it says."""
    if value is None:
        return "NIL"
    return f"({size(value.size)})" if isinstance(value, Absent) else short(value.decode("utf-8", "backslashreplace"))


def value(ext: Ext) -> str:
    """A value of an extension that nobody here knows."""
    if isinstance(ext, tuple):
        return "(…)" if ext else "()"
    return string(ext.raw if isinstance(ext, Atom) else ext)


def number(count: int) -> str:
    """1234567 as 1,234,567."""
    return f"{count:,}"


def size(octets: int) -> str:
    """34,269 B."""
    return f"{octets:,} B"


def counted(count: int, noun: str, plural: str = "") -> str:
    """1 message, 25 messages."""
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"


def flags(words: Sequence[bytes]) -> str:
    """Flags with a space between them."""
    shown = " ".join(short(word.decode("utf-8", "backslashreplace"), 30) for word in words[:20])
    return f"{shown} and {len(words) - 20} more" if len(words) > 20 else shown


def moment(date: DateTime | None) -> str:
    """2023-11-14 22:13 +0100."""
    if date is None:
        return "no date"
    instant = date.instant
    return f"{instant:%Y-%m-%d %H:%M %z}" if instant else string(date.raw)


def joined(parts: Iterable[str], between: str = ", ") -> str:
    """Those parts that say something."""
    return between.join(part for part in parts if part)


class Gatherer:
    """Numbers and sets gathered one by one, said as one set: 1:5,7. Runs of neighbours are kept as such."""

    def __init__(self) -> None:
        self._firsts, self._lasts = array("Q"), array("Q")
        self._added = 0

    def __len__(self) -> int:
        """How many were added, doubles too."""
        return self._added

    def add(self, number: int) -> None:
        """One more."""
        self._add(number, number)

    def add_set(self, messages: SequenceSet) -> None:
        """All of a set; one with a `*`, or `$`, names nobody."""
        with suppress(ValueError):
            for first, last in messages.normal():
                self._add(first, last)

    def _add(self, first: int, last: int) -> None:
        if not 0 <= first <= last < 2**64:  # no number of a message
            return
        self._added += last - first + 1
        if self._lasts and self._lasts[-1] + 1 == first:
            self._lasts[-1] = last
        else:
            self._firsts.append(first)
            self._lasts.append(last)

    @property
    def count(self) -> int:
        """How many different ones there are."""
        return sum(last - first + 1 for first, last in self.pairs())

    def pairs(self) -> Iterator[tuple[int, int]]:
        """Ascending ranges that do not touch."""
        begin = end = None
        for first, last in sorted(zip(self._firsts, self._lasts, strict=True)):
            if begin is None or end is None:
                begin, end = first, last
            elif first <= end + 1:
                end = max(end, last)
            else:
                yield begin, end
                begin, end = first, last
        if begin is not None and end is not None:
            yield begin, end

    def __str__(self) -> str:
        return ranges(self.pairs())


def ranges(pairs: Iterable[tuple[int, int]]) -> str:
    """Ranges as a set, the first of them."""
    shown: list[str] = []
    left = 0
    for first, last in pairs:
        if len(shown) < RANGES_MOST:
            shown.append(f"{first}" if first == last else f"{first}:{last}")
        else:
            left += 1
    return ",".join(shown) + (f" and {counted(left, 'range')} more" if left else "")


def compressed(messages: SequenceSet) -> str:
    """A set as it was meant: `1,2,3` is 1:3. With `*` in it, as it stands."""
    if messages.saved:
        return "$"
    try:
        return ranges(messages.normal())
    except ValueError:
        return short(messages.raw.decode("ascii", "replace"))


def many(messages: SequenceSet) -> int | None:
    """How many messages a set names; None where that depends."""
    try:
        return None if messages.saved else sum(last - first + 1 for first, last in messages.normal())
    except ValueError:
        return None
