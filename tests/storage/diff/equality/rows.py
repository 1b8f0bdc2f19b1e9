"""Rows of two answers to one command, and what has to come of them.

Lines of an answer are parted by "¦"; the tagged OK is added where there is none. Before the command, both sides select
INBOX with four messages, whose UIDs are 1 to 4 on the left side and 11 to 14 on the right; UIDVALIDITY is 5 and 6.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pytest

from storage.diff.equality import Context, compare
from tests.storage.diff.telling import Bodies, Pairs, told

if TYPE_CHECKING:
    from proxy.imap.view.dialogue import Dialogue
    from storage.diff.values import Comparison

CAPABILITIES = (
    "IMAP4rev1 IDLE ID ENABLE NAMESPACE UIDPLUS CONDSTORE QRESYNC ESEARCH SORT THREAD=REFERENCES MOVE OBJECTID "
    "SPECIAL-USE LIST-STATUS LIST-EXTENDED SEARCHRES CONTEXT=SEARCH MULTIAPPEND CREATE-SPECIAL-USE BINARY "
    "QUOTA ACL METADATA PREVIEW SAVEDATE CHILDREN"
)
UIDS = {"INBOX": {1: 11, 2: 12, 3: 13, 4: 14}, "Sent": {1: 21, 2: 22}}


@dataclass(frozen=True)
class Row:
    """`differs` is "kind where" of each difference, `passes` the names of the rules; both parted by ", "."""

    command: str
    left: str
    right: str
    differs: str = ""
    passes: str = ""
    mapped: Pairs = field(default_factory=lambda: Pairs(UIDS, {"Work/2024": "INBOX.Work.2024"}, {"INBOX": 6}))
    lacking: str = ""
    """Capabilities that the right server does not offer."""
    right_exists: int = 4
    right_validity: int = 6
    cause: str = ""
    off: str = ""
    lost: bytes = b""
    right_command: str = ""


def dialogues(row: Row) -> tuple[Dialogue, Dialogue, Context]:
    """Both sides of a row, and their context."""
    words = " ".join(word for word in CAPABILITIES.split() if word not in row.lacking.split())
    left = told(_script(row.command, row.left, CAPABILITIES, 4, 5, 0))
    command = row.right_command or _UIDS.sub(_moved, row.command)
    right = told(_script(command, row.right, words, row.right_exists, row.right_validity, 10))
    lost = [replace(side.bodies, lost=row.lost, hashed=False) if row.lost else side.bodies for side in (left, right)]
    off = frozenset(row.off.split(", ")) if row.off else frozenset[str]()
    return left.dialogues[-1], right.dialogues[-1], Context(row.mapped, (lost[0], lost[1]), off)


def compared(row: Row) -> Comparison:
    """What comes of it."""
    return compare(*dialogues(row))


def check(row: Row) -> None:
    """What comes of it is what the row says."""
    found = compared(row)
    differs = [f"{each.kind} {each.where}" for each in found.differences]
    assert differs == (row.differs.split(", ") if row.differs else []), found
    passes = sorted({each.rule for each in found.passes})
    assert passes == (sorted(row.passes.split(", ")) if row.passes else []), found
    for each in found.differences:
        assert (each.left, each.right) != (None, None), found
    if row.cause:
        assert row.cause in found.differences[0].cause, found


def each_of(*rows: Row) -> pytest.MarkDecorator:
    """A test for every row, named by its command and right answer."""
    return pytest.mark.parametrize("row", rows, ids=lambda row: f"{row.command}-{row.right[:40]}")


_UIDS = re.compile(r"(?<=^UID )(\w+ )([0-9:,]+)")


def _moved(command: re.Match[str]) -> str:
    """The UIDs of a left command as the right server has them."""
    return command[1] + re.sub("[0-9]+", lambda uid: str(int(uid[0]) + 10), command[2])


def _script(command: str, answer: str, capabilities: str, exists: int, validity: int, base: int) -> str:
    known = "".join(f"S: * {number} FETCH (UID {base + number})\n" for number in range(1, exists + 1))
    lines = answer.split("¦") if answer else []
    if not any(line.startswith("x ") for line in lines):
        lines.append("x OK done")
    asked = "".join(f"C: {line}\n" for line in f"x {command}".split("¦"))
    return (
        f"S: * PREAUTH [CAPABILITY {capabilities}] hello\n"
        f"C: c SELECT INBOX\nS: * {exists} EXISTS\nS: * OK [UIDVALIDITY {validity}] valid\nS: c OK done\n"
        f"C: u UID FETCH 1:* UID\n{known}S: u OK done\n"
        f"{asked}" + "".join(f"S: {line}\n" for line in lines)
    )


__all__ = ["Bodies", "Pairs", "Row", "check", "compared", "dialogues", "each_of"]
