"""One thing is changed in a session, and just that is found; nothing is, where only order and spelling change."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.diff.equality import Context, compare
from tests.storage.diff.equality.playbook import LEFT, MUTATIONS, SERVERS, SESSION, Server
from tests.storage.diff.telling import told


def differences(right: str, server: Server) -> list[str]:
    """All that is found between the left session and this one of that server."""
    context = Context(server.pairs())
    pairs = zip(told(LEFT.session(SESSION)).dialogues, told(server.session(right)).dialogues, strict=True)
    found = [each for one, other in pairs for each in compare(one, other, context).differences]
    return [f"{each.kind} {each.where}" for each in found]


@pytest.mark.parametrize("server", SERVERS)
def test_a_session_equals_itself(server: str) -> None:
    assert differences(SESSION, SERVERS[server]) == []


@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.parametrize("name", MUTATIONS)
def test_what_is_changed_is_found_and_nothing_else(name: str, server: str) -> None:
    old, new, expected = MUTATIONS[name]
    assert SESSION.count(old) == 1, "it is changed in one place"
    assert differences(SESSION.replace(old, new), SERVERS[server]) == [expected]


def test_there_are_many_mutations() -> None:
    assert len(MUTATIONS) >= 40


@given(st.randoms(use_true_random=False), st.sampled_from(list(SERVERS)))
@settings(max_examples=12, deadline=None)
def test_order_that_is_free_is_free(dice: random.Random, server: str) -> None:
    assert differences(shuffled(SESSION, dice), SERVERS[server]) == []


def shuffled(session: str, dice: random.Random) -> str:
    """Untagged lines of each answer in another order, where the order is free; so are words within parentheses."""
    lines: list[str] = []
    run: list[str] = []
    for line in session.split("\n"):
        if _free(line):
            run.append(_words(line, dice))
            continue
        dice.shuffle(run)
        lines += [*run, line]
        run = []
    return "\n".join(lines)


def _free(line: str) -> bool:
    fixed = ("EXISTS", "EXPUNGE", "BYE", "HEADER.FIELDS", "hello")
    return line.startswith("S: * ") and not any(word in line for word in fixed)


def _words(line: str, dice: random.Random) -> str:
    head, opening, rest = line.partition("FLAGS (")
    if not opening:
        return line
    flags, closing, tail = rest.partition(")")
    words = flags.split()
    dice.shuffle(words)
    return f"{head}{opening}{' '.join(words)}{closing}{tail}"
