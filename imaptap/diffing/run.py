"""A comparison from beginning to end: sessions are paired, shared out to processes, and what these find is told."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from imaptap.diffing.group import compare_group, switched_off
from imaptap.diffing.offers import Offers
from imaptap.diffing.pairing import groups, pairings
from imaptap.diffing.spool import entries, folder
from imaptap.diffing.values import Task
from imaptap.hardening import forbid_core_dumps
from storage import StorageError
from storage.diff.noise import Learner, NoiseRule, shown
from storage.diff.report.values import Side, Talk, Totals

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType
    from typing import Self

    from imaptap.diffing.group import Judged
    from imaptap.diffing.values import Chosen, Group, Pairing
    from storage import Store
    from storage.diff.report.values import Entry, Noisy, Word
    from storage.diff.rules import Rules

YOUNG_MOST = 200_000
"""Values that are made before Python looks for cycles among them: what is read has none, and there is much of it."""
PARALLEL_FROM = 5000
"""Exchanges from which on several processes are worth their start."""


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
        processes = self._processes(parts)
        if processes <= 1:
            for index, part in enumerate(parts):
                yield index, compare_group(task, part, paths[index])
            return
        with _pool(processes) as pool:
            waiting = {pool.submit(compare_group, task, part, paths[index]): index for index, part in enumerate(parts)}
            try:
                for future in as_completed(waiting):
                    yield waiting[future], future.result()
            except BrokenProcessPool as error:
                hint = "It may have run out of memory. Compare single sessions: RECORDING/SESSION."
                raise StorageError("A process that compared sessions has died.", hint) from error
            finally:
                pool.shutdown(wait=False, cancel_futures=True)

    def _processes(self, parts: list[Group]) -> int:
        asked = self._asked
        size = sum(self._store.totals(side.recording).exchanges for side in (asked.left, asked.right))
        few = not asked.processes and size < PARALLEL_FROM
        return 1 if few else min(asked.processes or cores(), len(parts))


def cores() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _pool(processes: int) -> ProcessPoolExecutor:
    # Not forked: this process has threads, of rich's progress bar.
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(processes, mp_context=context, initializer=_begin)


def _begin() -> None:
    """A process that compares."""
    forbid_core_dumps()
    gc.set_threshold(YOUNG_MOST, 20, 20)
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C is for all of them, and the parent tells of it


def _side(side: Chosen) -> Side:
    recording = side.recording
    return Side(side.address, recording.settings, f"{recording.id}")
