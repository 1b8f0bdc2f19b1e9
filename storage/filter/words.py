"""How words are compared: upper and lower case are the same, `*` stands for anything, text is cut into words.

Everything is compared in this one way, here and in both databases: what they are given has been folded and cut before.
"""

from __future__ import annotations

import collections
import re
from typing import Final

WORDS_MOST: Final = 16_000
"""Words of one exchange that are searched, so that no block of them (`blocks`) gets much longer than others."""
BYTES_MOST: Final = 400_000
"""Their bytes in all."""
WORD_LONGEST: Final = 60
"""Characters of a word; what is longer counts as several."""
REPEATS_MOST: Final = 255
"""How often a word counts in one exchange: what comes more often is nothing to search for."""

_WORD: Final = re.compile(rf"[^\W_]{{1,{WORD_LONGEST}}}")


def fold(text: str) -> str:
    """For comparison without regard to case."""
    return text.casefold()


def split(text: str) -> list[str]:
    """The words of a text, folded: runs of letters and digits, of any alphabet."""
    return _WORD.findall(fold(text))


def like(pattern: tuple[str, ...], word: str) -> bool:
    """Whether a folded word is like a pattern of folded parts."""
    first, *rest = pattern
    if not rest:
        return word == first
    *middle, last = rest
    if len(word) < len(first) + len(last) or not word.startswith(first) or not word.endswith(last):
        return False
    position, end = len(first), len(word) - len(last)
    for part in middle:
        found = word.find(part, position, end)
        if found < 0:
            return False
        position = found + len(part)
    return True


def folded(pattern: tuple[str, ...]) -> tuple[str, ...]:
    """A pattern for `like`."""
    return tuple(map(fold, pattern))


def sql_pattern(pattern: tuple[str, ...]) -> str:
    """A folded pattern for LIKE with the escape character `!`."""
    return "%".join(re.sub(r"[!%_]", r"!\g<0>", part) for part in pattern)


def said_words(text: str) -> list[str]:
    """The words of what was said, as far as they are searched."""
    found = split(text)
    if len(found) <= REPEATS_MOST:  # none of them can be too many
        return found
    room, kept = BYTES_MOST, list[str]()
    repeats = collections.Counter[str]()
    for word in found:
        repeats[word] += 1
        if repeats[word] > REPEATS_MOST:
            continue
        room -= len(word.encode()) + 1
        if room < 0 or len(kept) == WORDS_MOST:
            break
        kept.append(word)
    return kept


def phrase_in(phrase: list[str], said: str, *, goes_on: bool) -> bool:
    """Whether the words stand in a text of words joined by blanks, with a blank at either end."""
    return f" {' '.join(phrase)}{'' if goes_on else ' '}" in said
