"""Noise: learned from two runs, and let pass in a third."""

from __future__ import annotations

from collections import Counter

import pytest

from storage.diff.noise import Learner, Noise, NoiseRule, abstract, shown
from storage.diff.report.values import Noisy
from storage.diff.values import Difference, Kind, Pass

FLAGS = Difference(Kind.VALUE, "FETCH 4 FLAGS", r"(\Seen)", "()")
SIZE = Difference(Kind.VALUE, "FETCH 4 RFC822.SIZE", "300", "301")
GONE = Difference(Kind.MISSING, "exchange", "NOOP", None)


def learned(*runs: tuple[str, tuple[Difference, ...]]) -> tuple[NoiseRule, ...]:
    """Rules from exchanges of two runs."""
    learner = Learner()
    for command, differences in runs:
        learner.add(command, differences)
    return learner.rules()


def test_what_moves_by_itself_becomes_a_rule() -> None:
    """A place in any exchange, how often it was seen, and an example of it."""
    other = Difference(Kind.VALUE, "FETCH 17 FLAGS", "()", r"(\Seen)")
    rules = learned(("UID FETCH", (FLAGS, other)), ("UID FETCH", (other,)), ("UID FETCH", ()), ("NOOP", (GONE,)))
    assert rules == (
        NoiseRule("FETCH * FLAGS", "UID FETCH", "value", 2, 3, r"(\Seen) / ()"),
        NoiseRule("exchange", "NOOP", "missing", 1, 1, "NOOP / nothing"),
    )


def test_what_was_learned_of_other_sessions_is_added() -> None:
    """Counts of both; the first example stays."""
    one, other = Learner(), Learner()
    one.add("UID FETCH", (FLAGS,))
    other.add("UID FETCH", (Difference(Kind.VALUE, "FETCH 9 FLAGS", "a", "b"),))
    other.add("UID FETCH", ())
    one.merge(other)
    assert one.rules() == (NoiseRule("FETCH * FLAGS", "UID FETCH", "value", 2, 3, r"(\Seen) / ()"),)


def test_noise_is_let_pass_and_all_else_counts() -> None:
    """Only of that command, kind and place."""
    noise = Noise(learned(("UID FETCH", (FLAGS,))))
    elsewhere = Difference(Kind.VALUE, "FETCH 99 FLAGS", "a", "b")
    rule = "noise: UID FETCH, FETCH * FLAGS (value)"
    assert noise.sift("UID FETCH", (SIZE, elsewhere)) == ((SIZE,), (Pass(rule, "FETCH 99 FLAGS", "a", "b"),))
    assert noise.sift("FETCH", (elsewhere,)) == ((elsewhere,), ())
    missing = Difference(Kind.MISSING, "FETCH 99 FLAGS", "a")
    assert noise.sift("UID FETCH", (missing,)) == ((missing,), ())
    assert noise.hits == Counter({rule: 1})


@pytest.mark.parametrize(
    ("rule", "command", "where", "wanted"),
    [
        (NoiseRule("*"), "NOOP", "anything", True),
        (NoiseRule("FETCH * BODY[*]"), "FETCH", "FETCH 4 BODY[1.2]", True),
        (NoiseRule("FETCH * BODY[1]"), "FETCH", "FETCH 4 BODY1", False),
        (NoiseRule("OK [COPYUID]"), "COPY", "OK [COPYUID]", True),
        (NoiseRule("OK [COPYUID]"), "COPY", "OK C", False),
        (NoiseRule("what?"), "COPY", "whatx", False),
        (NoiseRule("fetch * flags", "uid *"), "UID FETCH", "FETCH 4 FLAGS", True),
        (NoiseRule("FETCH * FLAGS", "UID *"), "FETCH", "FETCH 4 FLAGS", False),
        (NoiseRule("FETCH *", kind="missing"), "FETCH", "FETCH 4 FLAGS", False),
    ],
)
def test_only_a_star_stands_for_anything(rule: NoiseRule, command: str, where: str, wanted: bool) -> None:
    """Brackets and question marks are letters like others."""
    assert rule.matches(command, Kind.VALUE, where) is wanted


def test_places_are_the_same_in_any_exchange() -> None:
    """Numbers and sets of them do not count."""
    assert abstract("FETCH 4 BODYSTRUCTURE 1.2 octets") == "FETCH * BODYSTRUCTURE * octets"
    assert abstract("FETCH 4 RFC822.SIZE") == "FETCH * RFC822.SIZE"
    assert abstract("SEARCH 1:4,7") == "SEARCH *"


def test_a_rule_that_is_needed_far_more_often_than_it_was_seen_is_doubtful() -> None:
    """It may hide what has really changed."""
    rules = (NoiseRule("FETCH * FLAGS", "UID FETCH", "value", 2, 100), NoiseRule("*", "NOOP"))
    name = rules[0].name
    often, seldom = (shown(rules, Counter({name: hits}), Counter({"UID FETCH": 100, "NOOP": 5})) for hits in (50, 3))
    assert often == (Noisy(name, (2, 100), (50, 100)), Noisy(rules[1].name, (0, 0), (0, 5)))
    assert [noisy.more for noisy in often] == [True, False]
    assert not seldom[0].more
