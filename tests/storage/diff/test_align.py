"""Which command is the counterpart of which: rows of two sessions, and what is paired."""

from __future__ import annotations

import random

import pytest

from storage.diff.align import Match, align
from storage.diff.keys import Keys, key

A = "SELECT INBOX"
ROWS = {
    "equal": ("SELECT a; NOOP; LOGOUT", "SELECT a; NOOP; LOGOUT", "0=0 1=1 2=2"),
    "nothing": ("", "", ""),
    "only the left one": ("NOOP; LOGOUT", "", "0- 1-"),
    "only the right one": ("", "NOOP; LOGOUT", "+0 +1"),
    "deleted": ("SELECT a; SEARCH ALL; LOGOUT", "SELECT a; LOGOUT", "0=0 1- 2=1"),
    "inserted": ("SELECT a; LOGOUT", "SELECT a; SEARCH ALL; LOGOUT", "0=0 +1 1=2"),
    "a NOOP more among NOOPs": ("NOOP; NOOP; LOGOUT", "NOOP; NOOP; NOOP; LOGOUT", "0=0 1=1 +2 2=3"),
    "NOOPs around something new": (
        "NOOP; SEARCH ALL; NOOP; LOGOUT", "NOOP; NOOP; SEARCH ALL; NOOP; LOGOUT", "0=0 +1 1=2 2=3 3=4"),
    "one of many fetches is missing": (
        "UID FETCH 1 BODY[]; UID FETCH 2 BODY[]; UID FETCH 3 BODY[]", "UID FETCH 2 BODY[]; UID FETCH 3 BODY[]",
        "0- 1=0 2=1"),
    "other UIDs": (
        "UID FETCH 1 BODY[]; UID FETCH 2 BODY[]; UID FETCH 3 BODY[]",
        "UID FETCH 2 BODY[]; UID FETCH 3 BODY[]; UID FETCH 4 BODY[]", "0=0 1=1 2=2"),
    "nearly equal": (
        "SELECT a; SEARCH UNSEEN; LOGOUT", "SELECT a; SEARCH ANSWERED; LOGOUT", "0=0 1~1 2=2"),
    "nearly equal, of two the one about the same mailbox": (
        "SELECT a; STATUS b (MESSAGES); LOGOUT", "SELECT a; STATUS c (UNSEEN); STATUS b (UNSEEN); LOGOUT",
        "0=0 +1 1~2 2=3"),
    "nothing near": ("SELECT a; SEARCH ALL; LOGOUT", "SELECT a; LIST b; LOGOUT", "0=0 1- +1 2=2"),
    "a block moved": (
        "SELECT a; SEARCH ALL; FETCH 1 FLAGS; LIST x; LSUB x; STATUS c (UNSEEN); NAMESPACE; LOGOUT",
        "SELECT a; LIST x; LSUB x; STATUS c (UNSEEN); NAMESPACE; SEARCH ALL; FETCH 1 FLAGS; LOGOUT",
        "0=0 1>5 2>6 3=1 4=2 5=3 6=4 7=7"),
    "a single one moved": (
        "SELECT a; CREATE n; LIST x; LSUB x; LOGOUT", "SELECT a; LIST x; LSUB x; CREATE n; LOGOUT",
        "0=0 1>3 2=1 3=2 4=4"),
    "a NOOP is not moved": (
        "SELECT a; NOOP; LIST x; LSUB x; LOGOUT", "SELECT a; LIST x; LSUB x; NOOP; LOGOUT",
        "0=0 1- 2=1 3=2 +3 4=4"),
    "a block of NOOPs is not moved": (
        "SELECT a; NOOP; NOOP; LIST x; LSUB x; CREATE n; LOGOUT",
        "SELECT a; LIST x; LSUB x; CREATE n; NOOP; NOOP; LOGOUT", "0=0 1- 2- 3=1 4=2 5=3 +4 +5 6=6"),
    "a login by another mechanism": ("LOGIN a xxxx; LOGOUT", "AUTHENTICATE PLAIN; LOGOUT", "0=0 1=1"),
}  # fmt: skip


def keys(script: str) -> Keys:
    """Commands with a semicolon between them, numbered from 1."""
    found = Keys()
    for number, line in enumerate(filter(None, script.split("; ")), 1):
        words = line.split(" ", 2 if line.startswith("UID ") else 1)
        name = " ".join(words[:-1]) if len(words) > 1 else line
        said = words[-1] if len(words) > 1 else ""
        mailbox = said.split(" ")[0] if name in {"SELECT", "STATUS"} else None
        found.add(number, key(name, said, mailbox))
    return found


def shown(match: Match) -> str:
    """`1=2`, `1~2` near, `1>2` moved, `1-` missing, `+2` extra."""
    if match.left is None:
        return f"+{match.right}"
    if match.right is None:
        return f"{match.left}-"
    return f"{match.left}{'>' if match.moved else '~' if match.near else '='}{match.right}"


@pytest.mark.parametrize("name", ROWS)
def test_counterparts(name: str) -> None:
    """As a person would pair them."""
    left, right, wanted = ROWS[name]
    assert " ".join(shown(match) for match in align(keys(left), keys(right))) == wanted


@pytest.mark.parametrize("seed", range(40))
def test_each_is_told_once(seed: int) -> None:
    """Whatever the two are."""
    chance = random.Random(seed)  # noqa: S311
    words = ["NOOP", "SELECT a", "SELECT b", "SEARCH ALL", "UID FETCH 1 FLAGS", "UID FETCH 2 FLAGS", "LIST x"]
    scripts = ["; ".join(chance.choices(words, k=chance.randrange(30))) for _ in range(2)]
    left, right = map(keys, scripts)
    found = list(align(left, right))
    assert [match.left for match in found if match.left is not None] == list(range(len(left)))
    assert sorted(match.right for match in found if match.right is not None) == list(range(len(right)))
    for match in found:
        if match.left is not None and match.right is not None and not match.near:
            assert left.meaning[match.left] == right.meaning[match.right]


def test_a_long_session_at_another_server() -> None:
    """All UIDs are other ones, and now and then a command was left out."""
    left, right, dropped = Keys(), Keys(), 0
    for number in range(1, 20_001):
        command = ("NOOP", "") if number % 7 == 0 else ("UID FETCH", f"{number} (FLAGS)")
        left.add(number, key(*command))
        if number % 1000 == 0:
            dropped += 1
        else:
            right.add(number, key(command[0], command[1].replace(str(number), str(number + 500_000))))
    found = list(align(left, right))
    assert sum(match.right is None for match in found) == dropped == 20
    assert not any(match.left is None or match.moved for match in found)
