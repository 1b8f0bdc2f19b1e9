"""Where words stand, in blocks of exchanges, as PostgreSQL keeps it (`blocks`): what is written, and how it is found.

A block is some exchanges in a row. Their words have places 0, 1, 2, ..., and behind the last one of each exchange is a
place for its *end*. Sets of places are numbers, the lowest bit for the first place. So where a phrase was said is
`first & second >> 1` for a whole block, and one addition tells which ends follow (`ends_behind`).

A word that has many places in a block has a bitmap of its own there, under the word; the others are listed together
under their first two letters and a star: b" over:17 overquota:4,90". All that begin with one letter have a bitmap, too,
if they have many places: under the letter and two stars. The lowest bit of a byte is its first place.
"""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_COMMON: Final = 128
"""A word with one place in so many, or more, has a bitmap: reading a bit of a list takes 0.2 us, whatever it is of."""
_SHARED: Final = 2


class Packed(NamedTuple):
    """A block: its ends, as a bitmap, and the places of its words by key."""

    ends: bytes
    places: dict[str, bytes]


class Wanted(NamedTuple):
    """A word to look for, or with `goes_on` all that begin so."""

    word: str
    goes_on: bool

    @property
    def shared(self) -> str:
        """The key under which it is listed, where it has no bitmap."""
        return _shared(self.word)

    @property
    def whole(self) -> str | None:
        """The key under which all of it has a bitmap, in blocks where it has many places."""
        if not self.goes_on:
            return self.word
        return _letter(self.word) if len(self.word) == 1 else None

    def stands_under(self, key: str) -> bool:
        """Whether its places may stand there."""
        return key == self.shared or (key.startswith(self.word) if self.goes_on else key == self.word)

    def bits(self, key: str, places: bytes) -> int:
        """The places among those that stand under a key."""
        if not key.endswith("*") or key.endswith("**"):
            return int.from_bytes(places, "little")
        more = b"[^:]*" if self.goes_on else b""
        listed = re.findall(b" %b%b:([0-9,]+)" % (self.word.encode(), more), places)
        found = [int(place) for some in listed for place in some.split(b",")]
        return int.from_bytes(bitmap(found, max(found, default=0) // 8 + 1), "little")


def pack(said: Sequence[Sequence[str]]) -> Packed:
    """The words of a block's exchanges, in their order."""
    found = defaultdict[str, list[int]](list)
    ends = list[int]()
    place = 0
    for words in said:
        for at, word in enumerate(words, place):
            found[word].append(at)
        ends.append(place + len(words))
        place += len(words) + 1
    size = -(-place // 8)
    shared = defaultdict[str, list[str]](list)
    letters = defaultdict[str, list[int]](list)
    whole = dict[str, bytes]()
    for word, places in found.items():
        letters[_letter(word)] += places
        if len(places) * _COMMON >= place:
            whole[word] = bitmap(places, size)
        else:
            shared[_shared(word)].append(f" {word}:{','.join(map(str, places))}")
    whole |= {key: bitmap(places, size) for key, places in letters.items() if len(places) * _COMMON >= place}
    return Packed(bitmap(ends, size), whole | {key: "".join(listed).encode() for key, listed in shared.items()})


def _letter(word: str) -> str:
    return f"{word[0]}**"


def _shared(word: str) -> str:
    return f"{word[:_SHARED]}*"


def bitmap(places: Iterable[int], size: int) -> bytes:
    """Bits in `size` bytes."""
    bits = bytearray(size)
    for place in places:
        bits[place >> 3] |= 1 << (place & 7)
    return bytes(bits)


def phrase(words: Iterable[int]) -> int:
    """The places at which the first of these words stands, and the others behind it. An end is no word's place."""
    first, *others = words
    for distance, places in enumerate(others, 1):
        first &= places >> distance
    return first


def ends_behind(places: int, ends: bytes) -> int:
    """The ends of those exchanges that have any of these places.

    Each exchange's places are a run of ones; a one more anywhere among them is carried to the end behind them, and no
    further.
    """
    if not places:
        return 0
    last = int.from_bytes(ends, "little")
    inside = last ^ ((1 << 8 * len(ends)) - 1)
    return places + inside & last


def ranks(chosen: int, ends: bytes) -> list[int]:
    """The how manieth of a block's ends the chosen ones are, from 0."""
    last = int.from_bytes(ends, "little")
    found = list[int]()
    while chosen:
        lowest = chosen & -chosen
        found.append((last & (lowest - 1)).bit_count())
        chosen ^= lowest
    return found
