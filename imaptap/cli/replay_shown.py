"""What is printed of a replay: its summary, or, before there is one, what it would send."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from imaptap.cli.documents import replay_document
from imaptap.cli.errors import escaped
from imaptap.cli.seed_options import print_seeded, seeded_document
from imaptap.cli.terminal import Output
from proxy.imap.mapping import Mapping
from proxy.imap.transcript import readable
from proxy.replay.rehearsal import rehearse
from proxy.replay.values import Fate, Skip

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from imaptap.cli.documents import Document
    from imaptap.replaying import Job, Tally
    from proxy.replay.part import Part
    from proxy.replay.values import Decision, Policy
    from storage import Recording
    from storage.statistics.values import Durations

_REASONS_SHOWN = 20
_DIFFERING_SHOWN = 20
_TEXT_SHOWN = 120


def print_summary(recording: Recording, job: Job, tally: Tally, steps: int) -> None:
    """How it went: on standard output."""
    output = Output()
    counts = ", ".join(f"{tally.fates[fate]} {fate}" for fate in Fate if tally.fates[fate]) or "none was played"
    left = f", {steps - tally.steps} left" if tally.stopped else ""
    output.say(f"Recording {recording.id} ({recording.name}): replay of {job.source.name}; steps: {counts}{left}.")
    print_seeded(output, tally.seeded)
    for (fate, reason), count in tally.reasons.most_common(_REASONS_SHOWN):
        output.say(f"  {count} {fate}: {reason}", "yellow")
    shown = tally.differing.most_common(_DIFFERING_SHOWN)
    for other, count in shown:
        times = f" ({count} times)" if count > 1 else ""
        place = f"{other.session}/{other.exchange} {other.command}"
        output.say(f"  {place}: {other.replayed}, recorded {other.recorded}{times}", "red")
    if more := tally.others - sum(count for _, count in shown):
        output.say(f"  … and {more} more with another status", "red")
    if job.clones > 1:
        _latency(output, tally)


def _latency(output: Output, tally: Tally) -> None:
    rows = [
        (command, str(each.count), *(_milliseconds(value) for value in (each.p50, each.p90, each.p99, each.longest)))
        for command, each in ((name, tally.latency[name].durations()) for name in sorted(tally.latency))
    ]
    if rows:
        output.table(("command", "count>", "p50 ms>", "p90 ms>", "p99 ms>", "longest ms>"), rows)


def _milliseconds(value: int | None) -> str:
    return "-" if value is None else f"{value / 1000:.1f}"


def _percentiles(each: Durations) -> Iterator[tuple[str, int | None]]:
    yield from (("p50", each.p50), ("p90", each.p90), ("p99", each.p99), ("longest", each.longest))


def summary_document(recording: Recording, job: Job, tally: Tally, steps: int) -> Document:
    """The same as JSON."""
    durations = {name: known.durations() for name, known in sorted(tally.latency.items())}
    return replay_document(job.source) | {
        "recording": recording.id,
        "name": recording.name,
        "steps": steps,
        "fates": {str(fate): tally.fates[fate] for fate in Fate},
        "reasons": [
            {"fate": str(fate), "reason": reason, "count": count}
            for (fate, reason), count in tally.reasons.most_common()
        ],
        "other_status_count": tally.others,
        "other_status": [other._asdict() | {"count": count} for other, count in tally.differing.most_common()],
        "latency_ms": {
            name: {key: None if value is None else value / 1000 for key, value in _percentiles(each)}
            | {"count": each.count}
            for name, each in durations.items()
        },
        "seeded": seeded_document(tally.seeded),
        "troubles": tally.troubles,
        "stopped": tally.stopped,
    }


def print_rehearsal(parts: Sequence[Part], policy: Policy) -> None:
    """Every step, and what would be sent for it to a server like the recorded one."""
    output = Output()
    mappings: dict[str | None, Mapping] = {}
    for part in parts:
        mapping = mappings.setdefault(part.user, Mapping(policy.names))
        for dialogue in part.dialogues():
            mapping.foresee(dialogue, part.literals)
    for part in parts:
        for dialogue, decision in rehearse(part, mappings[part.user], policy):
            output.say(_step(f"{part.number}/{dialogue.exchange.number}", dialogue.exchange.command, decision))


def _step(place: str, command: str, decision: Decision | None) -> Text:
    line = Text(f"{place:>8}  ", "dim")
    if decision is None:
        return line.append(f"send     {command}, made anew for the target")
    if isinstance(decision, Skip):
        why = decision.reason if decision.reason.startswith(f"{command} ") else f"{command}: {decision.reason}"
        return line.append(escaped(f"{decision.fate:<8} {why}"), "yellow")
    unit = decision.unit
    said = readable(unit.texts[0].rstrip(b"\r\n"))
    if unit.literals:
        said += f" … ({len(unit.literals)} literals, {sum(each.size for each in unit.literals)} B)"
    line.append(escaped(f"send     {said}"[:_TEXT_SHOWN]))
    return line.append(escaped(f"  ({', '.join(decision.changes)})"), "cyan") if decision.changes else line
