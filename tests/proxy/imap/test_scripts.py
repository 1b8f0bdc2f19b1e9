"""Every conversation of tests/scripts: what becomes of it, and that no cut and no tick changes that."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from proxy.imap.conversation import Conversation
from proxy.imap.transcript import Direction, Exchange, Outcome
from tests.proxy.imap.playing import Cut, Heard, after_cr, at_random, bytewise, play
from tests.proxy.imap.scripts import BadScriptError, Script, Step, everything, load, read

ALL = pytest.mark.parametrize("path", everything(), ids=lambda path: path.stem)
CUTS = [bytewise, after_cr, *(at_random(seed) for seed in range(4))]
_FIELD = re.compile(r"; (?=(?:data|marks|mailbox|args|text) )")


@ALL
def test_script_is_recorded_as_it_says(path: Path) -> None:
    script = load(path)
    heard = play(script.turns, ending=script.ending)
    for step in script.steps:
        assert _recorded(heard, step) == step.recorded, f"{script.name}:{step.line}"
        assert step.whose in {None, _whose(heard, step)}, f"{script.name}:{step.line}: {_whose(heard, step)}"
    assert [_shown(x, like) for x, like in _pairs(heard, script)] == script.exchanges
    assert [f"{x.kind} {x.name}" for x in heard.events] == script.events
    assert heard.closed.ending is script.ending


@ALL
def test_script_leads_to_the_states_that_it_names(path: Path) -> None:
    conversation = Conversation(1)
    for step in load(path).steps:
        conversation.receive(step.turn.direction, step.turn.data, 0, step.turn.layer)
        if step.state is not None:
            state = conversation.state
            assert f"{state.phase} {state.mailbox or ''}".strip() == step.state, f"{path.name}:{step.line}"


@ALL
@pytest.mark.parametrize("cut", CUTS, ids=["bytewise", "after CR", *(f"random {n}" for n in range(4))])
def test_no_cut_changes_the_record(path: Path, cut: Cut) -> None:
    script = load(path)
    assert play(script.turns, cut).facts == play(script.turns).facts


@ALL
def test_no_tick_changes_the_record(path: Path) -> None:
    """What `tick` releases early is what would have been released later (M 7.2: also between any two bytes).

    Only the order in which secrets are found may be another.
    """
    turns = load(path).turns
    ticked, plain = play(turns, bytewise, between=Conversation.tick), play(turns)
    assert ticked.but_for_secrets == plain.but_for_secrets


@pytest.mark.parametrize(
    "text",
    [
        "X: a NOOP",
        "C:a NOOP",
        "c: a NOOP",
        "reset",
        "~ nothing said yet",
        "C: abc\n~ abcd",
        "C: abc\n~ abc",
        "C: abc\n@ 1 certain",
        "C: abc\n& 1 sure open 2",
        "C: «zz»",
        "ending well",
    ],
)
def test_a_script_that_breaks_the_rules_is_refused(text: str) -> None:
    with pytest.raises(BadScriptError):
        read("bad.imap", text)


def _recorded(heard: Heard, step: Step) -> bytes:
    return heard.stream(step.turn.direction)[step.offset : step.offset + len(step.clear)]


def _whose(heard: Heard, step: Step) -> str:
    """The span that the step lies in, as an `@` line says it; with what else was open only if the line says that."""
    for span in heard.spans(step.turn.direction):
        if span.start <= step.offset and step.offset + len(step.clear) <= span.end:
            others = "".join(f" {n}" for n in span.open)
            told = others and " open" in (step.whose or "")
            return f"{span.exchange or '-'} {span.certainty}" + (f" open{others}" if told else "")
    return "no span"


def _pairs(heard: Heard, script: Script) -> list[tuple[Exchange, str]]:
    expected = script.exchanges + [""] * (len(heard.exchanges) - len(script.exchanges))
    return list(zip(heard.exchanges, expected, strict=False))


def _shown(x: Exchange, like: str) -> str:
    """The exchange as an `=` line says it, with those of its optional fields that the line `like` has."""
    verdict = [x.status] if x.status else []
    if x.outcome is not Outcome.COMPLETED:
        verdict.append(f"({x.outcome})")
    code = [f"[{x.code}]"] if x.code else []
    given = {part.partition(" ")[0] for part in _FIELD.split(like)[1:]}
    fields = {
        "data": ", ".join(f"{kind} {count}" if count > 1 else kind for kind, count in x.responses),
        "marks": ", ".join(x.marks),
        "mailbox": x.mailbox or "",
        "args": x.arguments if "args" in given else "",
        "text": (x.text or "") if "text" in given else "",
    }
    head = " ".join([str(x.number), x.tag or "-", x.command or "-", *verdict, *code])
    return "; ".join([head, *(f"{name} {value}" for name, value in fields.items() if value)])


def test_direction_names_are_those_of_the_script_letters() -> None:
    script = read("two.imap", "C: a\nS> b")
    assert [(x.turn.direction, x.clear) for x in script.steps] == [
        (Direction.CLIENT, b"a\r\n"),
        (Direction.SERVER, b"b"),
    ]
