"""A small comparison in which everything happens, hostile text included."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from storage.diff.report.values import Entry, Noisy, Said, Side, State, Talk, Totals, Word
from storage.diff.values import Difference, Kind, Pass

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

HOSTILE = "<script>alert(1)</script>&\"'`|*_[x](javascript:y)\x1b[31m\u202e\udcff\r\n# head"
"""For terminals, HTML, Markdown, XML and JSON."""
OLD, NEW = Side("old", "imaps://old.example.org", "1"), Side("new/2", "imaps://new.example.org", "2")
NO, YES, LATER = (False, False), (True, True), (False, True)


@dataclass
class Told:
    """A finished comparison (`storage.diff.report.values.Result`)."""

    talks: Sequence[tuple[Talk, Sequence[Entry]]]
    left: Side = OLD
    right: Side = NEW
    totals: Totals = field(default_factory=Totals)
    words: tuple[Word, ...] = ()
    noise: tuple[Noisy, ...] = ()

    def sessions(self) -> Iterator[tuple[Talk, Iterator[Entry]]]:
        """As they are."""
        return ((talk, iter(entries)) for talk, entries in self.talks)


def equal(number: int, command: str) -> Entry:
    """Two that are the same."""
    said = Said(number, command, "OK", 1500)
    return Entry(State.EQUAL, said, said._replace(number=number + 1, took=None))


ENTRIES = (
    equal(1, "LOGIN bob xxxx"),
    equal(2, "UID FETCH 1 FLAGS"),
    Entry(
        State.DIFFERENT,
        Said(3, "UID FETCH 4 (FLAGS)", "OK", 1000),
        Said(4, "UID FETCH 17 (FLAGS)", "NO [CANNOT]", 2000),
        (
            Difference(Kind.STATUS, "completion", "OK", "NO [CANNOT]", "The target has no such message."),
            Difference(Kind.MISSING, "FETCH 4 FLAGS", r"(\Seen)"),
        ),
        moved=True,
        passed=2,
    ),
    Entry(
        State.MISSING, Said(4, "SEARCH UNSEEN", "OK", 1000), None,
        (Difference(Kind.MISSING, "exchange", "SEARCH UNSEEN"),), nearest=Said(9, "SEARCH ALL", "OK", None),
    ),
    Entry(State.EXTRA, None, Said(5, "NOOP", "OK", None), (Difference(Kind.EXTRA, "exchange", None, "NOOP"),)),
    Entry(State.NOT_COMPARED, Said(6, "UID MOVE 4 Trash", "OK", 1000), None, reason="the target has no MOVE"),
    equal(7, "LOGOUT"),
)  # fmt: skip


def told() -> Told:
    """All of it."""
    found = Told([(Talk("old/1", "new/2", len(ENTRIES)), ENTRIES), (Talk("old/2", None), ())])
    found.totals.sessions[State.EQUAL] += 1
    found.totals.lone(State.MISSING)
    for entry in ENTRIES:
        found.totals.add(entry, "NOOP", [Pass("uid", "FETCH 4 UID", "4", "17")] * entry.passed)
    found.words = (Word("IDLE", YES, YES), Word("QRESYNC", YES, NO), Word("SORT", YES, LATER))
    found.noise = (Noisy("noise: NOOP", (1, 20), (2, 20)), Noisy("noise: FETCH", (1, 20), (19, 20)))
    return found


def hostile() -> Told:
    """The same text wherever text can stand."""
    said = Said(1, HOSTILE, HOSTILE, 0)
    difference = Difference(Kind.VALUE, HOSTILE, HOSTILE, HOSTILE, HOSTILE)
    entries = (
        equal(1, HOSTILE),
        Entry(State.DIFFERENT, said, said, (difference,), HOSTILE, nearest=said),
        Entry(State.NOT_COMPARED, said, None, reason=HOSTILE),
    )
    side = Side(HOSTILE, HOSTILE, HOSTILE)
    found = Told([(Talk(HOSTILE, HOSTILE, 3), entries)], side, side)
    for entry in entries:
        found.totals.add(entry, HOSTILE, [Pass(HOSTILE, HOSTILE, HOSTILE, HOSTILE)])
    found.words = (Word(HOSTILE, YES, NO), Word(HOSTILE + "2", YES, YES))
    found.noise = (Noisy(HOSTILE, (1, 2), (1, 2)),)
    return found
