"""The rules: each is explained, listed in the docs, used by the code, and can be switched off."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

import storage.diff.equality
from storage.diff.equality import RULES, Rule
from tests.storage.diff.equality import (
    test_accounts,
    test_fetches,
    test_mailboxes,
    test_searches,
    test_statuses,
    test_structures,
    test_words,
)
from tests.storage.diff.equality.rows import Row, compared

ROOT = Path(__file__).resolve().parents[4]
FAMILIES = (test_accounts, test_fetches, test_mailboxes, test_searches, test_statuses, test_structures, test_words)


def rows() -> list[Row]:
    """All rows of all families."""
    found: list[Row] = []
    for family in FAMILIES:
        for test in vars(family).values():
            for mark in getattr(test, "pytestmark", ()):
                found += mark.args[1]
    return found


def test_every_rule_is_explained_once() -> None:
    assert [each.rule for each in RULES] == list(Rule)


def test_the_docs_list_the_rules_as_they_are() -> None:
    section = (ROOT / "docs" / "diff.md").read_text("utf-8").partition("| rule | lets pass |")[2]
    table = re.findall(r"^\| `([^`]+)` \| (.+) \|$", section.partition("\n## ")[0], re.MULTILINE)
    assert table == [(each.rule.value, each.sentence) for each in RULES]


def test_every_rule_is_used() -> None:
    files = Path(storage.diff.equality.__path__[0]).glob("*.py")
    code = "".join(path.read_text("utf-8") for path in files if path.name != "rules.py")
    unused = [rule.name for rule in Rule if f"Rule.{rule.name}" not in code]
    assert unused == []


@pytest.mark.parametrize("rule", sorted({name for row in rows() for name in row.passes.split(", ") if name}))
def test_what_a_rule_lets_pass_is_a_difference_when_it_is_switched_off(rule: str) -> None:
    for row in rows():
        if rule not in row.passes.split(", "):
            continue
        before = compared(row)
        after = compared(replace(row, off=", ".join(filter(None, (row.off, rule)))))
        assert not any(each.rule == rule for each in after.passes), row
        assert len(after.differences) >= len(before.differences) + 1, row


def test_there_are_rows_for_nearly_every_rule() -> None:
    seen = {name for row in rows() for name in row.passes.split(", ")}
    assert {rule.value for rule in Rule} - seen <= {
        "timing",
        "internal date",
        "continuation",
        "ambiguous",
        "told before",
        "tag in a code",
    }


def test_there_are_many_rows() -> None:
    assert len(rows()) >= 150
