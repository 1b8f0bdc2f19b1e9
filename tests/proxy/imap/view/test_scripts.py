"""Every conversation of tests/scripts, seen again: whose each unit is once it has been read, and the states."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from proxy.imap.transcript import Direction
from tests.proxy.imap.playing import play
from tests.proxy.imap.scripts import everything, load
from tests.proxy.imap.view.seeing import Units, fact, seen

if TYPE_CHECKING:
    from pathlib import Path

ALL = pytest.mark.parametrize("path", everything(), ids=lambda path: path.stem)


@ALL
def test_what_is_seen_is_what_the_script_says(path: Path) -> None:
    script = load(path)
    for step, (line, heard, state) in zip(script.steps, seen(script), strict=True):
        for said in step.facts:
            word, _, expected = said.partition(" ")
            assert fact(state, word, expected) == expected, f"{script.name}:{line}: {said}"
        if step.seen is not None:
            assert step.seen == f"{heard[-1].exchange or '-'} {heard[-1].certainty}", f"{script.name}:{line}"


@ALL
def test_the_phases_and_mailboxes_are_those_of_the_wire(path: Path) -> None:
    script = load(path)
    for step, (line, _, state) in zip(script.steps, seen(script), strict=True):
        if step.state is not None:
            name = state.mailbox.name if state.mailbox else ""
            assert f"{state.phase} {name}".strip().lower() == step.state.lower(), f"{script.name}:{line}"


@ALL
def test_what_the_wire_was_sure_of_is_not_taken_back(path: Path) -> None:
    """But where data names another mailbox than the only command that may have asked: `&` lines tell of those."""
    script = load(path)
    for step, (line, heard, _) in zip(script.steps, seen(script), strict=True):
        recorded = (step.whose or "").split(" ")
        if recorded[-1] == "sure" and len(recorded) == 2 and step.seen is None and heard:
            assert str(heard[-1].exchange or "-") == recorded[0], f"{script.name}:{line}"
            assert str(heard[-1].certainty) == "sure", f"{script.name}:{line}"


@ALL
def test_all_units_of_all_spans_are_seen_once(path: Path) -> None:
    script = load(path)
    played = play(script.turns, ending=script.ending)
    for direction in Direction:
        units = list(Units(played, direction).until(2**63, 0, script.steps[0].turn.layer))
        assert len(units) == sum(span.units for span in played.spans(direction))
