"""Recorded pauses, scaled and capped."""

from __future__ import annotations

import pytest

from proxy.replay.pace import Pace


@pytest.mark.parametrize(
    ("pace", "micros", "seconds"),
    [
        (Pace(), 5_000_000, 0),
        (Pace(1), 5_000_000, 5),
        (Pace(10), 5_000_000, 0.5),
        (Pace(1, 2), 5_000_000, 2),
        (Pace(10, 2), 5_000_000, 0.5),
        (Pace(1, 0), 5_000_000, 0),
        (Pace(None, 2), 5_000_000, 0),
        (Pace(1), -3, 0),
    ],
)
def test_pause(pace: Pace, micros: int, seconds: float) -> None:
    assert pace.pause(micros) == pytest.approx(seconds)
