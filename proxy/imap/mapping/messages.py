"""The messages of one mailbox at two servers, by their UIDs (RFC 9051 section 2.3.1.1, M 8).

A pair is believed as much as what it was learnt by, and one of another Message-ID is no pair. UIDs are known on the
recorded side where a server has said that there is such a message.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING

from proxy.imap.mapping.identity import NOTHING, Identity
from proxy.imap.mapping.modseqs import ModSeqs
from proxy.imap.mapping.values import Side, Strength

if TYPE_CHECKING:
    from collections.abc import Iterable


class Messages:
    """The messages of a mailbox while it has one UIDVALIDITY, on either side."""

    def __init__(self) -> None:
        self.uidvalidity: list[int | None] = [None, None]
        self.modseqs = ModSeqs()
        self.alike = 0
        """UIDs below this are taken for the same on both sides: the mailboxes began with as many messages and this
        UIDNEXT, and nothing has spoken against it."""
        self._pairs: tuple[dict[int, int], dict[int, int]] = ({}, {})
        self._strength: dict[int, Strength] = {}
        self._next: dict[int, int] = {}
        self._known: tuple[set[int], set[int]] = (set(), set())
        self._sorted: list[int] | None = None
        self._identities: tuple[dict[int, Identity], dict[int, Identity]] = ({}, {})
        self._told: list[tuple[Side, int]] = []
        self._by_key: tuple[dict[object, list[int]], dict[object, list[int]]] = ({}, {})

    # --- what servers say -------------------------------------------------------------------------------------------

    def know(self, side: Side, uids: Iterable[int]) -> None:
        """There are messages with these UIDs."""
        before = len(self._known[side])
        self._known[side].update(uids)
        if side is Side.RECORDED and len(self._known[side]) != before:
            self._sorted = None

    def gone(self, side: Side, uid: int) -> None:
        """The message is no more. What it was paired with stays known: answers about it may still come."""
        if uid in self._known[side]:
            self._known[side].discard(uid)
            self._sorted = None if side is Side.RECORDED else self._sorted

    def identify(self, side: Side, uid: int, told: Identity) -> None:
        """What a message is by its content."""
        before = self._identities[side].get(uid, NOTHING)
        if told == NOTHING or (now := before.with_(told)) == before:
            return
        self._identities[side][uid] = now
        self._told.append((side, uid))
        if (key := _key(now)) != _key(before):
            self._forget_key(side, uid, _key(before))
            self._by_key[side].setdefault(key, []).append(uid)

    def learn_next(self, recorded: int, replayed: int) -> None:
        """UIDNEXT of both at the same moment."""
        self._next[recorded] = replayed

    def pair(self, recorded: int, replayed: int, strength: Strength) -> bool:
        """These two are one message, as far as that goes; whether it is believed."""
        forward, back = self._pairs
        if forward.get(recorded) == replayed:
            if strength > self.strength(recorded):
                self._strength[recorded] = strength
            return True
        if strength < Strength.IDENTITY and self._differ(recorded, replayed):
            return False
        other = back.get(replayed)
        if any(each is not None and self.strength(each) >= strength for each in (self._paired(recorded), other)):
            return False
        for each in (recorded, other):
            self._part(each)
        forward[recorded], back[replayed] = replayed, recorded
        if strength is not Strength.PLACE:
            self._strength[recorded] = strength
        self.alike = self.alike if recorded == replayed else 0
        return True

    def told(self, pairs: Iterable[tuple[int, int]]) -> None:
        """Both servers said which UIDs messages were given."""
        for recorded, replayed in pairs:
            self.pair(recorded, replayed, Strength.TOLD)
            self.know(Side.RECORDED, (recorded,))
            self.know(Side.REPLAYED, (replayed,))

    def in_order(self, recorded: Iterable[int], replayed: Iterable[int]) -> None:
        """Two results of one step. What is left of them when all known pairs are taken out, is the same messages."""
        ours, theirs = set(recorded), set(replayed)
        left = [uid for uid in ours if self._pairs[0].get(uid) not in theirs]
        others = [uid for uid in theirs if self._pairs[1].get(uid) not in ours]
        if not left or len(left) != len(others):
            return
        pairs = list(zip(sorted(left), sorted(others), strict=True))
        if self._fit(pairs):
            for each, other in pairs:
                self.pair(each, other, Strength.ORDER)

    def may_be_alike(self, uidnext: int) -> None:
        """Both have as many messages and this UIDNEXT; it is believed while no two UIDs are known that differ."""
        if all(recorded == replayed for recorded, replayed in self._pairs[0].items()):
            self.alike = uidnext

    def recognise(self) -> None:
        """Pair messages by what they are, those that something new is known of; part what cannot be one message."""
        for side, uid in self._told:
            recorded = uid if side is Side.RECORDED else self._pairs[1].get(uid, 0)
            there = self._pairs[0].get(recorded)
            if there is not None and self.strength(recorded) < Strength.IDENTITY and self._differ(recorded, there):
                self._part(recorded)
            key = _key(self._identities[side][uid])
            ours, theirs = (keys.get(key, []) for keys in self._by_key)
            if key is not None and len(ours) == len(theirs):
                for each, other in zip(self._by_size(0, ours), self._by_size(1, theirs), strict=True):
                    self.pair(each, other, Strength.IDENTITY)
        self._told.clear()

    # --- what is asked ----------------------------------------------------------------------------------------------

    def uid(self, recorded: int) -> int | None:
        """The UID of a recorded message at the target."""
        there = self._pairs[0].get(recorded)
        if there is None and recorded < self.alike and recorded not in self._pairs[1]:
            return recorded
        return there

    def recorded_uid(self, replayed: int) -> int | None:
        """The recorded UID of a message of the target."""
        ours = self._pairs[1].get(replayed)
        if ours is None and replayed < self.alike and replayed not in self._pairs[0]:
            return replayed
        return ours

    def paired(self, side: Side, uid: int) -> bool:
        """Whether a message has a counterpart; then nobody has to look at all of its bytes for that."""
        return uid in self._pairs[side]

    def known(self, side: Side, uid: int) -> bool:
        """Whether a server has said that there is such a message, and not that it is gone."""
        return uid in self._known[side]

    def count(self) -> int:
        """How many recorded messages are known, and not that they are gone."""
        return len(self._known[Side.RECORDED])

    def strength(self, recorded: int) -> Strength:
        """How sure the pair of a recorded message is."""
        return self._strength.get(recorded, Strength.PLACE)

    def between(self, first: int, last: int) -> list[int]:
        """The recorded UIDs of this range that are known, ascending."""
        if self._sorted is None:
            self._sorted = sorted(self._known[Side.RECORDED])
        return self._sorted[bisect_left(self._sorted, first) : bisect_right(self._sorted, last)]

    def next(self, recorded: int) -> int | None:
        """The target's UIDNEXT when that was the recorded one."""
        return self._next.get(recorded)

    def lower(self, recorded: int) -> int | None:
        """Where a range begins at the target that begins there in the recording, and has no end."""
        if recorded <= 1:
            return recorded
        there = self.uid(recorded)
        exact = there if there is not None else self.next(recorded)
        if exact is not None or not self._pairs[0]:
            return exact
        above = [there for uid, there in self._pairs[0].items() if uid >= recorded]
        return min(above) if above else max(self._pairs[1]) + 1

    def upper(self, recorded: int) -> int | None:
        """Where a range ends at the target that ends there in the recording."""
        there = self.uid(recorded)
        behind = self.next(recorded + 1) if there is None else None
        return behind - 1 if behind is not None else there

    def _fit(self, pairs: list[tuple[int, int]]) -> bool:
        """Whether the pairs lie between the known ones as those lie, where these are in the same order at all."""
        ours = sorted(self._pairs[0])
        theirs = [self._pairs[0][uid] for uid in ours]
        if theirs != sorted(theirs):
            return True
        return all(bisect_left(ours, recorded) == bisect_left(theirs, replayed) for recorded, replayed in pairs)

    def _paired(self, recorded: int) -> int | None:
        return recorded if recorded in self._pairs[0] else None

    def _part(self, recorded: int | None) -> None:
        if recorded is not None and (there := self._pairs[0].pop(recorded, None)) is not None:
            del self._pairs[1][there]
            self._strength.pop(recorded, None)

    def _differ(self, recorded: int, replayed: int) -> bool:
        ours, theirs = self._identities[0].get(recorded), self._identities[1].get(replayed)
        return ours is not None and theirs is not None and ours.differs(theirs)

    def _by_size(self, side: int, uids: list[int]) -> list[int]:
        """Copies of one message, those of different sizes apart, in the order of their UIDs."""
        return sorted(uids, key=lambda uid: (self._identities[side][uid].size or 0, uid))

    def _forget_key(self, side: Side, uid: int, key: object) -> None:
        uids = self._by_key[side].get(key, [])
        if uid in uids:
            uids.remove(uid)
            if not uids:
                del self._by_key[side][key]


def _key(identity: Identity) -> object:
    return identity.message_id or identity.digest
