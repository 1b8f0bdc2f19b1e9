"""What a served run has to say of commands that matched nothing: in words, and as JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from imaptap.cli.errors import UserError

if TYPE_CHECKING:
    from pathlib import Path

    from imaptap.serving.run import Miss, Outcome
    from proxy.replay.match import Near


def explain(miss: Miss) -> list[str]:
    """A line for the command and one for each recorded command that comes near it."""
    lines = [f"imaptap: connection {miss.connection} asked what is not recorded: {miss.asked.shown}", f"  {miss.why}"]
    for near in miss.near:
        why = "; ".join(map(str, near.differences)) or "the same, but not here and now"
        lines.append(f"  {near.session}/{near.number} {near.recorded.shown}: {why}")
    return lines


def write_report(file: Path, outcome: Outcome) -> None:
    """Write all of it; raises UserError where the file cannot be written."""
    said = {
        "missed": [_miss(each) for each in outcome.missed],
        "never_asked": [
            {"session": scene.number, "exchange": step.number, "command": step.asked.shown}
            for scene, step in outcome.never_asked
        ],
    }
    try:
        file.write_text(json.dumps(said, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise UserError(f"The report {file} cannot be written: {reason}.", "Name another one with --report.") from error


def _miss(miss: Miss) -> dict[str, object]:
    return {
        "connection": miss.connection,
        "command": miss.asked.shown,
        "why": miss.why,
        "nearest": [_near(each) for each in miss.near],
    }


def _near(near: Near) -> dict[str, object]:
    return {
        "session": near.session,
        "exchange": near.number,
        "command": near.recorded.shown,
        "differences": [
            {"part": each.part, "recorded": each.recorded, "asked": each.asked} for each in near.differences
        ],
    }
