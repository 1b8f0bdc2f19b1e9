"""What is sent for commands about the connection itself: they name no mailbox, no message, nothing to be rewritten."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.imap.units import Unit
from proxy.replay.values import Send, Skip

if TYPE_CHECKING:
    from proxy.imap.view.dialogue import Dialogue
    from proxy.replay.values import Decision, Policy, Target

_COMMANDS = {
    "LOGOUT": (b"LOGOUT", frozenset[str]()),
    "IDLE": (b"IDLE", frozenset(("IDLE", "IMAP4REV2"))),
    "COMPRESS": (b"COMPRESS DEFLATE", frozenset(("COMPRESS=DEFLATE",))),
    "UNAUTHENTICATE": (b"UNAUTHENTICATE", frozenset(("UNAUTHENTICATE",))),
}
"""Command -> what is sent, and the capabilities of which the target needs one."""


def is_conduct(dialogue: Dialogue) -> bool:
    """Whether it is one of these."""
    return dialogue.exchange.command in _COMMANDS


def conduct(dialogue: Dialogue, target: Target, policy: Policy, tag: bytes) -> Decision:
    """The command with its new tag, or why it is not sent."""
    name = dialogue.exchange.command
    words, needed = _COMMANDS[name]
    if needed and not (policy.strict or needed & target.capabilities):
        return Skip(f"the target has no {min(needed)}")
    return Send(Unit(0, len(tag) + len(words) + 3, (tag + b" " + words + b"\r\n",), (), ()))
