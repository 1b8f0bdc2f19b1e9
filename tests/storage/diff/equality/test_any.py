"""Any two answers: comparing them never fails, an answer equals itself, and what is found is found from both sides."""

from __future__ import annotations

import functools
import random
from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.imap.grammar import Untagged, cut, parse_response
from proxy.imap.transcript import Certainty, Direction
from proxy.imap.view.dialogue import Answer
from storage.diff.equality import Context, compare
from storage.diff.values import Comparison
from tests.proxy.imap import corpus
from tests.storage.diff.equality.rows import dialogues
from tests.storage.diff.equality.test_rules import rows
from tests.storage.diff.telling import told

if TYPE_CHECKING:
    from proxy.imap.view.dialogue import Dialogue

ROWS = rows()
COMMANDS = {
    "Fetch": "FETCH 1:* ALL", "Found": "SEARCH ALL", "ESearch": "UID SEARCH ALL", "Thread": "UID THREAD REFS UTF-8 ALL",
    "MailboxList": 'LIST "" *', "MailboxStatus": "STATUS a (X)", "Vanished": "EXPUNGE", "Count": "SELECT a",
    "Flags": "SELECT a",
}  # fmt: skip


def both_ways(left: Dialogue, right: Dialogue, context: Context) -> None:
    """Compare them, from both sides."""
    there = compare(left, right, context)
    back = compare(right, left, Context(literals=(context.literals[1], context.literals[0])))
    assert len(there.differences) == len(back.differences), (there, back)
    for each in there.differences:
        assert each.where.isprintable()
        assert (each.left, each.right) != (None, None), there
        assert all(len(text or "") <= 400 and (text or "").isprintable() for text in (each.left, each.right)), there


@given(st.sampled_from(ROWS), st.sampled_from(ROWS))
@settings(max_examples=100, deadline=None)
def test_any_two_answers_of_rows_are_compared(one: object, other: object) -> None:
    left, _, context = dialogues(one)  # type: ignore[arg-type]
    right, _, others = dialogues(replace(other, command=one.command))  # type: ignore[type-var,attr-defined]
    both_ways(left, right, Context(literals=(context.literals[0], others.literals[0])))
    itself = compare(left, left, Context(literals=(context.literals[0], context.literals[0])))
    assert itself == Comparison() or one.lost  # type: ignore[attr-defined]


@functools.cache
def by_kind() -> dict[str, list[Answer]]:
    """The server units of the corpus that at least one oracle takes, by the class of their data."""
    found: dict[str, list[Answer]] = defaultdict(list)
    for (ident, side), units in corpus.accepted().items():
        if side != "S":
            continue
        stream = corpus.tool().stream(corpus.records()[ident], side)
        for number, (data, _) in enumerate(corpus.tool().frames(stream)):
            if number in units:
                parsed = parse_response(cut(data, Direction.SERVER))
                value = parsed.understood
                kind = type(value.data).__name__ if isinstance(value, Untagged) else type(parsed.value).__name__
                found[kind].append(Answer(0, parsed, Certainty.SURE))
    return found


def test_answers_of_the_corpus_are_compared() -> None:
    """Each with itself, and with some others of its kind."""
    dice = random.Random(5)  # noqa: S311 - no secret hangs on it
    for kind, answers in sorted(by_kind().items()):
        asked = told(f"S: * PREAUTH hi\nC: x {COMMANDS.get(kind, 'NOOP')}\nS: x OK done").dialogues[0]
        end = asked.answers[-1]
        for answer in answers:
            one = asked._replace(answers=(answer, end))
            assert compare(one, one).differences == ()
            for other in dice.choices(answers, k=1):
                both_ways(one, asked._replace(answers=(other, end)), Context())


def test_there_are_many_kinds_in_the_corpus() -> None:
    assert len(by_kind()) > 15
    assert sum(map(len, by_kind().values())) > 1000
