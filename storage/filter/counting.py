"""How many exchanges match in each recording: counted recording by recording where they lie apart.

In PostgreSQL words are counted without a look at rows (`blocks`), and with them what has other facts and not the words
(`said_or`). All else is about SQLite.

SQLite sorts whatever it groups, which takes longer than to find it; and to know which exchanges lack a word it puts
those that have it aside first. So exchanges are counted between the first and the last one of a recording, and where a
text stands under `not`, what matches is put together from counts that begin with the text (`terms`). Under `or`, the
keys of both sides come in their order, so that they are merged as they are read (`_merged`). All words with a short
beginning are put together by FTS5 before it tells of the first exchange: that is asked for once, for all recordings.
"""

from __future__ import annotations

import itertools
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final, NamedTuple

from sqlalchemy import func, select, union

from storage.filter.compile import matching_rows
from storage.filter.facts import FACTS, Place
from storage.filter.text import asks_words, counting_words, matching
from storage.filter.tree import And, Not, Or, Word, leaves

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sqlalchemy import Connection, Select

    from storage.filter.compile import Dictionary
    from storage.filter.index import State
    from storage.filter.tree import Node

MOST: Final = 64
"""So many recordings: each is a query of its own, or three."""
_MOST_WITH_SESSIONS: Final = 8
"""So many, where sessions have to be looked through for each."""
_PAYS: Final = 50_000
"""Exchanges of which it takes longer to count them than to have another connection look for half of them."""


class Stretch(NamedTuple):
    """The keys between which all exchanges in the index are of one recording."""

    recording_id: int
    first: int
    last: int

    @property
    def bounds(self) -> tuple[int, int]:
        """The first and the last of them."""
        return self.first, self.last


def apart(known: Mapping[int, State], most: int) -> list[Stretch]:
    """Recordings that have no other's exchanges among theirs. Empty where that is not so for all, or they are more."""
    some = (Stretch(key, state.first, state.upto) for key, state in known.items() if state.upto)
    found = sorted(some, key=lambda each: each.first)
    mixed = any(before.last >= each.first for before, each in itertools.pairwise(found))
    return [] if mixed or len(found) > most else found


def most(node: Node) -> int:
    """For how many recordings it pays."""
    sessions = any(FACTS[leaf.fact].place is Place.SESSION for leaf in leaves(node))
    return min(MOST, _MOST_WITH_SESSIONS) if sessions else MOST


def pays_in_halves(stretches: Sequence[Stretch]) -> bool:
    """Whether two connections are much faster than one (`counted`)."""
    return sum(each.last - each.first for each in stretches) >= _PAYS


def counted(
    connection: Connection, node: Node, known: Dictionary, now: int, stretches: Sequence[Stretch],
    second: Connection | None = None,
) -> dict[int, int]:  # fmt: skip
    """How many exchanges of each of these recordings match. A `second` connection, which sees the same, counts half."""
    found = Counter({each.recording_id: 0 for each in stretches})
    if second is None:
        found.update(_counted(connection, node, known, now, stretches))
        return dict(found)
    lower, upper = halves(stretches)
    with ThreadPoolExecutor(1) as thread:
        other = thread.submit(_counted, second, node, known, now, upper)
        found.update(_counted(connection, node, known, now, lower))
        found.update(other.result())
    return dict(found)


def halves(stretches: Sequence[Stretch]) -> tuple[list[Stretch], list[Stretch]]:
    """The same keys, so that either half spans as many; the recording in the middle may be in both."""
    room = sum(each.last - each.first + 1 for each in stretches) // 2
    lower: list[Stretch] = []
    upper: list[Stretch] = []
    for recording, first, last in stretches:
        middle = min(max(first + room, first), last + 1)
        if first < middle:
            lower.append(Stretch(recording, first, middle - 1))
        if middle <= last:
            upper.append(Stretch(recording, middle, last))
        room -= last - first + 1
    return lower, upper


def _counted(
    connection: Connection, node: Node, known: Dictionary, now: int, stretches: Sequence[Stretch]
) -> Counter[int]:
    found = Counter[int]()
    for sign, part in terms(node) if stretches else ():
        for each in stretches:
            found[each.recording_id] += sign * connection.execute(_counting(part, known, now, each)).scalar_one()
    return found


def _counting(node: Node, known: Dictionary, now: int, stretch: Stretch) -> Select[int]:
    if asks_words(node):
        return counting_words(node, *stretch.bounds)
    said = tuple(part for part in node.parts if asks_words(part)) if isinstance(node, Or) else ()
    if said and isinstance(node, Or):
        others = tuple(part for part in node.parts if part not in said)
        return _merged(Or(said), Or(others), known, now, stretch)
    rows = matching_rows(node, known, now)
    return select(func.count()).select_from(rows.source).where(*rows.which, rows.key.between(*stretch.bounds))


def _merged(said: Node, other: Node, known: Dictionary, now: int, stretch: Stretch) -> Select[int]:
    """Either of them: SQLite merges what is sorted already, else it looks each row of one up in the other."""
    rows = matching_rows(other, known, now)
    mine = rows.key.between(*stretch.bounds)
    either = union(matching(said, *stretch.bounds), select(rows.key).select_from(rows.source).where(*rows.which, mine))
    return select(func.count()).select_from(either.order_by(either.selected_columns[0]).subquery())


def terms(node: Node) -> Iterator[tuple[int, Node]]:
    """Filters whose counts, with their signs, come to the count of this one.

    With words t: what matches is `t and a`, or `not t and b`; and of the latter there are `b` less `t and b`. An `or`
    that words are one side of stays whole.
    """
    texts = set(_asking_words(node))
    if len(texts) != 1 or any(map(asks_words, node.parts if isinstance(node, (And, Or)) else (node,))):
        yield 1, node
        return
    (said,) = texts
    with_it, without = assume(node, said, holds=True), assume(node, said, holds=False)
    for sign, part in ((1, _both(said, with_it)), (1, without), (-1, _both(said, without))):
        if part != NOTHING:
            yield sign, part


def said_or(node: Node) -> tuple[Node | None, Node | None]:
    """For PostgreSQL: a filter of texts only, and another one, that come to this one and have no exchange in common."""
    if _of_texts(node):
        return node, None
    texts = tuple(part for part in node.parts if _of_texts(part)) if isinstance(node, Or) else ()
    if not texts or not isinstance(node, Or):
        return None, node
    said = Or(texts)
    return said, And((Or(tuple(part for part in node.parts if part not in texts)), Not(said)))


def _of_texts(node: Node) -> bool:
    """Whether all of it is about words, and which are missing."""
    asked = list(leaves(node))
    return bool(asked) and all(isinstance(leaf, Word) and leaf.fact == "text" for leaf in asked)


def _asking_words(node: Node) -> Iterator[Node]:
    if asks_words(node):
        yield node
    elif isinstance(node, Not):
        yield from _asking_words(node.part)
    elif isinstance(node, (And, Or)):
        for part in node.parts:
            yield from _asking_words(part)


ALL: Final = And(())
NOTHING: Final = Or(())


def assume(node: Node, known: Node, *, holds: bool) -> Node:
    """What is left to ask when that is known: ALL and NOTHING stand alone only."""
    if node == known:
        return ALL if holds else NOTHING
    if isinstance(node, Not):
        part = assume(node.part, known, holds=holds)
        return NOTHING if part == ALL else ALL if part == NOTHING else Not(part)
    if not isinstance(node, (And, Or)):
        return node
    neutral, decisive = (ALL, NOTHING) if isinstance(node, And) else (NOTHING, ALL)
    parts = tuple(part for each in node.parts if (part := assume(each, known, holds=holds)) != neutral)
    if decisive in parts:
        return decisive
    return neutral if not parts else parts[0] if len(parts) == 1 else type(node)(parts)


def _both(said: Node, other: Node) -> Node:
    if other in {ALL, NOTHING}:
        return said if other == ALL else NOTHING
    return And((said, *(other.parts if isinstance(other, And) else (other,))))
