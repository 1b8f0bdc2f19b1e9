"""What a replay would send, without a target: as if that were just like the recorded server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.replay.conduct import cancelled, conduct, is_conduct
from proxy.replay.flight import line_of
from proxy.replay.plan import LOGINS, decide
from proxy.replay.values import Send, Skip, Target

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proxy.imap.mapping import Mapping
    from proxy.imap.view.dialogue import Dialogue
    from proxy.replay.part import Part
    from proxy.replay.values import Decision, Policy


def rehearse(part: Part, mapping: Mapping, policy: Policy) -> Iterator[tuple[Dialogue, Decision | None]]:
    """Each recorded step with what would become of it; None: its bytes are made anew (a login, STARTTLS)."""
    for dialogue in part.dialogues():
        yield dialogue, _decision(dialogue, mapping, policy)
        mapping.learn(dialogue, dialogue, (part.literals, part.literals))


def _decision(dialogue: Dialogue, mapping: Mapping, policy: Policy) -> Decision | None:
    command, before = dialogue.exchange.command, dialogue.before
    tag = b"R%d" % dialogue.exchange.number
    if (mechanism := cancelled(dialogue)) is not None:
        return Send(line_of(tag, f"AUTHENTICATE {mechanism}"))
    if command in LOGINS and dialogue.exchange.status != "OK":
        return Skip("it was refused when it was recorded, and what was recorded of it is never sent")
    if command in LOGINS or command == "STARTTLS":
        return None
    target = Target(before.capabilities, before.enabled, mailbox=before.mailbox, exists=before.exists)
    if is_conduct(dialogue):
        return conduct(dialogue, target, policy, tag)
    return decide(dialogue, mapping, target, policy, tag)
