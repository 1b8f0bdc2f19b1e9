"""The event loop's time, shared out: what takes long is done in turns, so that no session has to wait for another's.

A peer can say in a moment what takes seconds to understand: a hundred thousand lines of two bytes. It is given a turn
of TURN seconds at a time, and between two turns of anybody's everything else that is ready comes first.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Final, Protocol

TURN: Final = 0.001
"""Seconds."""
_TICK: Final = 0.03
_FIRST: Final = 1024
_LEAST: Final = 64
_CAREFUL: Final = 2048
_MOST: Final = 1 << 20
_SAMPLES: Final = 16
_SAMPLE: Final = 64
_DENSE: Final = 16
"""Bytes a line, on the average, below which lines are dense."""


class Taker(Protocol):
    """Who takes turns."""

    def turn(self, end: float, /) -> None:
        """Do something until `end` (of `Turns.now`) at most, or hardly longer."""
        ...


class Turns:
    """Gives turns to whoever has asked for them: soon, or as soon as there is nothing else to do."""

    def __init__(self, now: Callable[[], float] = time.perf_counter) -> None:
        """`now` is the time in seconds of a clock that never jumps."""
        self.now = now
        self._later: dict[Taker, None] = {}
        self._due: dict[Taker, None] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._running = False

    def soon(self, taker: Taker) -> None:
        """A turn within `_TICK`: what is done then may be done together with what follows until then."""
        self._later[taker] = None
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_TICK, self._tick)

    def next(self, taker: Taker) -> None:
        """A turn when all those have had theirs that have asked before."""
        self._due[taker] = None
        if not self._running:
            self._running = True
            asyncio.get_running_loop().call_soon(self._run)

    def forget(self, taker: Taker) -> None:
        """No turn for him any more."""
        self._later.pop(taker, None)
        self._due.pop(taker, None)

    def _tick(self) -> None:
        self._timer = None
        later, self._later = self._later, {}
        for taker in later:
            self.next(taker)

    def _run(self) -> None:
        self._running = False
        end = self.now() + TURN
        try:
            while self._due:
                taker = next(iter(self._due))
                del self._due[taker]
                taker.turn(end)
                if self.now() > end:
                    break
        finally:  # one who fails takes nobody else's turn away
            if self._due and not self._running:
                self._running = True
                asyncio.get_running_loop().call_soon(self._run)


class Pace:
    """How much of what somebody says can be dealt with in one turn, learned as it goes."""

    def __init__(self, now: Callable[[], float] = time.thread_time) -> None:
        """`now` is the time in seconds that this thread has worked."""
        self.size = _FIRST
        self._now = now

    @property
    def small(self) -> int:
        """What is smaller than this can be dealt with whole, and tells nothing."""
        return min(_FIRST, self.size // 8)

    def share(self, data: bytes) -> int:
        """How many bytes of `data` to deal with now."""
        size = min(len(data), self.size)
        return _CAREFUL if size > _CAREFUL and _dense(data, size) else size

    def begin(self, size: int) -> float | None:
        """So many bytes are about to be dealt with. Returns what to give to `end`."""
        # A few tell little, and looking at the clock takes time too.
        return None if size < self.small else self._now()

    def end(self, size: int, began: float | None) -> None:
        """They have been dealt with: learn from it."""
        if began is not None:
            self.took(size, self._now() - began)

    def took(self, size: int, seconds: float) -> None:
        """So many bytes have taken so long."""
        if seconds > TURN:
            # Not less than an eighth: it may have been something else that took so long.
            self.size = max(_LEAST, self.size // 8, int(size * TURN / seconds))
        elif size >= self.size or (2 * size >= self.size and 4 * seconds < TURN):
            self.size = min(2 * self.size, _MOST)


def _dense(data: bytes, size: int) -> bool:
    """Whether there are many lines in the first `size` bytes: looked at in a few places that nobody can foresee."""
    stride = size // _SAMPLES
    start = time.perf_counter_ns() % (stride - _SAMPLE)
    found = sum(data.count(b"\n", at, at + _SAMPLE) for at in range(start, size, stride))
    return found * _DENSE > _SAMPLES * _SAMPLE
