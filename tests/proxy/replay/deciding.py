"""Recorded scripts, what the target had answered so far, and what becomes of the script's last step."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from proxy.imap.mapping import Mapping
from proxy.replay.plan import decide
from proxy.replay.values import Fate, Policy, Send, Skip, Target
from tests.proxy.imap.mapping.sides import told

if TYPE_CHECKING:
    from proxy.replay.values import Decision

TARGET = Target(frozenset({"IMAP4REV1"}), delimiter="/")
READ = Policy()
WRITE = Policy(write=True)


def able(*words: str, enabled: str = "", mailbox: str | None = None, exists: int | None = None) -> Target:
    """A target with these capabilities."""
    return replace(
        TARGET,
        capabilities=frozenset({"IMAP4REV1", *words}),
        enabled=frozenset(enabled.split()),
        mailbox=mailbox,
        exists=exists,
    )


def decision(
    script: str, target: Target = TARGET, policy: Policy = READ, before: str = "", mapping: Mapping | None = None
) -> Decision:
    """The last step of `script`. The steps ahead of it were answered by the target as `before` says.

    The target has selected what the recorded session has, unless it says otherwise.
    """
    mapping = mapping or Mapping()
    *earlier, last = told(script)
    answers = told(before) if before else []
    for recorded, replayed in zip(earlier, [*answers, *[None] * (len(earlier) - len(answers))], strict=True):
        mapping.learn(recorded, replayed)
    if target.mailbox is None and last.before.mailbox is not None:
        there = mapping.name(last.before.mailbox)
        exists = last.before.exists if target.exists is None else target.exists
        target = replace(target, mailbox=there, exists=exists)
    return decide(last, mapping, target, policy, b"T7")


def sent(decided: Decision) -> str:
    """What is sent, its tag and line end away; the contents of literals that lie elsewhere are `<size at offset>`."""
    assert isinstance(decided, Send), decided
    unit = decided.unit
    parts = [unit.texts[0].decode("latin-1")]
    for literal, text in zip(unit.literals, unit.texts[1:], strict=True):
        content = literal.content
        parts.append(f"<{literal.size} at {literal.start}>" if content is None else content.decode("latin-1"))
        parts.append(text.decode("latin-1"))
    said = "".join(parts)
    assert said.startswith("T7 ")
    assert said.endswith("\r\n")
    return said[3:-2]


def skipped(decided: Decision, fate: Fate = Fate.SKIPPED) -> str:
    """Why it is not sent."""
    assert isinstance(decided, Skip), decided
    assert decided.fate is fate
    return decided.reason
