"""Recorded pauses, scaled and capped."""

from __future__ import annotations

import pytest

from proxy.replay.pace import Pace, Pauses


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


@pytest.mark.parametrize(
    ("steps", "pauses"),
    [
        ([(1, 5, 10, ()), (2, 30, 40, ()), (3, 41, 50, ())], [5, 20, 1]),
        ([(1, 5, 10, ()), (2, 6, 20, (1,)), (3, 50, 60, ())], [5, 1, 30]),
        ([(1, 5, 90, ()), (2, 10, 20, (1,)), (3, 50, 60, (1,))], [5, 5, 30]),
        ([(1, 5, 90, ()), (2, 10, 20, (1,)), (3, 95, 99, ())], [5, 5, 5]),
        ([(1, 5, None, ()), (2, 10, 20, (1,))], [5, 5]),
    ],
    ids=["one by one", "pipelined", "beside a long one", "behind a long one", "never answered"],
)
def test_recorded_pauses(steps: list[tuple[int, int, int | None, tuple[int, ...]]], pauses: list[int]) -> None:
    """From the last answer on; while something is under way, from the last command on."""
    known = Pauses()
    assert [known.before(*step) for step in steps] == pauses
