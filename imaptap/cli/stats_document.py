"""Statistics as JSON: the keys of `imaptap stats --json`, which docs/cli.md promises. Times are milliseconds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imaptap.cli.documents import exchange_document

if TYPE_CHECKING:
    from imaptap.cli.documents import Document
    from storage.statistics import Commands, Durations, Slow, Summary


def commands_document(commands: Commands) -> Document:
    """All exchanges of one command."""
    return {"command": commands.command, **_counts(commands)}


def summary_document(summary: Summary) -> Document:
    """A session, or all of them; of a session its address, too."""
    session, idling = summary.session, summary.idling
    where = {"recording": session.recording.id, "session": session.number} if session else {}
    division = {part: took / 1000 for part, took in summary.division._asdict().items()}
    return {
        **where,
        "sessions": summary.sessions,
        **_counts(summary.all),
        "time_ms": {"total": summary.division.total / 1000, **division},
        "in_flight": {"max": summary.pipelining.most, "mean": summary.pipelining.mean},
        "idle": {
            **_durations(idling.lasted),
            "woken": idling.woken,
            "news": idling.news,
            "longest_gap_ms": _ms(idling.longest_gap),
        },
    }


def slow_document(slow: Slow) -> Document:
    """One of the slowest."""
    return exchange_document(slow.session, slow.exchange)


def _counts(commands: Commands) -> Document:
    fetched = commands.fetched
    return {
        "count": commands.count,
        "refused": commands.refused,
        "unfinished": commands.unfinished,
        "latency": _durations(commands.latency),
        "waited_ms": commands.waited / 1000,
        "client_bytes": commands.client_bytes,
        "server_bytes": commands.server_bytes,
        "round_trips": commands.round_trips,
        "repeated": {"count": commands.repeats.count, "ms": commands.repeats.took / 1000},
        "fetched_again": {"letters": fetched.letters, "sections": fetched.sections, "bytes": fetched.wasted},
    }


def _durations(durations: Durations) -> Document:
    return {
        "count": durations.count,
        "total_ms": durations.total / 1000,
        "p50_ms": _ms(durations.p50),
        "p90_ms": _ms(durations.p90),
        "p99_ms": _ms(durations.p99),
        "max_ms": _ms(durations.longest),
        "exact": durations.exact,
    }


def _ms(microseconds: int | None) -> float | None:
    return None if microseconds is None else microseconds / 1000
