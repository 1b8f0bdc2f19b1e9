"""docs/mapping.md says what is true."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from proxy.imap.lint import words
from proxy.replay.changing import CHANGING

PAGE = (Path(__file__).parents[3] / "docs" / "mapping.md").read_text()
TABLES = (
    words.COMMANDS, words.FETCH_ITEMS, words.MODIFIERS, words.PARAMETERS, words.STATUS_ITEMS, words.LIST_OPTIONS,
    words.RETURN_OPTIONS, words.SEARCH_KEYS,
)  # fmt: skip
ELSEWHERE = {"IDLE", "COMPRESS", "STARTTLS", "UNAUTHENTICATE", "XAPPLEPUSHSERVICE"}
"""Of commands that are never skipped for a capability, or always for another reason."""


@pytest.mark.parametrize("command", sorted(CHANGING))
def test_commands_that_change_mail_are_listed(command: str) -> None:
    assert re.search(rf"\b{command}\b", PAGE)


def test_capabilities_are_listed() -> None:
    wanted = {word.rstrip("=") for table in TABLES for needs in table.values() for word in needs} - ELSEWHERE
    missing = {word for word in wanted if word.partition("=")[0] not in PAGE.upper()}
    assert missing == set()
