"""Message numbers and the UIDs they stand for, as the server tells of them one by one (M 3.11).

A number is known where the server has said its UID, and stays unknown else: nothing is guessed. Four bytes a message,
in blocks, so that a message in the middle of a million goes at the cost of one block.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

NUMBERS_MOST = 4_000_000
"""Numbers whose UIDs are remembered; in a larger mailbox those above stay unknown."""
UID_MOST = 2**32 - 1
_BLOCK = 4096
_UNKNOWN = 0


class Run(NamedTuple):
    """`length` numbers from `number` on that have the UIDs from `uid` on."""

    number: int
    uid: int
    length: int


@dataclass(slots=True)
class _Block:
    """Some neighbours. `known` counts those with a UID, `low` and `high` are the UIDs of the first and last of them."""

    uids: array[int]
    known: int = 0
    low: int = 0
    high: int = 0

    def measure(self) -> None:
        """Look again which UIDs are the first and the last: near the ends, where most are known."""
        uids = self.uids if self.known else ()
        self.low = next((uid for uid in uids if uid), 0)
        self.high = next((uid for uid in reversed(uids) if uid), 0)

    def tie(self, index: int, uid: int) -> None:
        self.uids[index] = uid
        self.known += 1
        self.low = min(self.low, uid) or uid
        self.high = max(self.high, uid)

    def remove(self, start: int, stop: int) -> None:
        lost = _known_of(self.uids[start:stop])
        del self.uids[start:stop]
        self._lose(lost)

    def forget(self, start: int, stop: int) -> None:
        lost = _known_of(self.uids[start:stop])
        if lost:
            self.uids[start:stop] = _nobody(stop - start)
            self._lose(lost)

    def _lose(self, lost: int) -> None:
        if lost:
            self.known -= lost
            self.measure()

    def last_below(self, uid: int) -> int:
        """The index of the last one with a smaller UID; there is one."""
        if self.known == len(self.uids):
            return bisect_left(self.uids, uid) - 1
        return max(index for index, each in enumerate(self.uids) if 0 < each < uid)

    def first_above(self, uid: int) -> int:
        """The index of the first one with a larger UID; there is one."""
        if self.known == len(self.uids):
            return bisect_right(self.uids, uid)
        return next(index for index, each in enumerate(self.uids) if each > uid)


@dataclass(slots=True)
class Numbers:
    """The messages of the selected mailbox, from number 1 to `count`."""

    count: int = 0
    changes: int = 0
    """How often a number has come or gone: who compares knows whether an answer is about the same numbers."""
    _blocks: list[_Block] = field(default_factory=list[_Block])
    _held: int = 0

    @property
    def known(self) -> int:
        """How many numbers have a known UID."""
        return sum(block.known for block in self._blocks)

    def copy(self) -> Numbers:
        """The same, to be kept while these go on."""
        blocks = [_Block(block.uids[:], block.known, block.low, block.high) for block in self._blocks]
        return Numbers(self.count, self.changes, blocks, self._held)

    def exists(self, count: int) -> None:
        """EXISTS. Messages that go without an EXPUNGE leave nobody knowing which of them went."""
        if count < self.count:
            self.forget()
        self.changes += count != self.count
        self.count = count

    def forget(self) -> None:
        """All numbers are unknown."""
        self._blocks.clear()
        self._held = 0

    def tie(self, number: int, uid: int) -> None:
        """The server has said that this number has this UID. If it had another one, no number is to be trusted."""
        if not (0 < number <= min(self.count, NUMBERS_MOST) and 0 < uid <= UID_MOST):
            return
        self._hold(number)
        block, index = self._at(number - 1)
        before = block.uids[index]
        if before and before != uid:
            self.forget()
            self.tie(number, uid)
        elif not before:
            block.tie(index, uid)

    def uid(self, number: int) -> int | None:
        """The number's UID; None where nobody has said it."""
        if not 0 < number <= self._held:
            return None
        block, index = self._at(number - 1)
        return block.uids[index] or None

    def number(self, uid: int) -> int | None:
        """The number that has this UID; None where none is known to have it."""
        number = self._first_above(uid - 1) + 1
        return number if uid > 0 and self.uid(number) == uid else None

    def expunge(self, number: int) -> int | None:
        """EXPUNGE: the number is gone, all above it move down. Returns its UID where that is known."""
        if not 0 < number <= self.count:
            return None
        uid = self.uid(number)
        self._remove(number - 1, 1)
        return uid

    def vanish(self, first: int, last: int) -> int:
        """VANISHED: the messages with these UIDs are gone (RFC 7162 section 3.2.10). Returns how many were there.

        UIDs ascend with the numbers, so unknown ones of the set lie between known neighbours, and it does not matter
        which of the unknown numbers there is the one that goes.
        """
        before, behind = self._last_below(first), self._first_above(last)
        room, size = behind - before - 1, last - first + 1
        if room <= 0 or size <= 0:
            return 0
        if size > room:
            return self._vanish_some(first, last, before, behind)
        self._forget_between(before + 1, behind)
        self._remove(before + 1, size)
        return size

    def _vanish_some(self, first: int, last: int, before: int, behind: int) -> int:
        """UIDs that never were are in the set. What is certainly in it goes; if more may be, nothing above is known."""
        known = list(self._known_between(before + 1, behind))
        above = self.uid(behind + 1)
        low = (self.uid(before + 1) or 0) + 1 >= first
        high = above is not None and above - 1 <= last
        start, stop = before + 1, behind
        if known:
            start, stop = start if low else known[0], stop if high else known[-1] + 1
        elif not (low and high):
            stop = start
        if stop - start < behind - before - 1:
            self._forget_between(start, self._held)
        self._remove(start, stop - start)
        return stop - start

    def runs(self) -> Iterator[Run]:
        """All known numbers, neighbours together."""
        run: Run | None = None
        number = 0
        for block in self._blocks:
            for uid in block.uids:
                number += 1
                if run and run.number + run.length == number and run.uid + run.length == uid:
                    run = run._replace(length=run.length + 1)
                    continue
                if run:
                    yield run
                run = Run(number, uid, 1) if uid else None
        if run:
            yield run

    def _hold(self, number: int) -> None:
        while self._held < number:
            last = self._blocks[-1] if self._blocks else None
            if last is None or len(last.uids) >= _BLOCK:
                last = _Block(array("I"))
                self._blocks.append(last)
            more = min(number - self._held, _BLOCK - len(last.uids))
            last.uids.extend(_nobody(more))
            self._held += more

    def _at(self, index: int) -> tuple[_Block, int]:
        last = self._blocks[-1]
        if index >= self._held - len(last.uids):  # they mostly come in their order
            return last, index - self._held + len(last.uids)
        for block in self._blocks:
            if index < len(block.uids):
                return block, index
            index -= len(block.uids)
        raise IndexError(index)

    def _last_below(self, uid: int) -> int:
        found: _Block | None = None
        base = place = 0
        for block in self._blocks:
            if block.known:
                if block.low >= uid:
                    break
                found, place = block, base
            base += len(block.uids)
        return -1 if found is None else place + found.last_below(uid)

    def _first_above(self, uid: int) -> int:
        base = 0
        for block in self._blocks:
            if block.high > uid:
                return base + block.first_above(uid)
            base += len(block.uids)
        return self.count

    def _pieces(self, start: int, stop: int) -> Iterator[tuple[_Block, int, int]]:
        base = 0
        for block in self._blocks:
            size = len(block.uids)
            if base >= stop:
                return
            if base + size > start:
                yield block, max(0, start - base), min(size, stop - base)
            base += size

    def _known_between(self, start: int, stop: int) -> Iterator[int]:
        base = 0
        for block in self._blocks:
            size = len(block.uids)
            if block.known and base < stop and base + size > start:
                begin = max(0, start - base)
                for index, uid in enumerate(block.uids[begin : stop - base], base + begin):
                    if uid:
                        yield index
            base += size

    def _forget_between(self, start: int, stop: int) -> None:
        for block, begin, end in self._pieces(start, stop):
            if block.known:
                block.forget(begin, end)

    def _remove(self, start: int, count: int) -> None:
        for block, begin, end in list(self._pieces(start, start + count)):
            block.remove(begin, end)
            self._held -= end - begin
        self._blocks = [block for block in self._blocks if block.uids] if self._held else []
        self.count -= count
        self.changes += 1


def _known_of(uids: array[int]) -> int:
    return len(uids) - uids.count(_UNKNOWN)


def _nobody(count: int) -> array[int]:
    return array("I", [_UNKNOWN]) * count
