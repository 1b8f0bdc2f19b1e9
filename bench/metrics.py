"""What is read off a workload's results, and the medians of it."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bench.workloads import Kind

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.workloads import Workload

Result = dict[str, Any]
Results = dict[str, dict[str, list[Result]]]
"""Proxy to workload to one result a round."""
Medians = dict[tuple[str, str], float]
"""(Label of a metric, proxy) to the median of all rounds."""


@dataclass(frozen=True)
class Metric:
    """A line of the table: from which workload, how it is computed, with how many digits.

    `client`: measured by the load generator, so that it is there without a proxy too.
    """

    label: str
    workload: str
    value: Callable[[Result], float]
    digits: int
    client: bool = False


def metrics(workloads: list[Workload]) -> list[Metric]:
    """Those of these workloads, in order."""
    return [metric for workload in workloads for metric in _of(workload)]


def medians(results: Results, rows: list[Metric]) -> Medians:
    """Of what there is: workloads that failed are left out."""
    found: Medians = {}
    for proxy, of_proxy in results.items():
        for metric in rows:
            if proxy == "direct" and not metric.client:
                continue
            values = [metric.value(result) for result in of_proxy.get(metric.workload, []) if "error" not in result]
            if values:
                found[metric.label, proxy] = statistics.median(values)
    return found


def _of(workload: Workload) -> list[Metric]:
    name = workload.name
    if workload.kind is Kind.IDLE:
        return [
            Metric(f"W5 {name[3:]} KiB/conn", name, lambda r: r["per_conn"] / 1024, 1),
            Metric(f"W5 {name[3:]} total MiB", name, lambda r: r["total"] / 2**20, 0),
        ]
    if workload.kind is Kind.SESSIONS:
        return _sessions(name, name[3:])
    if workload.kind is Kind.PEAK:
        label = f"M1 {name[2:].upper()}"
        return [
            Metric(f"{label} peak MiB", name, lambda r: r["peak"] / 2**20, 0),
            Metric(f"{label} MB/s", name, lambda r: r["mb_s"], 0),
        ]
    if workload.kind is Kind.GROWTH:
        return _growth(name)
    return _load(name)


def _load(name: str) -> list[Metric]:
    if name == "W1":
        return [*_latency("W1", name), Metric("W1 CPU us/cmd", name, lambda r: r["cpu"] / r["n"] * 1e6, 0)]
    if name == "W2":
        return [
            Metric("W2 cmd/s", name, lambda r: r["per_s"], 0, client=True),
            Metric("W2 CPU s/1000", name, lambda r: r["cpu"] / r["n"] * 1000, 4),
        ]
    if name == "W6":
        return [
            Metric("W6 setups/s", name, lambda r: r["per_s"], 0, client=True),
            Metric("W6 CPU ms/setup", name, lambda r: r["cpu"] / r["n"] * 1000, 2),
        ]
    label = f"{name[:2]} {'1MB' if name.endswith('big') else '30K'}"
    return [
        Metric(f"{label} MB/s", name, lambda r: r["mb_s"], 0, client=True),
        Metric(f"{label} CPU s/GB", name, lambda r: r["cpu"] / r["bytes"] * 1e9, 2),
        Metric(f"{label} drain s", name, lambda r: r["drain_s"], 1),
    ]


def _latency(label: str, name: str) -> list[Metric]:
    return [
        Metric(f"{label} p50 us", name, lambda r: r["p50_us"], 0, client=True),
        Metric(f"{label} p99 us", name, lambda r: r["p99_us"], 0, client=True),
    ]


def _sessions(name: str, number: str) -> list[Metric]:
    return [
        *_latency(f"M3 {number}", name),
        Metric(f"M3 {number} CPU us/cmd", name, lambda r: r["cpu"] / r["n"] * 1e6, 0),
        Metric(f"M3 {number} KiB/session", name, lambda r: r["per_conn"] / 1024, 1),
    ]


def _growth(name: str) -> list[Metric]:
    if name == "M2commands":
        return [Metric("M2 B/exchange", name, lambda r: r["disk"] / r["n"], 0)]
    label = "1MB" if name.endswith("big") else "30K"
    return [Metric(f"M2 {label} B/B", name, lambda r: r["disk"] / r["bytes"], 4)]
