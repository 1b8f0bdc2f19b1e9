"""From results to tables: medians, ratios, and that every goal finds the metrics that it names."""

from __future__ import annotations

from bench.goals import goals
from bench.metrics import medians, metrics
from bench.report import report
from bench.workloads import Kind, workloads

WORK = workloads(1.0, [1000], [1, 2000], 100.0)
RESULT = {
    "n": 1000, "per_s": 500.0, "p50_us": 10.0, "p99_us": 20.0, "cpu": 0.5, "bytes": 10**9, "mb_s": 100.0,
    "drain_s": 0.1, "disk": 2 * 10**9, "peak": 64 << 20, "per_conn": 2048.0, "total": 3 << 20,
}  # fmt: skip


def test_medians_leave_out_what_failed() -> None:
    """Of three rounds that came to their end, the middle one."""
    rounds = [{**RESULT, "p50_us": value} for value in (30.0, 10.0, 20.0)]
    found = medians({"imaptap": {"W1": [*rounds, {"error": "no end within 90 s"}]}}, metrics(WORK))
    assert found["W1 p50 us", "imaptap"] == 20.0
    assert found["W1 CPU us/cmd", "imaptap"] == 500.0


def test_direct_has_only_what_the_client_measures() -> None:
    """There is no proxy whose CPU or files could be looked at."""
    found = medians({"direct": {"W1": [RESULT], "M3-1": [RESULT]}}, metrics(WORK))
    assert {label for label, _ in found} == {"W1 p50 us", "W1 p99 us", "M3 1 p50 us", "M3 1 p99 us"}


def test_every_goal_finds_its_metrics() -> None:
    """A goal that names a metric wrongly would never be judged."""
    of_all = {workload.name: [RESULT] for workload in WORK}
    results = {"direct": {"W1": [{**RESULT, "p50_us": 1.0}]}, "imaptap": of_all, "haproxy": of_all, "mitmdump": of_all}
    found = medians(results, metrics(WORK))
    for goal in goals(1000):
        goal.measured(found)
    assert "not measured" not in report(results, list(results), ["haproxy"], WORK, 1000)


def test_tables() -> None:
    """What nobody has is no row; ratios of latencies are of what is added over direct."""
    results = {
        "direct": {"W1": [{**RESULT, "p50_us": 10.0}]},
        "imaptap": {"W1": [{**RESULT, "p50_us": 40.0}]},
        "haproxy": {"W1": [{**RESULT, "p50_us": 20.0}]},
    }
    lines = report(results, list(results), ["haproxy"], WORK, 1000).splitlines()
    assert "| W1 p50 us | 10 | 40 | 20 |" in lines
    assert "| W1 p50 us | 3.00 |" in lines
    assert not any(line.startswith("| W2 cmd/s") for line in lines)


def test_workloads_are_selected_by_their_beginning() -> None:
    """`--only W3,M`."""
    chosen = [workload.name for workload in WORK if workload.wanted(("W3", "M1"))]
    assert chosen == ["W3big", "W3small", "M1fetch", "M1append"]
    assert all(workload.wanted(()) for workload in WORK)
    assert [workload.name for workload in WORK if workload.synthetic] == ["M1fetch", "M1append"]
    assert {workload.kind for workload in WORK} == set(Kind)
