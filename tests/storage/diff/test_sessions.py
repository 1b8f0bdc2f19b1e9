"""Which session is the counterpart of which."""

from __future__ import annotations

import pytest

from storage.diff.sessions import Opening, pair_sessions

BOB, EVE = "bob", "eve"
ROWS = {
    "in order": ([(BOB, "ab"), (BOB, "ab")], [(BOB, "ab"), (BOB, "ab")], "1=1 2=2"),
    "by user": ([(BOB, "ab"), (EVE, "ab")], [(EVE, "ab"), (BOB, "ab")], "1=2 2=1"),
    "by what they begin with": ([(BOB, "abc"), (BOB, "xyz")], [(BOB, "xyz"), (BOB, "abc")], "1=2 2=1"),
    "by what is most like it": ([(BOB, "abcd"), (BOB, "wxyz")], [(BOB, "wxy"), (BOB, "abd")], "1=2 2=1"),
    "user before beginning": ([(BOB, "ab"), (EVE, "xy")], [(BOB, "xy"), (EVE, "ab")], "1=1 2=2"),
    "beginning where the users are others": ([(BOB, "ab"), (BOB, "xy")], [(EVE, "xy"), (EVE, "ab")], "1=2 2=1"),
    "the rest by order": ([(BOB, "ab")], [(EVE, "xy")], "1=1"),
    "missing": ([(BOB, "ab"), (BOB, "ab"), (BOB, "ab")], [(BOB, "ab")], "1=1 2- 3-"),
    "extra": ([(None, "")], [(None, ""), (EVE, "ab")], "1=1 +2"),
    "nothing": ([], [], ""),
}


def openings(rows: list[tuple[str | None, str]]) -> list[Opening]:
    """Sessions by number; a command is a letter."""
    return [Opening(number, user, tuple(map(ord, first))) for number, (user, first) in enumerate(rows, 1)]


@pytest.mark.parametrize("name", ROWS)
def test_counterparts(name: str) -> None:
    """As a person would pair them."""
    left, right, wanted = ROWS[name]
    found = pair_sessions(openings(left), openings(right))
    shown = (
        f"+{other.number}" if one is None and other else f"{one.number}{f'={other.number}' if other else '-'}" if one
        else "" for one, other in found
    )  # fmt: skip
    assert " ".join(shown) == wanted
