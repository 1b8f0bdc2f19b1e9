"""Results as tables: medians, ratios to the proxies that are the measure, and the goals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.goals import judge
from bench.metrics import medians, metrics

if TYPE_CHECKING:
    from bench.metrics import Medians, Metric, Results
    from bench.workloads import Workload


def report(results: Results, names: list[str], references: list[str], workloads: list[Workload], idle: int) -> str:
    """All tables. `idle` is how many connections W5 is judged by."""
    rows = metrics(workloads)
    found = medians(results, rows)
    tables = [_values(found, rows, names)]
    tables += [_ratios(found, rows, names, reference) for reference in references]
    return "\n\n".join([*filter(None, tables), "The goals, for imaptap:\n\n" + judge(found, idle)])


def _values(found: Medians, rows: list[Metric], names: list[str]) -> str:
    lines = _head("metric (median)", names)
    for metric in rows:
        cells = [
            f"{found[metric.label, name]:.{metric.digits}f}" if (metric.label, name) in found else "-" for name in names
        ]
        if set(cells) - {"-"}:
            lines.append(f"| {metric.label} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _ratios(found: Medians, rows: list[Metric], names: list[str], reference: str) -> str:
    others = [name for name in names if name not in (reference, "direct")]
    lines = list[str]()
    for metric in rows:
        added = metric.label.endswith((" p50 us", " p99 us"))
        direct = found.get((metric.label, "direct"), 0.0) if added else 0.0
        base = found.get((metric.label, reference), 0.0) - direct
        cells = [
            f"{(found[metric.label, name] - direct) / base:.2f}" if base > 0 and (metric.label, name) in found else "-"
            for name in others
        ]
        if set(cells) - {"-"}:
            lines.append(f"| {metric.label} | {' | '.join(cells)} |")
    if not lines:
        return ""
    title = f"Ratios to {reference} (latencies: of what is added over direct)\n"
    return "\n".join([title, *_head("metric", others), *lines])


def _head(first: str, names: list[str]) -> list[str]:
    return [f"| {first} | {' | '.join(names)} |", "|---|" + "---|" * len(names)]
