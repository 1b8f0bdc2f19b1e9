"""Which sessions are compared with which, and which of them by one process after another."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from imaptap.diffing.links import source, source_session
from imaptap.diffing.values import Group, Pairing
from storage.diff.reading import openings
from storage.diff.sessions import pair_sessions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imaptap.diffing.values import Chosen
    from storage import Session, Store
    from storage.diff.sessions import Opening


def pairings(store: Store, left: Chosen, right: Chosen) -> tuple[list[Pairing], dict[int, int | None]]:
    """Pairs of sessions in the order in which they are told, and who has logged in to each left one (as a hash).

    Raises StorageError.
    """
    ours = openings(store, left.recording, left.session)
    logins = {each.number: each.login for each in ours}
    if source(store, right.recording) == left.recording.id:
        return list(_replayed(store, ours, right)), logins
    if left.session is not None and right.session is not None:
        return [Pairing(left.session.number, right.session.number)], logins
    theirs = openings(store, right.recording, right.session)
    return [Pairing(_number(one), _number(other)) for one, other in pair_sessions(ours, theirs)], logins


def groups(pairs: list[Pairing], logins: dict[int, int | None]) -> list[Group]:
    """Pairs of sessions by who has logged in: what is learned of one session's names and UIDs holds for the next."""
    found: dict[int | None, list[tuple[int, Pairing]]] = defaultdict(list)
    for place, pair in enumerate(pairs):
        found[None if pair.left is None else logins.get(pair.left)].append((place, pair))
    return [Group(tuple(each)) for each in sorted(found.values(), key=len, reverse=True)]


def _sessions(store: Store, side: Chosen) -> Iterator[Session]:
    return iter((side.session,)) if side.session is not None else store.sessions(side.recording)


def _replayed(store: Store, ours: list[Opening], right: Chosen) -> Iterator[Pairing]:
    """By what the replay says of itself; a session may have been replayed several times."""
    clones: dict[int | None, list[int]] = defaultdict(list)
    for session in _sessions(store, right):
        clones[source_session(store, session)].append(session.number)
    for one in ours:
        numbers = clones.pop(one.number, [])
        if numbers or right.session is None:
            yield from (Pairing(one.number, number, replayed=True) for number in numbers or [None])
    for numbers in clones.values():
        yield from (Pairing(None, number) for number in numbers)


def _number(opening: Opening | None) -> int | None:
    return None if opening is None else opening.number
