"""Whether a goal is met, from handmade medians."""

from __future__ import annotations

import pytest

from bench.goals import Goal, goals, judge

MEDIANS = {
    ("W1 p50 us", "direct"): 100.0,
    ("W1 p50 us", "haproxy"): 150.0,
    ("W1 p50 us", "imaptap"): 250.0,
    ("W2 cmd/s", "mitmdump"): 1000.0,
    ("W2 cmd/s", "imaptap"): 4000.0,
    ("W5 1000 KiB/conn", "imaptap"): 40.0,
    ("M2 30K B/B", "imaptap"): 1.01,
    ("M2 1MB B/B", "imaptap"): 1.04,
}


def row(start: str, medians: dict[tuple[str, str], float]) -> list[str]:
    """Measured, and how far that is enough, from the row that begins so."""
    [line] = (line for line in judge(medians, 1000).splitlines() if line.startswith(f"| {start}"))
    return [cell.strip() for cell in line.split("|")[4:6]]


@pytest.mark.parametrize(
    ("start", "measured", "met"),
    [
        ("W1 added p50", "3", "must"),  # (250 - 100) / (150 - 100)
        ("W2 commands/s", "4", "NO"),  # at least 5
        ("W5 KiB", "40", "aim"),
        ("M2 recorded bytes per body", "1.04", "must"),  # the worse of the two
        ("W3 1 MB: MB/s", "-", "not measured"),
        ("M1 peak", "-", "not measured"),
    ],
)
def test_rows(start: str, measured: str, met: str) -> None:
    """A ratio to the peer, of latencies what is added over direct; what is missing is not judged."""
    assert row(start, MEDIANS) == [measured, met]


def test_a_peer_that_adds_nothing_is_no_measure() -> None:
    """Instead of a division by zero."""
    assert row("W1 added p50", {**MEDIANS, ("W1 p50 us", "haproxy"): 100.0}) == ["-", "not measured"]


@pytest.mark.parametrize(("value", "verdict"), [(80, "aim"), (80.1, "must"), (150, "must"), (151, "NO")])
def test_an_upper_bound(value: float, verdict: str) -> None:
    """Both bounds belong to what is allowed."""
    assert Goal("x", 150, 80, lambda _: 0.0).verdict(value) == verdict


@pytest.mark.parametrize(("value", "verdict"), [(11, "aim"), (10.9, "must"), (5, "must"), (4.9, "NO")])
def test_a_lower_bound(value: float, verdict: str) -> None:
    """The other way round."""
    assert Goal("x", 5, 11, lambda _: 0.0, least=True).verdict(value) == verdict


def test_aims_are_stricter_than_musts() -> None:
    """A mixed-up pair would call everything met."""
    assert all(goal.aim > goal.must if goal.least else goal.aim < goal.must for goal in goals(1000))
