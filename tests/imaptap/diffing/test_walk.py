"""Steps with their dialogues, read side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imaptap.diffing import walk as walking
from imaptap.diffing.values import Step
from imaptap.diffing.walk import walk
from proxy.imap.state import Phase
from proxy.imap.transcript import Exchange, Origin, Outcome
from proxy.imap.view.dialogue import Before, Dialogue

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest


def dialogues(*numbers: int, read: list[int] | None = None) -> Iterator[Dialogue]:
    """Those with these numbers; `read` gets them as they are asked for."""
    for number in numbers:
        if read is not None:
            read.append(number)
        exchange = Exchange(
            1, number, "a", "NOOP", "", None, Origin.CLIENT, Outcome.COMPLETED, "OK", None, None, 0, 1, 8, 8
        )
        yield Dialogue(exchange, (), (), Before(Phase.SELECTED), ())


def numbers(steps: list[Step], left: Iterator[Dialogue], right: Iterator[Dialogue]) -> list[tuple[int | None, ...]]:
    """What came of a walk."""
    return [
        tuple(dialogue.exchange.number if dialogue else None for dialogue in walked[1:])
        for walked in walk(steps, left, right)
    ]


def test_in_order() -> None:
    """What no step names is passed over."""
    steps = [Step(1, 1), Step(2, None), Step(None, 3), Step(4, 4)]
    assert numbers(steps, dialogues(1, 2, 3, 4), dialogues(1, 2, 3, 4)) == [(1, 1), (2, None), (None, 3), (4, 4)]


def test_moved() -> None:
    """They wait until their counterpart comes."""
    steps = [Step(1, 3, moved=True), Step(2, 1), Step(3, 2), Step(4, 4)]
    assert numbers(steps, dialogues(1, 2, 3, 4), dialogues(1, 2, 3, 4)) == [(1, 3), (2, 1), (3, 2), (4, 4)]


def test_lost() -> None:
    """A dialogue that is not there is None, and costs no other one."""
    steps = [Step(1, 1), Step(2, 2), Step(3, 3)]
    assert numbers(steps, dialogues(1, 3), dialogues(1, 2)) == [(1, 1), (None, 2), (3, None)]


def test_as_few_as_possible_are_read() -> None:
    """One of either side at a time."""
    read: list[int] = []
    walked = walk([Step(number, number) for number in (1, 2, 3)], dialogues(1, 2, 3, read=read), dialogues(1, 2, 3))
    next(walked)
    assert read == [1]


def test_too_many_that_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """What memory has no room for is not compared; all else is."""
    monkeypatch.setattr(walking, "HELD_MOST", 0)
    steps = [Step(1, 3, moved=True), Step(2, 1), Step(3, 4)]
    assert numbers(steps, dialogues(1, 2, 3), iter(list(dialogues(1, 3, 4)))) == [(1, 3), (2, 1), (3, 4)]
