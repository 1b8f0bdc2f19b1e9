"""What docs/anonymised.md says: what came of each client's session, and a row for it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.end_to_end.canaries import COUNT, FORMS
from tests.need import ROOT

if TYPE_CHECKING:
    from collections.abc import Sequence

PAGE = ROOT / "docs" / "anonymised.md"


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
    sessions: int = 0
    exchanges: int = 0
    same: bool = False
    """Whether sessions, exchanges, results, times and sizes are those of the original."""
    steps: Counter[str] = field(default_factory=Counter[str])
    reasons: Counter[str] = field(default_factory=Counter[str])
    missed: tuple[str, ...] = ()
    differences: Counter[str] = field(default_factory=Counter[str])

    @property
    def good(self) -> bool:
        """Nothing is wrong."""
        return (
            not self.trouble
            and (self.strings, self.forms) == (COUNT, len(FORMS))
            and not self.left
            and self.same
            and self.steps["sent"] == self.steps.total() > 0
            and not self.missed
            and not self.differences
        )


def page(outcomes: Sequence[Outcome]) -> str:
    """The page."""
    return "".join(f"{each}\n" for each in outcomes)
