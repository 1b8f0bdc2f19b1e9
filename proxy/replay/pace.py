"""When the next command is sent: the recorded pauses, scaled and capped."""

from __future__ import annotations

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
