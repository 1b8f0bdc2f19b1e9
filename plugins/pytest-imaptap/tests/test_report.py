"""The report of `imaptap serve`, in words."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pytest_imaptap.report import near_misses

NEAR = {"session": 1, "exchange": 4, "command": "FETCH 1 FLAGS"}
OTHER = {"part": "items", "recorded": "FLAGS", "asked": "UID"}


def miss(*nearest: dict[str, Any]) -> dict[str, Any]:
    """A command that matched nothing."""
    return {"connection": 2, "command": "FETCH 1 UID", "why": "nothing is like it", "nearest": nearest}


@pytest.mark.parametrize(
    ("missed", "lines"),
    [
        ([], []),
        ([miss()], ["Connection 2 asked what is not recorded: FETCH 1 UID", "  nothing is like it"]),
        (
            [miss(NEAR | {"differences": [OTHER, OTHER | {"part": "set"}]}, NEAR | {"differences": []})],
            [
                "Connection 2 asked what is not recorded: FETCH 1 UID",
                "  nothing is like it",
                "  1/4 FETCH 1 FLAGS: items: recorded FLAGS, asked UID; set: recorded FLAGS, asked UID",
                "  1/4 FETCH 1 FLAGS: the same, but not here and now",
            ],
        ),
        (
            [miss(), miss()],
            ["Connection 2 asked what is not recorded: FETCH 1 UID", "  nothing is like it"] * 2,
        ),
    ],
)
def test_lines(missed: list[dict[str, Any]], lines: list[str]) -> None:
    assert near_misses(json.dumps({"missed": missed, "never_asked": [NEAR]})).splitlines() == lines
