"""The same with what `proxy.imap.mapping` learns while two sessions are compared, pair by pair."""

from __future__ import annotations

import pytest

from proxy.imap.mapping import Mapping
from storage.diff.equality import Context, compare
from tests.storage.diff.equality.playbook import LEFT, MUTATIONS, SERVERS, SESSION, Server
from tests.storage.diff.telling import told

FREE = {"UIDVALIDITY changed", "mailbox id", "other UIDVALIDITY", "wrong UID"}
"""What nobody can know when it is first seen: such an id may be any. Of these, test_mutations.py has all as known."""


def differences(right: str, server: Server, *, before: str | None = None) -> list[str]:
    """What is found; with `before`, when this session of that server has been learned already."""
    mapping = Mapping()
    context = Context(mapping)
    left = told(LEFT.session(SESSION)).dialogues
    if before is not None:
        for one, other in zip(left, told(server.session(before)).dialogues, strict=True):
            mapping.learn(one, other)
    found: list[str] = []
    for one, other in zip(left, told(server.session(right)).dialogues, strict=True):
        found += [f"{each.kind} {each.where}" for each in compare(one, other, context).differences]
        mapping.learn(one, other)
    return found


@pytest.mark.parametrize("server", SERVERS)
def test_a_session_equals_itself(server: str) -> None:
    assert differences(SESSION, SERVERS[server]) == []


@pytest.mark.parametrize("name", sorted(MUTATIONS.keys() - FREE))
def test_what_is_changed_is_found_and_nothing_else(name: str) -> None:
    old, new, expected = MUTATIONS[name]
    assert differences(SESSION.replace(old, new), SERVERS["another"]) == [expected]


@pytest.mark.parametrize("name", sorted(FREE))
def test_what_has_been_learned_before_is_known(name: str) -> None:
    old, new, expected = MUTATIONS[name]
    assert differences(SESSION.replace(old, new), SERVERS["another"], before=SESSION)[:1] == [expected]
