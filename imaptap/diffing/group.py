"""The sessions of one user compared, from the database to entries in a file: the work of one process."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from imaptap.diffing.judging import NEAREST_MOST, Ground, Judge, in_short, nearest
from imaptap.diffing.links import steps as told_steps
from imaptap.diffing.spool import Spool
from imaptap.diffing.values import Step
from imaptap.diffing.walk import walk
from imaptap.reading.dialogues import StoredLiterals, all_dialogues
from proxy.imap.transcript import Origin
from storage import StorageError, open_store
from storage.diff.align import align
from storage.diff.equality import RULES, Rule
from storage.diff.noise import Learner, Noise
from storage.diff.reading import session_keys
from storage.diff.report.values import Said, State, Talk, Totals

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from imaptap.diffing.offers import Offers
    from imaptap.diffing.readers import Reader
    from imaptap.diffing.values import Group, Pairing, Task
    from proxy.imap.view.dialogue import Dialogue
    from storage import Session, Store
    from storage.diff.keys import Keys
    from storage.diff.rules import Rules


TEXT_MOST = 32 * 1024 * 1024
"""Bytes of text of one exchange's answers that are compared; in memory they take some twenty times as much."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What came of a group: its totals, and by the place of each pair of sessions where its entries are."""

    path: Path
    places: dict[int, tuple[Talk, int]]
    totals: Totals
    offers: Offers
    learner: Learner = field(default_factory=Learner)


Readers = tuple["Reader", "Reader"]
"""Those of the left and of the right sessions."""


def compare_group(task: Task, group: Group, path: Path, readers: Readers | None = None) -> Judged:
    """Compare its sessions, and write their entries to `path`. Raises StorageError.

    `readers` have been told to read the sessions of its whole pairs, in their order; without them it reads itself.
    """
    learner = Learner()
    noise = Noise(task.rules.noise)
    judge = Judge(noise, switched_off(task.rules), learner if task.learn else None)
    places: dict[int, tuple[Talk, int]] = {}
    with open_store(task.db, create=False) as store:
        spool = Spool(path)
        try:
            for place, pairing in group.pairs:
                talk, start = _pair(store, pairing, _Work(judge, spool, readers))
                places[place] = talk, start
        finally:
            spool.close()
    judge.totals.noise.update(noise.hits)
    return Judged(path, places, judge.totals, judge.offers, learner)


def switched_off(rules: Rules) -> frozenset[str]:
    """Names of built-in rules that are off. Raises StorageError for one that is not known."""
    known = {each.rule.value for each in RULES}
    for name in rules.off:
        if name not in known:
            raise StorageError(f"There is no rule {name!r}.", "`imaptap diff --explain` lists those there are.")
    asked = {Rule.FREE_TEXT.value} if rules.text else set[str]()
    return frozenset({*rules.off, *asked, *({Rule.TIMING.value} if rules.timing else ())})


class _Work(NamedTuple):
    """What is the same for all pairs of a group."""

    judge: Judge
    spool: Spool
    readers: Readers | None


def _pair(store: Store, pairing: Pairing, work: _Work) -> tuple[Talk, int]:
    (left, right, _), (judge, spool, readers) = pairing, work
    start, count = spool.begin(), 0
    names = _name(left), _name(right)
    if left is None or right is None:
        judge.totals.lone(State.EXTRA if left is None else State.MISSING)
    else:
        judge.totals.sessions[State.EQUAL] += 1
        known = _steps(store, left, right, replayed=pairing.replayed)
        ground = Ground(
            (StoredLiterals(store, left), StoredLiterals(store, right)),
            (left.wall, right.wall),
            (left.recording.started, right.recording.started),
            _finder(store, (left, right), known),
        )
        told = [reader.next() for reader in readers] if readers else [_read(store, each) for each in (left, right)]
        for walked in walk(known.steps, _asked_by_client(told[0]), _told(told[1], judge)):
            spool.add(judge.judge(walked, ground))
            count += 1
    spool.end()
    return Talk(*names, count), start


def _read(store: Store, session: Session) -> Iterator[Dialogue]:
    return all_dialogues(store, session, TEXT_MOST)


def _asked_by_client(coming: Iterator[Dialogue]) -> Iterator[Dialogue]:
    return (dialogue for dialogue in coming if dialogue.exchange.origin is Origin.CLIENT)


def _told(coming: Iterator[Dialogue], judge: Judge) -> Iterator[Dialogue]:
    """The dialogues that a client began; those of imaptap's own are told to the judge."""
    for dialogue in coming:
        if dialogue.exchange.origin is Origin.PROXY:
            judge.overhear(dialogue)
        else:
            yield dialogue


def _name(session: Session | None) -> str | None:
    return None if session is None else f"{session.recording.name}/{session.number}"


# --- steps ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Known:
    """The steps of two sessions, and the keys that they were found by."""

    steps: list[Step]
    left: Keys
    right: Keys


def _steps(store: Store, left: Session, right: Session, *, replayed: bool) -> _Known:
    mine = session_keys(store, left)
    theirs = session_keys(store, right)
    if replayed:
        return _Known(list(_repeated(mine, told_steps(store, right))), mine, theirs)
    found = [
        Step(
            None if match.left is None else mine.numbers[match.left],
            None if match.right is None else theirs.numbers[match.right],
            match.moved,
            match.near,
        )
        for match in align(mine, theirs)
    ]
    return _Known(found, mine, theirs)


def _repeated(keys: Keys, told: dict[int, Step]) -> Iterator[Step]:
    """What a replay says of every recorded exchange. What it has said of its own accord is no step, and left out."""
    for number in keys.numbers:
        step = told.get(number)
        if step is None:
            yield Step(number, None, reason="the replay did not come to it")
        elif step.right is None and not step.reason:
            yield step._replace(reason="it was sent, and nothing is recorded of it")
        else:
            yield step


def _finder(store: Store, sessions: tuple[Session, Session], known: _Known) -> Callable[[Step], Said | None]:
    """Finds for a step without a counterpart what is most like it on the other side."""
    keys = known.left, known.right
    finders = nearest(known.left), nearest(known.right)
    last = [0, 0]
    left_to_find = NEAREST_MOST

    def find(step: Step) -> Said | None:
        nonlocal left_to_find
        last[:] = step.left or last[0], step.right or last[1]
        if (step.left is None) == (step.right is None) or left_to_find <= 0:
            return None
        left_to_find -= 1
        here = 1 if step.left is None else 0
        there = 1 - here
        number = finders[there](keys[here].topic_of(last[here]), last[there] + 1)
        return None if number is None else in_short(store.exchange(sessions[there], number).exchange)

    return find
