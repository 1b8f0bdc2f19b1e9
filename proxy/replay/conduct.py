"""What is sent for commands about the connection itself: they name no mailbox, no message, nothing to be rewritten."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.imap.grammar.sasl import Authenticate, Login, SaslLine
from proxy.replay.flight import line_of
from proxy.replay.values import Send, Skip

if TYPE_CHECKING:
    from proxy.imap.view.dialogue import Dialogue
    from proxy.replay.values import Decision, Policy, Target

_COMMANDS = {
    "LOGOUT": ("LOGOUT", frozenset[str]()),
    "IDLE": ("IDLE", frozenset(("IDLE", "IMAP4REV2"))),
    "COMPRESS": ("COMPRESS DEFLATE", frozenset(("COMPRESS=DEFLATE",))),
    "UNAUTHENTICATE": ("UNAUTHENTICATE", frozenset(("UNAUTHENTICATE",))),
}
"""Command -> what is sent, and the capabilities of which the target needs one."""


def is_conduct(dialogue: Dialogue) -> bool:
    """Whether it is one of these."""
    return dialogue.exchange.command in _COMMANDS


def conduct(dialogue: Dialogue, target: Target, policy: Policy, tag: bytes) -> Decision:
    """The command with its new tag, or why it is not sent."""
    name = dialogue.exchange.command
    words, needed = _COMMANDS[name]
    offered_then = bool(needed & dialogue.before.capabilities)  # else the client did not go by what was offered
    if offered_then and not (policy.strict or needed & target.capabilities):
        return Skip(f"the target has no {min(needed)}")
    return Send(line_of(tag, words))


def cancelled(dialogue: Dialogue) -> str | None:
    """The mechanism of a login that the client cancelled before it had said anything (RFC 9051 section 6.2.2)."""
    body = dialogue.command.body if dialogue.command else None
    last = dialogue.asks[-1].parsed.understood if len(dialogue.asks) == 2 else None
    if not isinstance(body, Authenticate) or body.initial is not None or not isinstance(last, SaslLine):
        return None
    gave_up = last.cancels and dialogue.exchange.status != "OK"
    return body.mechanism.decode("ascii", "replace") if gave_up else None


def way(dialogue: Dialogue) -> str:
    """How the recorded client logged in: the mechanism, or LOGIN."""
    body = dialogue.command.body if dialogue.command else None
    if isinstance(body, Authenticate):
        return body.mechanism.decode("ascii", "replace")
    return "LOGIN" if isinstance(body, Login) else dialogue.exchange.command
