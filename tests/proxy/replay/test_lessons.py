"""What a mapping learns, in the order of the steps."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest

from proxy.imap.mapping import Mapping
from proxy.imap.state import Phase
from proxy.imap.transcript import Exchange, Origin, Outcome
from proxy.imap.view.dialogue import Before, Dialogue
from proxy.replay.lessons import Lessons

if TYPE_CHECKING:
    from collections.abc import Sequence

    from proxy.imap.view.dialogue import Literals


class Pupil:
    """A mapping that only remembers what it was told."""

    def __init__(self) -> None:
        self.told: list[tuple[int, int | None]] = []

    def learn(
        self, recorded: Dialogue, replayed: Dialogue | None, literals: tuple[Literals | None, Literals | None]
    ) -> None:
        assert literals == (None, None)
        self.told.append((recorded.exchange.number, replayed.exchange.number if replayed else None))


def dialogue(number: int) -> Dialogue:
    """One that says nothing."""
    exchange = Exchange(
        1, number, "a", "NOOP", "", None, Origin.CLIENT, Outcome.COMPLETED, "OK", None, None, 0, 1, 0, 0
    )
    return Dialogue(exchange, (), (), Before(Phase.AUTHENTICATED))


@pytest.mark.parametrize(
    ("overs", "told"),
    [
        (((1, 11), (2, 12), (3, 13)), [(1, 11), (2, 12), (3, 13)]),
        (((3, 13), (2, 12), (1, 11)), [(1, 11), (2, 12), (3, 13)]),
        (((2, None), (1, 11)), [(1, 11), (2, None)]),
        (((1, None), (3, 13)), [(1, None)]),
        (((1, 11), (1, 99), (2, 12)), [(1, 11), (2, 12)]),
        (((7, 17),), []),
    ],
    ids=["in order", "backwards", "skipped", "one is missing", "twice", "never begun"],
)
def test_order(overs: Sequence[tuple[int, int | None]], told: list[tuple[int, int | None]]) -> None:
    pupil = Pupil()
    lessons = Lessons(cast("Mapping", pupil), (None, None))
    for number in (1, 2, 3):
        lessons.begun(dialogue(number))
    for number, answer in overs:
        lessons.over(number, None if answer is None else dialogue(answer))
    assert pupil.told == told
