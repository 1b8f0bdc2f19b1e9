"""What commands mean, as numbers: two exchanges are looked for in each other's recordings by these.

Four numbers an exchange, from fine to coarse, so that recordings of any length fit into memory. Two commands with the
same number are taken to be the same at that grade; the numbers are hashes of 64 bits, Python's own: they hold within
one process.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

_ANY = re.compile(
    r"(?P<literal>\{\d+\+?\})"
    r"|(?P<set>(?<![\w.\[<\"\\])(?:\d+|\*|\$)(?:[:,](?:\d+|\*))*(?![\w.\]>\"]))"
    r"|(?P<masked>x{4,})"
)
_ABSTRACT = {"literal": "{}", "set": "#", "masked": "x"}
_SPACES = re.compile(r"\s+")
_LOGINS = frozenset({"LOGIN", "AUTHENTICATE"})
_NUMBERED = frozenset(
    f"{uid}{name}"
    for uid in ("", "UID ")
    for name in ("FETCH", "STORE", "COPY", "MOVE", "EXPUNGE", "SEARCH", "SORT", "THREAD", "REPLACE")
) | {"SELECT", "EXAMINE"}
"""Commands with numbers that a server has given: message numbers, UIDs, UIDVALIDITY, MODSEQ (M 8)."""
_WAITING = frozenset({"NOOP", "CHECK", "IDLE", "CAPABILITY"})
"""Said again and again, wherever the client likes: alone they prove nothing of what belongs together."""
CACHED = 8192
"""Commands whose keys are remembered: those that clients say again and again; each takes half a kilobyte."""


class Key(NamedTuple):
    """A command: letter by letter, what it means, what it is about (its name and mailbox), and its name."""

    exact: int
    meaning: int
    topic: int
    verb: int


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of one session's exchanges, in their order; 40 bytes an exchange."""

    numbers: array[int] = field(default_factory=lambda: array("q"))
    exact: array[int] = field(default_factory=lambda: array("q"))
    meaning: array[int] = field(default_factory=lambda: array("q"))
    topic: array[int] = field(default_factory=lambda: array("q"))
    verb: array[int] = field(default_factory=lambda: array("q"))

    def add(self, number: int, key: Key) -> None:
        """The exchange of that number comes next."""
        self.numbers.append(number)
        self.exact.append(key.exact)
        self.meaning.append(key.meaning)
        self.topic.append(key.topic)
        self.verb.append(key.verb)

    def topic_of(self, number: int) -> int | None:
        """The topic of the exchange of that number; None where there is no such one. Numbers ascend."""
        index = bisect_left(self.numbers, number)
        there = index < len(self.numbers) and self.numbers[index] == number
        return self.topic[index] if there else None

    def __len__(self) -> int:
        return len(self.numbers)


@lru_cache(CACHED)
def key(command: str, arguments: str, mailbox: str | None = None) -> Key:
    """The key of a command, as the fields of an `Exchange` have it.

    Numbers that a server gave (message numbers, UIDs, modseqs), sizes of literals and masks do not count for its
    meaning, nor does how a string was quoted, or the separator of a hierarchy and a prefix of INBOX (M 8).
    """
    said = _SPACES.sub(" ", arguments).strip()
    if command in _LOGINS:  # whoever is let in: by which mechanism is another matter
        return Key(_number(command, said), _number("LOGIN"), _number("LOGIN"), _number("LOGIN"))
    name = command.removeprefix("UID ")
    return Key(
        _number(command, said),
        _number(name, _meant(command, said)),
        _number(name, _plain(mailbox or "")),
        _number(name),
    )


def proves_nothing(verb: int) -> bool:
    """Whether a command of this `verb` is one that may stand anywhere."""
    return verb in _WAITING_VERBS


def _meant(command: str, said: str) -> str:
    wanted = {"literal", "masked", "set"} if command in _NUMBERED else {"literal", "masked"}
    abstract = _ANY.sub(lambda found: _stand_in(found, wanted), said)
    return _plain(abstract.replace('"', ""))


def _stand_in(found: re.Match[str], wanted: set[str]) -> str:
    kind = found.lastgroup or ""
    return _ABSTRACT[kind] if kind in wanted else found[0]


def _plain(name: str) -> str:
    """Without case, and with one separator for all (a key may take too much for the same, seldom too little)."""
    joined = name.upper().replace(".", "/")
    return joined.replace("INBOX/", "")


def _number(*words: str) -> int:
    return hash(words)


_WAITING_VERBS = frozenset(map(_number, _WAITING))
