"""IDLE played again: until the kinds of news have come that came when it was recorded, or for a while (M 9.9)."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from typing import TYPE_CHECKING

from proxy.imap.grammar import Untagged
from proxy.imap.grammar.generic import Unknown
from proxy.imap.grammar.messages import Count
from proxy.imap.grammar.status import Status
from proxy.imap.transcript import Outcome

if TYPE_CHECKING:
    from proxy.imap.view.dialogue import Dialogue
    from proxy.replay.connection import Connection
    from proxy.replay.flight import Flight


class Idle:
    """One IDLE."""

    def __init__(self, dialogue: Dialogue, connection: Connection) -> None:
        """Listens from here on, until `end`."""
        self._connection = connection
        values = (answer.parsed.understood for answer in dialogue.answers)
        self._wanted = Counter(_kind(value) for value in values if isinstance(value, Untagged))
        self._wanted.pop("", None)
        self._came = asyncio.Event()
        exchange = dialogue.exchange
        last = dialogue.asks[-1].at if len(dialogue.asks) > 1 else exchange.ended or exchange.started
        self.until = last
        """When the recorded client ended it, microseconds since its session began."""
        self.abandoned = len(dialogue.asks) == 1 and exchange.outcome is not Outcome.COMPLETED
        """Whether the recorded client left without a word while it idled."""
        connection.news, connection.idling = self._hear, True

    async def news(self, seconds: float, flight: Flight) -> None:
        """Wait until as much of every kind has come as was recorded, `seconds` at most, or the server ends it."""
        if self._wanted:
            flight.over.add_done_callback(lambda _: self._came.set())
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._came.wait()

    def end(self) -> None:
        """Listen no more."""
        self._connection.news, self._connection.idling = None, False

    def _hear(self, value: Untagged) -> None:
        self._wanted -= Counter([_kind(value)])
        if not self._wanted:
            self._came.set()


def _kind(value: Untagged) -> str:
    """The class of an event; nothing for words to people, such as "* OK Still here"."""
    data = value.data
    if isinstance(data, Status):
        return ""
    return data.word.decode("ascii", "replace") if isinstance(data, Count | Unknown) else type(data).__name__
