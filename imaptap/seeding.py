"""Seeding the target of a replay: the starting state of each recorded user, and its bodies, out of the store."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import TYPE_CHECKING

from proxy.imap.mapping import Place as Namespace
from proxy.replay.seeding.connection import asking
from proxy.replay.seeding.reader import beginning
from proxy.replay.seeding.seeder import Seeder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from proxy.imap.view.dialogue import Dialogue
    from proxy.live.endpoint import Endpoint
    from proxy.live.upstream import Upstream
    from proxy.replay.part import Part
    from proxy.replay.seeding.beginning import Beginning, Place
    from proxy.replay.seeding.report import Seeded, Wish
    from proxy.replay.stage import Account


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a recorded user's sessions began; `user` is None for those that nobody logged in to."""

    user: str | None
    parts: tuple[Part, ...]
    beginning: Beginning

    def content(self, place: Place) -> Iterator[bytes] | None:
        """The bytes of a place in one of the sessions."""
        part = next((part for part in self.parts if part.number == place.session), None)
        return part.literals.content(place.direction, place.start, place.size) if part else None


def origins(parts: Iterable[Part]) -> list[Origin]:
    """The starting state of each user of these sessions. Raises StorageError."""
    by_user: dict[str | None, list[Part]] = {}
    for part in parts:
        by_user.setdefault(part.user, []).append(part)
    return [Origin(user, tuple(mine), beginning(_in_order(mine))) for user, mine in by_user.items()]


async def seed(
    endpoint: Endpoint, upstream: Upstream, origin: Origin, account: Account, wish: Wish, patience: float,
    progress: Callable[[int, int], None] | None = None,
) -> Seeded:  # fmt: skip
    """Build a user's starting state in his account at the target, whose mapping learns of it.

    Raises SeedError where his mailboxes have other messages, LiveError, StorageError.
    """
    async with asking(endpoint, upstream, account, patience) as asker:
        there = Namespace(account.prefix, account.delimiter)
        return await Seeder(asker, account.mapping, origin.content, wish, there, progress).seed(origin.beginning)


def _in_order(parts: Sequence[Part]) -> Iterator[Dialogue]:
    """The dialogues of several sessions, in the order in which they ended."""
    return (dialogue for _, _, dialogue in heapq.merge(*map(_timed, parts), key=lambda timed: timed[:2]))


def _timed(part: Part) -> Iterator[tuple[int, int, Dialogue]]:
    for dialogue in part.dialogues():
        exchange = dialogue.exchange
        yield part.began + (exchange.started if exchange.ended is None else exchange.ended), part.number, dialogue
