"""Results as tables: medians, and ratios to the proxies that are the measure."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

Result = dict[str, Any]
Results = dict[str, dict[str, list[Result]]]
"""Proxy to workload to one result a round."""


@dataclass(frozen=True)
class Metric:
    """A line of the table: from which workload, how it is computed, with how many digits."""

    label: str
    workload: str
    value: Callable[[Result], float]
    digits: int


def metrics(idles: list[int]) -> list[Metric]:
    """All of them, in order."""
    found = [
        Metric("W1 p50 us", "W1", lambda r: r["p50_us"], 0),
        Metric("W1 p99 us", "W1", lambda r: r["p99_us"], 0),
        Metric("W1 CPU us/cmd", "W1", lambda r: r["cpu"] / r["n"] * 1e6, 0),
        Metric("W2 cmd/s", "W2", lambda r: r["per_s"], 0),
        Metric("W2 CPU s/1000", "W2", lambda r: r["cpu"] / r["n"] * 1000, 4),
        Metric("W2 rec B/cmd", "W2", lambda r: r["disk"] / r["n"], 0),
    ]
    for name, workload in (("W3 1MB", "W3big"), ("W3 30K", "W3small"), ("W4 1MB", "W4big"), ("W4 30K", "W4small")):
        found += [
            Metric(f"{name} MB/s", workload, lambda r: r["mb_s"], 0),
            Metric(f"{name} CPU s/GB", workload, lambda r: r["cpu"] / r["bytes"] * 1e9, 2),
            Metric(f"{name} rec B/B", workload, lambda r: r["disk"] / r["bytes"], 3),
            Metric(f"{name} drain s", workload, lambda r: r["drain_s"], 1),
        ]
    for idle in idles:
        found += [
            Metric(f"W5 {idle} KiB/conn", f"W5-{idle}", lambda r: r["per_conn"] / 1024, 1),
            Metric(f"W5 {idle} total MiB", f"W5-{idle}", lambda r: r["total"] / 2**20, 0),
        ]
    return [
        *found,
        Metric("W6 setups/s", "W6", lambda r: r["per_s"], 0),
        Metric("W6 CPU ms/setup", "W6", lambda r: r["cpu"] / r["n"] * 1000, 2),
    ]


def tables(results: Results, names: list[str], references: list[str], idles: list[int]) -> str:
    """Medians of all, then the ratios to each reference."""
    rows = metrics(idles)
    medians = dict[tuple[str, str], float]()
    for metric in rows:
        for name in names:
            values = [
                metric.value(result)
                for result in results.get(name, {}).get(metric.workload, [])
                if "error" not in result and result.get("n") != 0 and (name != "direct" or _of_the_client(metric))
            ]
            if values:
                medians[metric.label, name] = statistics.median(values)
    lines = _head("metric (median)", names)
    for metric in rows:
        cells = [
            f"{medians[metric.label, name]:.{metric.digits}f}" if (metric.label, name) in medians else "-"
            for name in names
        ]
        if set(cells) != {"-"}:
            lines.append(f"| {metric.label} | {' | '.join(cells)} |")
    for reference in references:
        lines += _ratios(medians, rows, [name for name in names if name not in (reference, "direct")], reference)
    return "\n".join(lines)


def _of_the_client(metric: Metric) -> bool:
    """Measured by the load generator: all that there is when no proxy is between."""
    return not any(word in metric.label for word in ("CPU", "rec", "drain", "W5"))


def _ratios(medians: dict[tuple[str, str], float], rows: list[Metric], names: list[str], reference: str) -> list[str]:
    lines = ["", f"Ratios to {reference} (W1: of what is added over direct)", "", *_head("metric", names)]
    for metric in rows:
        direct = medians.get((metric.label, "direct"), 0.0) if metric.label.startswith("W1 p") else 0.0
        base = medians.get((metric.label, reference), 0.0) - direct
        cells = [
            f"{(medians[metric.label, name] - direct) / base:.2f}"
            if base > 0 and (metric.label, name) in medians
            else "-"
            for name in names
        ]
        if set(cells) - {"-"}:
            lines.append(f"| {metric.label} | {' | '.join(cells)} |")
    return lines if names else []


def _head(first: str, names: list[str]) -> list[str]:
    return [f"| {first} | {' | '.join(names)} |", "|---|" + "---|" * len(names)]
