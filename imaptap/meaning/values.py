"""What an exchange means."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Meaning:
    """One line; the lines below it that tell the details; and what was odd: quirks by name, and where reading stopped.

    All of it is safe to print.
    """

    summary: str = ""
    details: tuple[str, ...] = ()
    quirks: tuple[str, ...] = ()
