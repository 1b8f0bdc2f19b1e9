"""What a comparison finds: differences, what they are of, and by which rules others were let pass."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from proxy.imap.view.dialogue import Dialogue


class Kind(enum.StrEnum):
    """Classes of difference."""

    MISSING = "missing"
    """The left one has it, the right one has not: an exchange, an answer, an item of one."""
    EXTRA = "extra"
    ORDER = "order"
    VALUE = "value"
    STATUS = "status"
    """OK, NO, BAD, BYE or no answer at all (M 10.1)."""
    CODE = "code"
    CAPABILITY = "capability"
    TEXT = "text"
    """Of human words only: of interest when it is asked for."""
    TIMING = "timing"


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not the same.

    `where` is a path for people within the exchange, as "FETCH 4 FLAGS" or "OK [COPYUID]"; `left` and `right` are what
    stands there, readable and shortened, None for nothing. `cause` is a sentence where the cause is known (M 10.12).
    """

    kind: Kind
    where: str
    left: str | None = None
    right: str | None = None
    cause: str = ""


NOT_KEPT: Final = "content not kept"
"""The rule by which content is let pass that nobody can compare."""


class Pass(NamedTuple):
    """Something that is not the same and was let pass: by the rule of that name, at `where`; or so many things."""

    rule: str
    where: str
    left: str | None = None
    right: str | None = None
    times: int = 1


@dataclass(frozen=True, slots=True)
class Comparison:
    """What came of two answers to one command."""

    differences: tuple[Difference, ...] = ()
    passes: tuple[Pass, ...] = ()


@dataclass(frozen=True, slots=True)
class Pair:
    """An exchange and its counterpart; None where there is none. `moved`: it stood elsewhere in the right session.

    `reason` says why a replay did not send it (skipped, not reached), where that is why there is none.
    """

    left: Dialogue | None
    right: Dialogue | None
    comparison: Comparison = Comparison()
    moved: bool = False
    reason: str = ""
