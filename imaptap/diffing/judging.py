"""Steps become entries: what is the same of two dialogues, what is not, and what could not be compared."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from imaptap.diffing.offers import LEFT, RIGHT, Offers
from proxy.imap.grammar import Untagged
from proxy.imap.grammar.capability import Namespace
from proxy.imap.grammar.listing import MailboxList
from proxy.imap.mapping import Mapping
from proxy.imap.mapping.values import Side
from proxy.imap.transcript import Exchange, readable
from storage.diff.equality import Context, compare
from storage.diff.equality.context import States
from storage.diff.report.values import Entry, Said, State, Totals
from storage.diff.values import NOT_KEPT, Comparison, Difference, Kind

if TYPE_CHECKING:
    from collections.abc import Callable

    from imaptap.diffing.values import Step
    from imaptap.diffing.walk import Walked
    from proxy.imap.view.dialogue import Dialogue, Literals
    from storage.diff.keys import Keys
    from storage.diff.noise import Learner, Noise

COMMAND_MOST = 300
"""Characters of a command that reports show."""
NEAREST_MOST = 500
"""Exchanges without a counterpart, of one pair of sessions, for which the nearest one is looked for."""
EXCHANGE = "exchange"
COMMAND = "command"
OTHER_COMMAND = "the commands are not the same"
_NAMES = (MailboxList, Namespace)
_NONE = array("q")
TOO_LONG = "its answers are too long to be held in memory side by side"
LOST = "its bytes were not recorded, or too many exchanges have moved"


class Ground(NamedTuple):
    """What is known of two sessions beside their dialogues."""

    literals: tuple[Literals, Literals]
    began: tuple[int, int]
    since: tuple[int, int]
    nearest: Callable[[Step], Said | None]


class Judge:
    """Judges the sessions of one user, one pair after another: what it learns of names and UIDs goes on with them."""

    def __init__(self, noise: Noise, off: frozenset[str], learner: Learner | None = None) -> None:
        self.totals, self.offers = Totals(), Offers()
        self._mapping, self._states = Mapping(), States()
        self._noise, self._off, self._learner = noise, off, learner
        self._around: tuple[Ground, Context] | None = None

    def judge(self, walked: Walked, ground: Ground) -> Entry:
        """What came of a step."""
        step, left, right = walked
        command = _command(left, right)
        comparison = self._comparison(walked, ground)
        differences = comparison.differences if comparison else ()
        if self._learner is not None and comparison is not None:
            self._learner.add(command, differences)
        differences, noise = self._noise.sift(command, differences)
        passes = (*(comparison.passes if comparison else ()), *noise)
        entry = Entry(
            _state(step, comparison, differences), said(left), said(right), differences, _reason(walked, comparison),
            step.moved, ground.nearest(step) if comparison and not step.reason else None, len(passes),
        )  # fmt: skip
        self.totals.add(entry, command, passes)
        return entry

    def overhear(self, right: Dialogue) -> None:
        """What imaptap has asked the right server itself is compared with nothing; it may tell of names."""
        self._names(Side.REPLAYED, right)

    def _names(self, side: Side, dialogue: Dialogue) -> None:
        # Before anything is compared: how names are built is no news, whichever of them come first.
        for answers in (dialogue.news, dialogue.answers):
            for answer in answers:
                value = answer.parsed.value
                if isinstance(value, Untagged) and isinstance(value.data, _NAMES):
                    self._mapping.names.hear(side, value.data)

    def _context(self, ground: Ground) -> Context:
        """One for all steps of two sessions."""
        if self._around is None or self._around[0] is not ground:
            self._around = (
                ground,
                Context(self._mapping, ground.literals, self._off, ground.began, self._states, ground.since),
            )
        return self._around[1]

    def _comparison(self, walked: Walked, ground: Ground) -> Comparison | None:
        """None where it could not be compared."""
        step, left, right = walked
        if left is not None:
            self.offers.hear(LEFT, left)
            self._names(Side.RECORDED, left)
        if right is not None:
            self.offers.hear(RIGHT, right)
            self._names(Side.REPLAYED, right)
        if step.left is None or step.right is None:
            if left is not None:  # what a command did to the left mailbox counts, whether the right one saw it or not
                self._mapping.learn(left, None, ground.literals)
            return None if step.reason else _alone(left, right)
        if left is None or right is None:
            return None
        if left.left_out or right.left_out:  # a part of one would be compared with another part of the other
            self._mapping.learn(left, None, ground.literals)
            return None
        comparison = compare(left, right, self._context(ground))
        self._mapping.learn(left, right, ground.literals)
        return _with_place(step, left, right, comparison)


def said(dialogue: Dialogue | None) -> Said | None:
    """An exchange in short."""
    return None if dialogue is None else in_short(dialogue.exchange)


def in_short(exchange: Exchange) -> Said:
    """The same, of an exchange that nobody has read."""
    words = [exchange.status or str(exchange.outcome), f"[{exchange.code}]" if exchange.code else ""]
    took = None if exchange.ended is None else exchange.ended - exchange.started
    return Said(exchange.number, _shown(exchange), " ".join(filter(None, words)), took)


def nearest(keys: Keys) -> Callable[[int | None, int], int | None]:
    """Finds the exchange of a session that is most like a command that is missing there.

    In: its topic's number, None where it is not known; and where in the session it was to be expected, as a number.
    """
    by_topic: dict[int, array[int]] = defaultdict(lambda: array("q"))
    for number, topic in zip(keys.numbers, keys.topic, strict=True):
        by_topic[topic].append(number)

    def find(topic: int | None, expected: int) -> int | None:
        numbers = by_topic.get(topic, _NONE) if topic is not None else _NONE
        index = bisect_left(numbers, expected)
        return min(numbers[max(0, index - 1) : index + 1], key=lambda number: abs(number - expected), default=None)

    return find


def _shown(exchange: Exchange) -> str:
    text = f"{exchange.command} {exchange.arguments}".strip()
    return text if len(text) <= COMMAND_MOST else text[: COMMAND_MOST - 1] + "…"


def _command(left: Dialogue | None, right: Dialogue | None) -> str:
    there = left or right
    return there.exchange.command if there else ""


def _alone(left: Dialogue | None, right: Dialogue | None) -> Comparison | None:
    """An exchange that only one of the two has."""
    there = left or right
    if there is None:
        return None
    shown = _shown(there.exchange)
    if left is not None:
        return Comparison((Difference(Kind.MISSING, EXCHANGE, left=shown),))
    return Comparison((Difference(Kind.EXTRA, EXCHANGE, right=shown),))


def _with_place(step: Step, left: Dialogue, right: Dialogue, comparison: Comparison) -> Comparison:
    """With what is to be said of the command itself, and of where it stands."""
    before: list[Difference] = []
    after = comparison.differences
    if step.moved:
        here, there = (f"exchange {each.exchange.number}" for each in (left, right))
        before.append(Difference(Kind.ORDER, EXCHANGE, here, there, "it stands elsewhere"))
    if step.near:
        shown = _shown(left.exchange), _shown(right.exchange)
        before.append(Difference(Kind.VALUE, COMMAND, *shown))
        after = tuple(
            each if each.cause else Difference(each.kind, each.where, each.left, each.right, OTHER_COMMAND)
            for each in after
        )
    return Comparison((*before, *after), comparison.passes) if before else comparison


def _state(step: Step, comparison: Comparison | None, differences: tuple[Difference, ...]) -> State:
    if comparison is None:
        return State.NOT_COMPARED
    if not differences:
        return State.EQUAL
    return State.MISSING if step.right is None else State.EXTRA if step.left is None else State.DIFFERENT


def _reason(walked: Walked, comparison: Comparison | None) -> str:
    if comparison is None:
        too_long = any(side is not None and side.left_out for side in (walked.left, walked.right))
        return readable(walked.step.reason.encode("utf-8", "surrogatepass")) or (TOO_LONG if too_long else LOST)
    kept = any(each.rule == NOT_KEPT for each in comparison.passes)
    return "content that was not kept could not be compared" if kept else ""
