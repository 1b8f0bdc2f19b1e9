"""What can be asked of a format, besides what is exported."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from proxy.imap.transcript import Direction


@dataclass(frozen=True, slots=True)
class Settings:
    """None: not asked for; each format has a default of its own then."""

    side: Direction | None = None
    """Whose bytes."""
    as_sent: bool | None = None
    """As imaptap sent them on, not as it received them: these differ where it rewrote them."""
    bodies: bool | None = None
    """With the contents of literals, not just their lengths."""
    times: bool | None = None
    """With the time of each line."""
    limit: int | None = None
    """Most bytes of the export, which says so where it leaves something out."""

    def given(self) -> list[str]:
        """The names of those that were asked for."""
        return [each.name for each in fields(self) if getattr(self, each.name) is not None]


class Option(NamedTuple):
    """How a setting is spelled on the command line, alone and with a value."""

    name: str
    example: str


OPTIONS: Final = {
    "side": Option("--side", "--side client or --side server"),
    "as_sent": Option("--as", "--as sent"),
    "bodies": Option("--bodies", "--bodies"),
    "times": Option("--times", "--times"),
    "limit": Option("--limit", "--limit 60K"),
}
"""By the names of the fields of `Settings`."""
