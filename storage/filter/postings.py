"""Where words stand, in blocks of exchanges, as PostgreSQL keeps it (`blocks`): what is written, and how it is found.

A block is some exchanges in a row. Their words have places 0, 1, 2, ..., and behind the last one of each exchange is a
place for its *end*. Places of all blocks are numbered on; each block begins with a whole byte. So where a phrase was
said is `first & second >> 1`, in all blocks at once, and one addition tells which ends follow (`ends_behind`).

A word that has many places in a block has a bitmap of its own there, under the word; the others are listed together
under their first two letters and a star: b" over:17 overquota:4,90". The lowest bit of a byte is its first place.
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

    def stands_under(self, key: str) -> bool:
        """Whether its places may stand there."""
        return key == self.shared or (key.startswith(self.word) if self.goes_on else key == self.word)


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
    whole = dict[str, bytes]()
    for word, places in found.items():
        if len(places) * _COMMON >= place:
            whole[word] = bitmap(places, size)
        else:
            shared[_shared(word)].append(f" {word}:{','.join(map(str, places))}")
    return Packed(bitmap(ends, size), whole | {key: "".join(listed).encode() for key, listed in shared.items()})


def _shared(word: str) -> str:
    return f"{word[:_SHARED]}*"


def bitmap(places: Iterable[int], size: int) -> bytes:
    """Bits in `size` bytes."""
    bits = bytearray(size)
    for place in places:
        bits[place >> 3] |= 1 << (place & 7)
    return bytes(bits)


class Places:
    """All places of a word, of all blocks, as they are found."""

    def __init__(self, wanted: Wanted, size: int) -> None:
        """`size`: bytes of all blocks."""
        self._goes_on = wanted.goes_on
        more = b"[^:]*" if wanted.goes_on else b""
        self._listed = re.compile(b" %b%b:([0-9,]+)" % (wanted.word.encode(), more))
        self._bits = bytearray(size)

    def add(self, first: int, key: str, places: bytes) -> None:
        """What stands under a key of the block that begins with byte `first`."""
        bits = self._bits
        if key.endswith("*"):
            for listed in self._listed.findall(places):
                for place in map(int, listed.split(b",")):
                    bits[first + (place >> 3)] |= 1 << (place & 7)
            return
        end = first + len(places)
        if self._goes_on:  # there may be several
            both = int.from_bytes(bits[first:end], "little") | int.from_bytes(places, "little")
            places = both.to_bytes(len(places), "little")
        bits[first:end] = places

    def bits(self) -> int:
        """As one number: the lowest bit is the first place."""
        return int.from_bytes(self._bits, "little")


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
    last = int.from_bytes(ends, "little")
    inside = last ^ ((1 << 8 * len(ends)) - 1)
    return places + inside & last


def ranks(chosen: bytes, ends: bytes) -> list[int]:
    """Of a block: the how manieth of its ends the chosen ones are, from 0."""
    bits, last = int.from_bytes(chosen, "little"), int.from_bytes(ends, "little")
    found = list[int]()
    while bits:
        lowest = bits & -bits
        found.append((last & (lowest - 1)).bit_count())
        bits ^= lowest
    return found
