"""What holds of any two streams, cut anywhere (M 2.11), with a tick at any time."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.imap.conversation import Conversation
from proxy.imap.transcript import Direction
from tests.proxy.imap import invariants
from tests.proxy.imap.playing import Said, at_random, bytewise, play, sent
from tests.proxy.imap.scripts import everything, load
from tests.proxy.imap.talk import TALK

SEEDS = st.integers(0, 2**32)


@given(TALK, SEEDS)
def test_any_talk_makes_a_sound_record(talk: list[Said], seed: int) -> None:
    streams = {direction: sent(talk, direction) for direction in Direction}
    invariants.check(play(talk), streams)
    dice = random.Random(seed)  # noqa: S311 - no secret hangs on it
    ticked = play(talk, at_random(seed), between=lambda x: x.tick() if dice.random() < 0.5 else None)
    invariants.check(ticked, streams)


@given(TALK, SEEDS)
def test_no_cut_changes_the_record_of_any_talk(talk: list[Said], seed: int) -> None:
    plain = play(talk)
    assert play(talk, bytewise).facts == plain.facts
    assert play(talk, at_random(seed)).facts == plain.facts


@given(TALK)
def test_no_tick_changes_the_record_of_any_talk(talk: list[Said]) -> None:
    """The server ends its lines: what a tick lets out of a half one cannot be an echo of what the client says later."""
    ended = [Said(x.direction, x.data + b"\r\n") if x.direction is Direction.SERVER else x for x in talk]
    assert play(ended, bytewise, between=Conversation.tick).but_for_secrets == play(ended).but_for_secrets


@given(st.lists(st.tuples(st.sampled_from(Direction), st.binary(min_size=1, max_size=200)), max_size=10))
def test_arbitrary_bytes_make_a_sound_record(chunks: list[tuple[Direction, bytes]]) -> None:
    talk = [Said(direction, data) for direction, data in chunks]
    invariants.check(play(talk), {direction: sent(talk, direction) for direction in Direction})


@given(st.sampled_from(everything()), SEEDS)
def test_no_cut_changes_a_script(path: Path, seed: int) -> None:
    turns = load(path).turns
    assert play(turns, at_random(seed)).facts == play(turns).facts


@pytest.mark.parametrize("path", everything(), ids=lambda path: path.stem)
def test_scripts_make_a_sound_record(path: Path) -> None:
    script = load(path)
    streams = dict.fromkeys(Direction, b"")
    for step in script.steps:
        streams[step.turn.direction] += step.clear
    invariants.check(play(script.turns), streams)
    invariants.check(play(script.turns, bytewise, between=Conversation.tick), streams)


@given(st.sampled_from(everything()), st.data())
def test_a_script_may_end_anywhere(path: Path, data: st.DataObject) -> None:
    """M 1.9: the record of a session that is cut at any byte is sound."""
    turns = [x for x in load(path).turns if isinstance(x, Said)]
    end = data.draw(st.integers(0, sum(len(x.data) for x in turns)))
    cut: list[Said] = []
    for turn in turns:
        cut.append(Said(turn.direction, turn.data[:end], turn.layer))
        end -= len(cut[-1].data)
    if "compress" not in path.stem:
        invariants.check(play(cut), {direction: sent(cut, direction) for direction in Direction})
