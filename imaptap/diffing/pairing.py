"""Which sessions are compared with which, and which of them by one process after another."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from imaptap.diffing.links import source_session
from imaptap.diffing.values import Group, Pairing
from imaptap.reading.replayed import replay_of
from storage.diff.reading import openings
from storage.diff.sessions import pair_sessions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imaptap.diffing.values import Chosen
    from storage import Session, Store
    from storage.diff.sessions import Opening


def pairings(store: Store, left: Chosen, right: Chosen) -> tuple[list[Pairing], dict[int, str | None]]:
    """Pairs of sessions in the order in which they are told, and whom each left one's LOGIN names.

    Raises StorageError.
    """
    ours, theirs = (_Sessions(store, side) for side in (left, right))
    users = {each.number: each.user for each in ours.openings()}
    source = replay_of(store, right.recording)
    if source is not None and source.is_of(left.recording):
        return list(_replayed(store, ours, theirs)), users
    if left.session is not None and right.session is not None:
        return [Pairing(left.session, right.session)], users
    pairs = pair_sessions(ours.openings(), theirs.openings())
    return [Pairing(ours.of(one), theirs.of(other)) for one, other in pairs], users


def groups(pairs: list[Pairing], users: dict[int, str | None]) -> list[Group]:
    """Pairs of sessions by who has logged in: what is learned of one session's names and UIDs holds for the next.

    Where AUTHENTICATE hides who it was, it was the user whom the other sessions name, if they all name the same one.
    """
    named = {user for user in users.values() if user is not None}
    hidden = named.pop() if len(named) == 1 else None
    found: dict[str | None, list[tuple[int, Pairing]]] = defaultdict(list)
    for place, pair in enumerate(pairs):
        user = None if pair.left is None else users.get(pair.left.number)
        found[hidden if user is None else user].append((place, pair))
    return [Group(tuple(each)) for each in sorted(found.values(), key=len, reverse=True)]


class _Sessions:
    """Those of one side, by number."""

    def __init__(self, store: Store, side: Chosen) -> None:
        self._store, self._side = store, side
        found = (side.session,) if side.session is not None else store.sessions(side.recording)
        self.all = {session.number: session for session in found}
        self.single = side.session is not None

    def openings(self) -> list[Opening]:
        """How each begins."""
        return openings(self._store, self._side.recording, self._side.session)

    def of(self, opening: Opening | None) -> Session | None:
        """The session that begins like that; one that has come since does not count."""
        return None if opening is None else self.all.get(opening.number)


def _replayed(store: Store, ours: _Sessions, theirs: _Sessions) -> Iterator[Pairing]:
    """By what the replay says of itself; a session may have been replayed several times."""
    clones: dict[int | None, list[Session]] = defaultdict(list)
    for session in theirs.all.values():
        clones[source_session(store, session)].append(session)
    for number, one in ours.all.items():
        copies = clones.pop(number, [])
        if not copies and not theirs.single:
            yield Pairing(one, None)
        yield from (Pairing(one, copy, replayed=True) for copy in copies)
    for copies in clones.values():
        yield from (Pairing(None, copy) for copy in copies)
