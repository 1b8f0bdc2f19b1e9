"""docs/encores.md: what came of the replays, with differences that are alike counted and explained."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.end_to_end.encores_explained import WHY
from tests.need import ROOT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.end_to_end.testbed import Kind

PAGE = ROOT / "docs" / "encores.md"
_NAME = re.compile(r"tb-[a-z-]+?-\d+( Ünï)?")
NAMED = "a mailbox of the job"


@dataclass(frozen=True)
class Stage:
    """A server that recordings are replayed at: what starts it, and what is said of it."""

    name: str
    kind: Kind
    words: tuple[str, ...] = ()
    about: str = ""
    by_append: bool = False
    """Whether it starts empty and gets the same mail by APPEND; --seed-mailboxes then learns the UIDs."""


class Sort(NamedTuple):
    """Differences that are alike: the command, their kind, and where they are, names and numbers aside."""

    command: str
    kind: str
    where: str

    def why(self, stage: Stage) -> str | None:
        """What explains it; None where nobody has looked into it yet."""
        text = " ".join(self)
        found = (why for stages, pattern, why in WHY if stage.name in stages.split("|") and re.fullmatch(pattern, text))
        return next(found, None)

    @classmethod
    def of(cls, exchange: dict[str, Any], difference: dict[str, Any]) -> Sort:
        """The sort of one difference, as `imaptap diff --format json` tells of it."""
        words = exchange["command"].split()
        command = " ".join(words[: 2 if words[0] == "UID" else 1])
        where = _NAME.sub("NAME", re.sub(r"\b\d+(\.\d+)*\b", "n", difference["where"]))
        where = re.sub(
            r"^((?:\* )?(?:LIST|LSUB|XLIST|STATUS|ACL|MYRIGHTS|QUOTAROOT|METADATA)) \S.*?(?= [a-z]+$|$)", r"\1", where
        )
        return cls(command, difference["kind"], where)


@dataclass
class Encore:
    """What came of one client's replay at one server."""

    client: str
    stage: Stage
    steps: Counter[str] = field(default_factory=Counter[str])
    reasons: Counter[str] = field(default_factory=Counter[str])
    differences: Counter[Sort] = field(default_factory=Counter["Sort"])
    trouble: str = ""


def page(encores: Sequence[Encore], stages: Sequence[Stage]) -> str:
    """The page: tables for each server."""
    parts = [_HEAD]
    for stage in stages:
        mine = [encore for encore in encores if encore.stage is stage]
        parts += [f"## At {stage.about}\n", *_steps(mine), *_sorts(stage, mine)]
    return "\n".join(parts)


_HEAD = """# Encores

What comes of it when real clients' sessions are played again at another server, and compared: the clients of the
testbed, each of which did one job at a Dovecot 2.3 through imaptap. `imaptap replay RECORDING --to URL --write` sent
every command again, and `imaptap diff` compared. Made by `make encores`, which fails where a difference has no
explanation here, or where a recording that is exported as a cassette, imported and exported again is not the same. The
accounts hold the same mail, but for what the servers make of it; nothing was seeded, though at the Courier
`--seed-mailboxes` looked whether it is the same mail, and so learned its UIDs. How it is done: [replay.md](replay.md),
[diff.md](diff.md).
"""


def _steps(encores: Sequence[Encore]) -> list[str]:
    lines = ["| client | steps | sent | skipped | not reached | differences |", "|---|---|---|---|---|---|"]
    for encore in encores:
        steps = encore.steps
        cells = (steps.total(), steps["sent"], steps["skipped"], steps["not reached"], encore.differences.total())
        lines.append(f"| {encore.client} | {' | '.join(map(str, cells))} |")
    reasons: Counter[str] = sum((encore.reasons for encore in encores), Counter())
    rows = (f"- {count} {_NAME.sub(NAMED, reason)}" for reason, count in reasons.most_common())
    return [*lines, "", *(["Not sent, and why:", "", *rows, ""] if reasons else [])]


def _sorts(stage: Stage, encores: Sequence[Encore]) -> list[str]:
    sorts: Counter[Sort] = sum((encore.differences for encore in encores), Counter())
    if not sorts:
        return ["No differences.", ""]
    lines = ["| times | command | kind | where | why |", "|---|---|---|---|---|"]
    for sort, count in sorts.most_common():
        lines.append(f"| {count} | {sort.command} | {sort.kind} | {sort.where} | {sort.why(stage) or '**unknown**'} |")
    return [*lines, ""]
