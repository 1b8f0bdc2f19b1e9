"""What reports are made of. All text in here may quote what peers said: each format escapes it in its own way."""

from __future__ import annotations

import enum
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, Protocol

from storage.diff.values import NOT_KEPT, Kind, Pass

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from storage.diff.values import Difference


class State(enum.StrEnum):
    """What came of an exchange."""

    EQUAL = "equal"
    DIFFERENT = "different"
    MISSING = "missing"
    """Only the left recording has it."""
    EXTRA = "extra"
    """Only the right one has it."""
    NOT_COMPARED = "not compared"
    """It could not be: it was not sent again, or bytes of it were lost."""


class Said(NamedTuple):
    """An exchange in short: number, command with its arguments, result ("OK [READ-WRITE]"), microseconds it took."""

    number: int
    command: str
    result: str
    took: int | None


class Entry(NamedTuple):
    """An exchange and its counterpart. `reason` says why it was not compared; `passed` is how many passes it had.

    `nearest` is the exchange of the other session that is most like one without a counterpart.
    """

    state: State
    left: Said | None
    right: Said | None
    differences: tuple[Difference, ...] = ()
    reason: str = ""
    moved: bool = False
    nearest: Said | None = None
    passed: int = 0


class Talk(NamedTuple):
    """Two sessions that were compared, by their addresses ("old/3"); None where there is no counterpart."""

    left: str | None
    right: str | None
    exchanges: int = 0


class Word(NamedTuple):
    """A capability, and whether each server has offered it: before login, and after it."""

    name: str
    left: tuple[bool, bool]
    right: tuple[bool, bool]

    @property
    def same(self) -> bool:
        """Whether both servers have it, or at least at some time."""
        return any(self.left) == any(self.right)


class Noisy(NamedTuple):
    """A rule of noise at work: how often it was seen to move by itself, and how often it did here (times, of all)."""

    rule: str
    seen: tuple[int, int]
    here: tuple[int, int]

    @property
    def more(self) -> bool:
        """Whether it moves far more often here than by itself: then it may hide something."""
        (seen, of), (hits, all_here) = self.seen, self.here
        return hits > 2 and hits * max(1, of) > 2 * max(1, seen) * max(1, all_here)


class Side(NamedTuple):
    """One of the two: its address, its server's URL, and the name and time of its recording."""

    address: str
    server: str
    recorded: str


@dataclass
class Totals:
    """Counts of all that was compared."""

    states: Counter[State] = field(default_factory=Counter[State])
    kinds: Counter[Kind] = field(default_factory=Counter[Kind])
    rules: Counter[str] = field(default_factory=Counter[str])
    examples: dict[str, Pass] = field(default_factory=dict[str, Pass])
    commands: Counter[str] = field(default_factory=Counter[str])
    noise: Counter[str] = field(default_factory=Counter[str])
    reasons: Counter[str] = field(default_factory=Counter[str])
    sessions: Counter[State] = field(default_factory=Counter[State])
    """Pairs of sessions as EQUAL, whatever differs in them; sessions without a counterpart as MISSING or EXTRA."""
    moved: int = 0

    def add(self, entry: Entry, command: str, passes: Iterable[Pass] = ()) -> None:
        """One exchange more."""
        self.states[entry.state] += 1
        self.commands[command] += 1
        self.moved += entry.moved
        if entry.reason:
            self.reasons[entry.reason] += 1
        for difference in entry.differences:
            self.kinds[difference.kind] += 1
        for each in passes:
            self.rules[each.rule] += each.times
            self.examples.setdefault(each.rule, each)

    def lone(self, state: State) -> None:
        """A session without a counterpart: MISSING or EXTRA."""
        self.sessions[state] += 1
        self.kinds[Kind(state.value)] += 1

    def merge(self, other: Totals) -> None:
        """Those of other sessions."""
        self.states += other.states
        self.kinds += other.kinds
        self.rules += other.rules
        self.commands += other.commands
        self.noise += other.noise
        self.reasons += other.reasons
        self.sessions += other.sessions
        self.moved += other.moved
        self.examples = other.examples | self.examples

    @property
    def different(self) -> bool:
        """Whether anything differs."""
        return bool(self.kinds)

    @property
    def not_kept(self) -> int:
        """How many contents could not be compared, for they were not kept or are masked."""
        return self.rules[NOT_KEPT]

    @property
    def compared(self) -> int:
        """Exchanges that were compared, or found to be missing or extra."""
        return sum(count for state, count in self.states.items() if state is not State.NOT_COMPARED)


class Result(Protocol):
    """A finished comparison; its entries are read again whenever they are asked for."""

    @property
    def left(self) -> Side: ...
    @property
    def right(self) -> Side: ...
    @property
    def totals(self) -> Totals: ...
    @property
    def words(self) -> tuple[Word, ...]: ...
    @property
    def noise(self) -> tuple[Noisy, ...]: ...

    def sessions(self) -> Iterator[tuple[Talk, Iterator[Entry]]]:
        """Each pair of sessions with its entries, which are read before the next pair is asked for."""
        ...
