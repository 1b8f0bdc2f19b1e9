"""Each rule in rows: what breaks it, and what comes close and does not."""

from __future__ import annotations

import re

import pytest

from proxy.imap.grammar import Quirk
from proxy.imap.lint import FAMILIES, RULES
from proxy.imap.lint.syntax import QUIRK_RULES, TOLD_ELSEWHERE
from proxy.imap.transcript import Direction
from tests.need import ROOT
from tests.proxy.imap.lint import rows_state, rows_syntax, rows_use, rows_wire
from tests.proxy.imap.lint.saying import lint, rules

ROWS = [*rows_wire.ROWS, *rows_syntax.ROWS, *rows_state.ROWS, *rows_use.ROWS]
SIDES = {"C": Direction.CLIENT, "S": Direction.SERVER}


@pytest.mark.parametrize(("rule", "who", "broken", "kept"), ROWS)
def test_rows(rule: str, who: str, broken: str, kept: str) -> None:
    found = [finding for finding in lint(broken) if finding.rule.id == rule]
    assert {finding.side for finding in found} == {SIDES[who]}, rules(broken)
    assert rule not in rules(kept), rules(kept)


def test_each_rule_has_a_row() -> None:
    assert {row[0] for row in ROWS} == set(RULES)
    assert all(RULES[row[0]].side in {None, SIDES[row[1]]} for row in ROWS)


def test_ids_are_words_and_each_is_there_once() -> None:
    ids = [rule.id for family in FAMILIES for rule in family.rules]
    assert sorted(set(ids)) == sorted(ids)
    assert all(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", each) for each in ids)
    assert not set(ids) & {family.name for family in FAMILIES}


def test_each_quirk_of_the_grammar_is_told() -> None:
    assert set(QUIRK_RULES) | TOLD_ELSEWHERE == set(Quirk)
    assert not set(QUIRK_RULES) & TOLD_ELSEWHERE


def test_the_documentation_lists_each_rule() -> None:
    page = (ROOT / "docs" / "lint.md").read_text()
    listed = re.findall(r"^\| `([a-z0-9-]+)` \| (\w+) \| (\w+) \| ([^|]+) \| ([^|]+) \|$", page, re.MULTILINE)
    expected = [
        (rule.id, "both" if rule.side is None else rule.side.name.lower(), rule.severity.word, rule.source, rule.text)
        for rule in RULES.values()
    ]
    assert listed == expected
