"""What parsing gives: a value, or the unit as it came and why it stayed so; and the quirks on the way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

if TYPE_CHECKING:
    from proxy.imap.grammar.quirks import Noted, Quirk
    from proxy.imap.units import Unit

V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Raw:
    """A unit that is kept as it came: `at` is the offset in it where reading stopped, `expected` what was missed."""

    unit: Unit
    at: int
    expected: str


class Parsed(NamedTuple, Generic[V]):
    """The value of a unit, or `Raw`; and every quirk that was passed over, in the order of the bytes."""

    value: V | Raw
    quirks: tuple[Noted, ...] = ()

    @property
    def understood(self) -> V | None:
        """The value, or None where the unit is kept raw."""
        return None if isinstance(self.value, Raw) else self.value

    @property
    def names(self) -> tuple[Quirk, ...]:
        """The quirks' names alone."""
        return tuple(noted.quirk for noted in self.quirks)
