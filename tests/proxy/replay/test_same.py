"""Replayed to itself, a session is what it was: every command in its own bytes, but for those that cannot be played."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from proxy.imap.commands import read_head
from proxy.imap.grammar import joined
from proxy.imap.mapping import Mapping
from proxy.replay.plan import decide, of_the_connection
from proxy.replay.values import Send, Skip, Target
from tests.proxy.imap.mapping.sides import of_script
from tests.proxy.imap.scripts import everything, load
from tests.proxy.replay.deciding import WRITE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from proxy.imap.units import Unit
    from proxy.imap.view.dialogue import Dialogue
    from proxy.replay.values import Decision

NEVER = (
    "it holds a secret or a letter, which the recording has not",
    "it is about URLs that hold for the recorded server alone",
    "the recorded server refused its literal, so what would follow is not known",
    "the recording ends within it",
)
UNKNOWN = re.compile(
    r"(UID|message|modseq) \d+ of .* has no counterpart at the target|no message of .* has a counterpart"
)
SCRIPTS = everything()


def decisions(path: Path) -> Iterator[tuple[Dialogue, Decision]]:
    """What would become of the steps of a script, at a target that is just like its server."""
    mapping = Mapping()
    for dialogue in of_script(load(path)):
        before = dialogue.before
        mailbox = mapping.begin(dialogue).recorded.mailbox
        selected = mailbox.name if mailbox else None
        target = Target(before.capabilities, before.enabled, mailbox=selected, exists=before.exists)
        if dialogue.asks and not of_the_connection(dialogue):
            yield dialogue, decide(dialogue, mapping, target, WRITE, b"T")
        mapping.learn(dialogue, dialogue)


def bytes_of(unit: Unit, tag: bytes) -> bytes:
    """What goes over the wire behind the tag, contents that lie elsewhere away, as if all literals waited."""
    there = (replace(each, content=each.content or b"") for each in unit.literals)
    return joined(unit._replace(literals=tuple(there))).removeprefix(tag).replace(b"+}\r", b"}\r")


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_a_session_replayed_to_itself(path: Path) -> None:
    for dialogue, decided in decisions(path):
        unit = dialogue.asks[0].unit
        if isinstance(decided, Send):
            tag = read_head(unit.texts[0]).tag
            changes = [each for each in decided.changes if not each.startswith("{")]
            if any(each.startswith("QRESYNC left out: ") for each in changes):
                continue  # the client knew of it from before the recording
            assert bytes_of(decided.unit, b"T") == bytes_of(unit, tag)
            assert changes == []
        elif decided.reason not in NEVER and not UNKNOWN.match(decided.reason):
            assert "it is not understood" in decided.reason, dialogue.exchange.arguments


def test_most_of_the_scripts_is_sent() -> None:
    decided = [(step.exchange.command, each) for path in SCRIPTS for step, each in decisions(path)]
    sent = [command for command, each in decided if isinstance(each, Send)]
    unknown = [command for command, each in decided if isinstance(each, Skip) and UNKNOWN.match(each.reason)]
    assert len(set(sent)) > 30
    assert len(unknown) < len(decided) / 10, "of UIDs that no server had told of"
