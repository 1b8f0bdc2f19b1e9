"""Clients that are turned away, or have to wait, before they are a session: told to the person, kept as events."""

from __future__ import annotations

from collections import Counter

from proxy.imap.transcript import Event, EventKind
from proxy.live.clock import Clock
from proxy.live.notices import Notices
from proxy.live.sink import Sink

_MOST_ADDRESSES = 1000
"""Addresses cost a stranger nothing (RFC 4291: 2^64 in one network), so not each of them can be remembered."""


class Refusals:
    """Says each reason once for each address, and at the end how often it happened."""

    def __init__(self, sink: Sink, notices: Notices, clock: Clock) -> None:
        """`clock` counts the time of the recording."""
        self._sink = sink
        self._notices = notices
        self._clock = clock
        self._seen = Counter[tuple[str, str]]()
        self._others = 0

    def refused(self, address: str, reason: str, hint: str = "") -> None:
        """A client at `address` was turned away for this reason, which goes on after "was turned away: "."""
        if (address, reason) not in self._seen and len(self._seen) >= _MOST_ADDRESSES:
            self._others += 1
            if self._others == 1:
                self._say(f"Clients at more than {_MOST_ADDRESSES} addresses were turned away; no more are named.")
            return
        self._seen[address, reason] += 1
        if self._seen[address, reason] == 1:
            self._say(f"A client at {address} was turned away: {reason}.", hint)

    def delayed(self, text: str, hint: str) -> None:
        """Clients are not turned away, but have to wait, as `text` says."""
        self._put(text, "crowded", EventKind.NOTICE)
        self._notices.say(text, hint)

    def close(self) -> None:
        """The recording ends: say how many there were, where that is more than was said."""
        connections = self._seen.total() + self._others
        if connections > len(self._seen):
            self._put(f"{connections} connections were turned away.")

    def _say(self, text: str, hint: str = "") -> None:
        self._put(text)
        self._notices.say(text, hint)

    def _put(self, text: str, name: str = "refused", kind: EventKind = EventKind.SECURITY) -> None:
        self._sink.put(Event(None, self._clock.now(), kind, name, text))
