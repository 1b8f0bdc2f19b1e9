"""What a served run has to say of commands that matched nothing: in words, and as JSON."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from imaptap.cli.errors import UserError

if TYPE_CHECKING:
    from pathlib import Path

    from imaptap.serving.run import Miss, Outcome
    from proxy.replay.match import Near


def explain(miss: Miss) -> list[str]:
    """A line for the command and one for each recorded command that comes near it."""
    lines = [f"imaptap: connection {miss.connection} asked what is not recorded: {miss.command}", f"  {miss.why}"]
    for near in miss.near:
        why = "; ".join(map(str, near.differences)) or "the same, but not here and now"
        lines.append(f"  {near.session}/{near.number} {near.recorded.shown}: {why}")
    return lines


def need_report(file: Path) -> None:
    """Refuse a report that could not be written while nothing has been served yet."""
    folder = file.absolute().parent
    if not folder.is_dir():
        raise _no_report(file, f"there is no folder {folder}")
    if file.is_dir() or not os.access(file if file.exists() else folder, os.W_OK):
        raise _no_report(file, "is a folder" if file.is_dir() else "permission denied")


def _no_report(file: Path, reason: str) -> UserError:
    return UserError(f"The report {file} cannot be written: {reason}.", "Name another one with --report.")


def write_report(file: Path, outcome: Outcome) -> None:
    """Write all of it, in a new file for its owner's eyes: it quotes commands. Raises UserError where it cannot be."""
    said = {
        "missed": [_miss(each) for each in outcome.missed],
        "missed_more": outcome.more,
        "asked_upstream": [{"connection": each.connection, "command": each.command} for each in outcome.went],
        "never_asked": [
            {"session": scene.number, "exchange": step.number, "command": step.asked.shown}
            for scene, step in outcome.never_asked
        ],
    }
    try:
        # A file that is there keeps its mode.
        with open(file, "w", encoding="utf-8", opener=lambda path, flags: os.open(path, flags, 0o600)) as new:
            new.write(json.dumps(said, indent=2) + "\n")
    except OSError as error:
        raise _no_report(file, (error.strerror or str(error)).lower()) from error


def _miss(miss: Miss) -> dict[str, object]:
    return {
        "connection": miss.connection,
        "command": miss.command,
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
