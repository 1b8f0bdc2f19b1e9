"""The goals for speed and size, recording on, beside the proxies that are the measure; and whether they are met."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.metrics import Medians

OURS = "imaptap"


@dataclass(frozen=True)
class Goal:
    """`must` and `aim` are upper bounds, or (`least`) lower ones. `measured` raises KeyError where it cannot say."""

    label: str
    must: float
    aim: float
    measured: Callable[[Medians], float]
    least: bool = False

    def verdict(self, value: float) -> str:
        """How far it is met."""
        return "aim" if self._reaches(value, self.aim) else "must" if self._reaches(value, self.must) else "NO"

    def _reaches(self, value: float, bound: float) -> bool:
        return value >= bound if self.least else value <= bound


def _ratio(label: str, peer: str) -> Callable[[Medians], float]:
    return lambda medians: medians[label, OURS] / medians[label, peer]


def _added(label: str, peer: str) -> Callable[[Medians], float]:
    def ratio(medians: Medians) -> float:
        direct = medians[label, "direct"]
        return (medians[label, OURS] - direct) / (medians[label, peer] - direct)

    return ratio


def _worst(*labels: str) -> Callable[[Medians], float]:
    return lambda medians: max(medians[label, OURS] for label in labels)


def goals(idle: int) -> list[Goal]:
    """All of them; `idle` is how many connections W5 is judged by."""
    return [
        Goal("W1 added p50 / haproxy's", 4, 2, _added("W1 p50 us", "haproxy")),
        Goal("W2 commands/s / mitmdump's", 5, 11, _ratio("W2 cmd/s", "mitmdump"), least=True),
        Goal("W2 CPU / haproxy's", 3.0, 1.8, _ratio("W2 CPU s/1000", "haproxy")),
        Goal("W3 1 MB: MB/s / haproxy's", 0.5, 0.85, _ratio("W3 1MB MB/s", "haproxy"), least=True),
        Goal("W3 1 MB: CPU s/GB / haproxy's", 2.2, 1.3, _ratio("W3 1MB CPU s/GB", "haproxy")),
        Goal("W3 30 KB: CPU s/GB / haproxy's", 2.5, 1.5, _ratio("W3 30K CPU s/GB", "haproxy")),
        Goal("W4 30 KB: MB/s / mitmdump's", 4, 7, _ratio("W4 30K MB/s", "mitmdump"), least=True),
        Goal("W5 KiB per idle connection", 96, 48, _worst(f"W5 {idle} KiB/conn")),
        Goal("W6 set-ups/s / mitmdump's", 1, 3.5, _ratio("W6 setups/s", "mitmdump"), least=True),
        Goal("M2 recorded bytes per body byte", 1.05, 1.02, _worst("M2 30K B/B", "M2 1MB B/B")),
        Goal("M2 recorded bytes per small exchange", 600, 300, _worst("M2 B/exchange")),
        Goal("M1 peak MiB, 1 GiB with a slow reader", 150, 80, _worst("M1 FETCH peak MiB", "M1 APPEND peak MiB")),
    ]


def judge(medians: Medians, idle: int) -> str:
    """The goals as a table; a goal whose peer, or workload, was left out is not judged."""
    lines = ["| goal | must | aim | measured | met |", "|---|---|---|---|---|"]
    for goal in goals(idle):
        sign = "≥" if goal.least else "≤"
        try:
            value = goal.measured(medians)
        except (KeyError, ZeroDivisionError):
            measured, met = "-", "not measured"
        else:
            measured, met = f"{value:.3g}", goal.verdict(value)
        lines.append(f"| {goal.label} | {sign} {goal.must:g} | {sign} {goal.aim:g} | {measured} | {met} |")
    return "\n".join(lines)
