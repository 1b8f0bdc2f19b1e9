"""Where records go: the one thing that the live side asks of whoever stores them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from proxy.imap.transcript import Record


class Sink(Protocol):
    """Takes records without waiting. A full sink makes the relay slow down; nothing is ever dropped (DESIGN rule 6)."""

    def put(self, *records: Record) -> None:
        """Take records that stand or fall together; called from the event loop's thread, must not block."""
        ...

    @property
    def full(self) -> bool:
        """Whether the relay has to stop reading for now, where somebody says a lot."""
        ...

    @property
    def crammed(self) -> bool:
        """Whether it has to, whoever says how little."""
        ...

    def when_drained(self, callback: Callable[[], None]) -> None:
        """Call back once, from any thread, when there is room again."""
        ...
