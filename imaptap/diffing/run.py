"""A comparison from beginning to end: sessions are paired, shared out to processes, and what these find is told."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from imaptap.diffing.begin import begin, births
from imaptap.diffing.group import TEXT_MOST, compare_group, switched_off
from imaptap.diffing.offers import Offers
from imaptap.diffing.pairing import groups, pairings
from imaptap.diffing.readers import DIED, DIED_HINT, Reader
from imaptap.diffing.spool import entries, folder
from imaptap.diffing.values import Task
from storage import StorageError
from storage.diff.noise import Learner, NoiseRule, shown
from storage.diff.report.values import Side, Talk, Totals

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from types import TracebackType
    from typing import Self

    from imaptap.diffing.group import Judged
    from imaptap.diffing.values import Chosen, Group, Pairing
    from storage import Store
    from storage.diff.report.values import Entry, Noisy, Word
    from storage.diff.rules import Rules

PARALLEL_FROM = 5000
"""Exchanges from which on several processes are worth their start."""
SHARE_MOST = 0.6
"""Of one user in all that is compared: if it is more, the others would have to wait for the process that compares his.
Then one compares all, and two others read for it, which takes 0.6 of the time on two cores."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be compared, and how."""

    db: str
    left: Chosen
    right: Chosen
    rules: Rules
    processes: int = 0
    """0: as many as the machine has cores, where it pays."""


class Comparing:
    """Compares within a `with`; its entries can be read until that ends."""

    def __init__(self, store: Store, asked: Asked) -> None:
        self._store, self._asked = store, asked
        self._folder = folder()
        self._places: dict[int, tuple[Path, Talk, int]] = {}
        self._pairs: list[Pairing] = []
        self._offers = Offers()
        self.totals = Totals()
        self.left, self.right = (_side(each) for each in (asked.left, asked.right))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._folder.cleanup()

    @property
    def words(self) -> tuple[Word, ...]:
        """The capabilities of both servers."""
        return self._offers.matrix()

    @property
    def noise(self) -> tuple[Noisy, ...]:
        """The rules of noise, and how much each was needed."""
        return shown(self._asked.rules.noise, self.totals.noise, self.totals.commands)

    def sessions(self) -> Iterator[tuple[Talk, Iterator[Entry]]]:
        """Each pair of sessions with its entries."""
        for place in sorted(self._places):
            path, talk, start = self._places[place]
            yield talk, entries(path, start)

    def run(self, progress: Callable[[int, int], None]) -> None:
        """Compare everything. Raises StorageError."""
        self._run(progress, learn=False)

    def learn(self, progress: Callable[[int, int], None]) -> tuple[NoiseRule, ...]:
        """What moves between two runs at one server. Raises StorageError."""
        learner = Learner()
        for judged in self._run(progress, learn=True):
            learner.merge(judged.learner)
        return learner.rules()

    def _run(self, progress: Callable[[int, int], None], *, learn: bool) -> list[Judged]:
        asked = self._asked
        switched_off(asked.rules)  # raises before anything is read
        self._pairs, users = pairings(self._store, asked.left, asked.right)
        parts = groups(self._pairs, users)
        task = Task(asked.db, asked.rules, learn)
        done = 0
        found: list[tuple[int, Judged]] = []
        for index, judged in self._judged(task, parts):
            found.append((index, judged))
            done += len(parts[index].pairs)
            progress(done, len(self._pairs))
        # In the order of groups, not of who was ready first: the same recordings give the same report.
        ordered = [judged for _, judged in sorted(found, key=lambda each: each[0])]
        for judged in ordered:
            self._places |= {place: (judged.path, *rest) for place, rest in judged.places.items()}
            self.totals.merge(judged.totals)
            self._offers.merge(judged.offers)
        return ordered

    def _judged(self, task: Task, parts: list[Group]) -> Iterator[tuple[int, Judged]]:
        place = Path(self._folder.name)
        paths = [place / str(index) for index in range(len(parts))]
        processes = self._processes()
        if processes <= 1 or _share(parts) > SHARE_MOST:
            with _readers(task.db, parts) if processes > 1 else contextlib.nullcontext() as readers:
                for index, part in enumerate(parts):
                    yield index, compare_group(task, part, paths[index], readers)
            return
        with _pool(min(processes, len(parts))) as pool:
            with births():
                waiting = {pool.submit(compare_group, task, part, paths[i]): i for i, part in enumerate(parts)}
            try:
                for future in as_completed(waiting):
                    yield waiting[future], future.result()
            except BrokenProcessPool as error:
                raise StorageError(DIED, DIED_HINT) from error
            finally:
                pool.shutdown(wait=False, cancel_futures=True)

    def _processes(self) -> int:
        """How many are worth their start."""
        asked = self._asked
        size = sum(self._store.totals(side.recording).exchanges for side in (asked.left, asked.right))
        few = not asked.processes and size < PARALLEL_FROM
        return 1 if few else asked.processes or cores()


def cores() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _pool(processes: int) -> ProcessPoolExecutor:
    # Not forked: this process has threads, of rich's progress bar.
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(processes, mp_context=context, initializer=begin)


def _share(parts: list[Group]) -> float:
    """How much of all is the largest part, by its bytes."""
    sizes = [sum(map(_bytes, part.pairs)) for part in parts]
    return max(sizes, default=0) / max(1, sum(sizes))


def _bytes(placed: tuple[int, Pairing]) -> int:
    sides = (session for session in placed[1][:2] if session is not None)
    return 1 + sum((side.client_bytes or 0) + (side.server_bytes or 0) for side in sides)


@contextlib.contextmanager
def _readers(db: str, parts: list[Group]) -> Generator[tuple[Reader, Reader], None, None]:
    """Two processes, that read the sessions of both sides in the order in which they are compared."""
    pairs = [pair for part in parts for _, pair in part.pairs]
    whole = [(pair.left, pair.right) for pair in pairs if pair.left is not None and pair.right is not None]
    lefts, rights = [left for left, _ in whole], [right for _, right in whole]
    with Reader(db, lefts, TEXT_MOST) as left, Reader(db, rights, TEXT_MOST) as right:
        yield left, right


def _side(side: Chosen) -> Side:
    recording = side.recording
    return Side(side.address, recording.settings, f"{recording.id}")
