"""When the next command is sent: the recorded pauses, scaled and capped."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pace:
    """`speed` 1 keeps recorded pauses, 10 makes them a tenth, None leaves them out; `longest` caps each, in seconds."""

    speed: float | None = None
    longest: float | None = None

    def pause(self, recorded: int) -> float:
        """How long to wait, in seconds, for a recorded pause in microseconds."""
        if self.speed is None or recorded <= 0:
            return 0.0
        scaled = recorded / 1_000_000 / self.speed
        return scaled if self.longest is None else min(scaled, self.longest)


class Pauses:
    """How long nothing was under way before each step of a session, or since the step before it was sent."""

    def __init__(self) -> None:
        self._times: dict[int, tuple[int, int]] = {}
        """When steps began and ended, by number, of those that may still have been open."""

    def before(self, number: int, began: int, ended: int | None, still_open: Collection[int]) -> int:
        """The pause before the next step, in microseconds; `still_open` are the steps that were not answered then."""
        ends = (start if other in still_open else end for other, (start, end) in self._times.items())
        quiet_since = max(ends, default=0)
        self._times = {other: times for other, times in self._times.items() if other in still_open}
        self._times[number] = (began, began if ended is None else ended)
        return began - quiet_since
