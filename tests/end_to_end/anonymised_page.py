"""What docs/anonymised.md says: what came of each client's session, a row for it, and why not all of it was sent."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from tests.end_to_end.canaries import COUNT, FORMS
from tests.need import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

PAGE = ROOT / "docs" / "anonymised.md"

WHY: Final = (
    (r"skipped: it was refused when it was recorded, .*", "jobs that try a wrong password first"),
    (
        r"skipped: the target has no AUTH=DIGEST-MD5",
        "curl begins with it, gives it up and takes another one; `serve` does not offer it",
    ),
    (r"capability greeting \[CAPABILITY\] AUTH=DIGEST-MD5", "`serve` does not offer it, as it is historic (RFC 6331)"),
    (
        r"extra LIST .*",
        (
            "offlineimap lists its mailboxes alike in many connections, before and after it makes one:"
            " in one of two runs `serve` gave one the later answer"
        ),
    ),
)
"""What is not sent, and what is not the same, when a recording is replayed at itself: patterns, and why."""


@dataclass
class Outcome:
    """What came of one client's recording, anonymised."""

    client: str
    trouble: str = ""
    strings: int = 0
    """How many of the planted strings were in the recording,"""
    forms: int = 0
    """in how many of the forms,"""
    places: int = 0
    """and at how many places."""
    left: int = -1
    """What is found afterwards."""
    which: tuple[str, ...] = ()
    """The first of it."""
    sessions: int = 0
    exchanges: int = 0
    same: bool = False
    """Whether exchanges, results, times and sizes are those of the original."""
    steps: Counter[str] = field(default_factory=Counter[str])
    reasons: Counter[str] = field(default_factory=Counter[str])
    """Why steps were not sent,"""
    missed: tuple[str, ...] = ()
    """what was asked and is not recorded,"""
    differences: Counter[str] = field(default_factory=Counter[str])
    """and what was answered otherwise."""

    @property
    def problems(self) -> list[str]:
        """All that is wrong, in words."""
        return [problem for problem in self._problems() if problem]

    def _problems(self) -> Iterator[str]:
        yield self.trouble
        if self.trouble:
            return
        if (self.strings, self.forms) != (COUNT, len(FORMS)):
            yield f"it saw {self.strings} strings in {self.forms} forms only"
        if self.left:
            yield f"{self.left} are left: {', '.join(self.which)}"
        if not self.same:
            yield "exchanges, results, times or sizes are others"
        if self.steps["sent"] + self.steps["skipped"] != self.steps.total() or not self.steps["sent"]:
            yield f"not all was sent: {dict(self.steps)}"
        yield from (f"missed: {each}" for each in self.missed)
        unknown = (each for each in (*self.reasons, *self.differences) if why(each) is None)
        yield from (f"not explained: {each}" for each in unknown)


def why(what: str) -> str | None:
    """Why something is not sent or not the same, if that is known."""
    return next((told for pattern, told in WHY if re.fullmatch(pattern, what)), None)


def page(outcomes: Sequence[Outcome]) -> str:
    """The page: a row for each client."""
    lines = [
        "| client | sessions | exchanges | seen | forms | places | left | sent | skipped | otherwise |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for each in outcomes:
        before = (each.sessions, each.exchanges, each.strings, each.forms, each.places)
        after = (each.left, each.steps["sent"], each.steps["skipped"], each.differences.total())
        lines.append(f"| {each.client} | {' | '.join(map(str, (*before, *after)))} |")
    reasons: Counter[str] = sum((each.reasons for each in outcomes), Counter())
    others: Counter[str] = sum((each.differences for each in outcomes), Counter())
    return "\n".join([
        _HEAD, *lines, "",
        *_told("Skipped, and why:", reasons), *_told("Answered otherwise, and why:", others),
    ])  # fmt: skip


def _told(head: str, counts: Counter[str]) -> list[str]:
    rows = (f"- {count} {what}: {why(what) or '**unknown**'}" for what, count in sorted(counts.items()))
    return [head, "", *rows, ""] if counts else []


_HEAD = f"""# Clients anonymised

Recordings of real clients made fit to be shown: the clients of the testbed, each of which did one job at a Dovecot 2.3.
Its mail is full of {COUNT} strings that nobody else has (names, nicknames, mail addresses, hosts, tokens, passwords,
subjects, mailboxes, telephone numbers, names of files): in the headers and texts of letters, also of those that the
client puts there, in a keyword, and in the names of the client's own mailboxes. Letters have each string in
{len(FORMS)} forms: UTF-8, Latin-1, base64 at each of its three offsets and of UTF-16, hex, quoted-printable, percent,
modified UTF-7, quoted string, JSON, HTML numbers, reversed, ROT13.

`imaptap scan --canaries` looked for them in the recording ("seen": how many, in how many forms, at how many places).
`imaptap anonymise -o` made a cassette of it, and `scan` looked again, for the strings and for whatever else it knows
("left"). The cassette has the same exchanges, results, times and sizes as the recording; `imaptap diff` with itself
finds it equal. `imaptap serve` served it, and `imaptap replay` said there again what the client had said: "sent",
"skipped" and what was answered "otherwise" are counted, and explained below. Nothing was asked that is not recorded,
but for the NAMESPACE with which a replay begins. Made by `make anonymised`, which fails where anything of this does not
hold. What is replaced, and what is not: [privacy.md](privacy.md).
"""
