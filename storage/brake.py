"""The brake: traffic that must not go by unrecorded stands still while recording fails, and ends if that lasts."""

from __future__ import annotations

import enum
import logging
from collections.abc import Callable

from proxy.imap.transcript import Event, EventKind
from storage.clock import wall

_log = logging.getLogger(__name__)


class Traffic(enum.Enum):
    """What traffic is to do."""

    STAND = "stand"
    """Nothing more may be passed on, and nobody be let in, until it may `GO` on."""
    GO = "go"
    END = "end"
    """All sessions have to end, for good."""


Control = Callable[[Traffic, str], None]
"""Does to the traffic what it is told; with END, because of the reason given, a sentence. It must not block."""


class Brake:
    """Tells the traffic what to do, each thing once. For the writer's thread."""

    def __init__(self, control: Control | None) -> None:
        """Without `control` traffic goes on whatever happens: nothing in here does anything then."""
        self.wanted = control is not None
        self.ended = False
        """Whether the traffic was told to end."""
        self._control = control
        self._since: int | None = None

    def stand(self) -> None:
        """Have the traffic stand still."""
        if self.wanted and self._since is None:
            self._since = wall()
            self._tell(Traffic.STAND)

    def go(self) -> int | None:
        """Have it go on. Since when it stood still (µs since 1970), or None if it did not, or has ended."""
        since, self._since = self._since, None
        if since is None or self.ended:
            return None
        self._tell(Traffic.GO)
        return since

    def end(self, reason: str) -> None:
        """Have it end."""
        if self.wanted and not self.ended:
            self.ended = True
            self._tell(Traffic.END, reason)

    def _tell(self, traffic: Traffic, reason: str = "") -> None:
        if self._control is None:
            return
        try:
            self._control(traffic, reason)
        except Exception:  # noqa: BLE001  its fault must not stop the writer
            _log.exception("traffic could not be told to %s", traffic.value)


def stood_still(since: int, began: int, reason: str) -> Event:
    """The event that tells readers of a recording why nothing went on. `since`, and when it `began`: µs since 1970."""
    text = f"Traffic stood still, and nothing was lost, from {since} to {wall()} (microseconds since 1970): {reason}"
    return Event(None, max(0, since - began), EventKind.NOTICE, "traffic stood still", text)
