"""What is sent for a recorded command, or why nothing is (M 8, 9)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.imap.commands import KNOWN, SELECTS, of_selected, read_head
from proxy.imap.grammar.append import Append, Catenate, Replace
from proxy.imap.grammar.generic import Bare, Unknown
from proxy.imap.grammar.values import Opaque
from proxy.imap.lint.words import expanded
from proxy.imap.mapping import NoCounterpartError
from proxy.imap.offers import Offers, named, wants
from proxy.imap.transcript import Origin
from proxy.replay.changing import changes_mail, marks_seen, may_change_mail
from proxy.replay.commands.context import Context
from proxy.replay.commands.walk import mapped
from proxy.replay.spelling import never_whole, respelled, rewritten
from proxy.replay.values import Decision, Fate, Send, Skip

if TYPE_CHECKING:
    from proxy.imap.grammar import Command
    from proxy.imap.grammar.commands import Body
    from proxy.imap.mapping import Mapping
    from proxy.imap.view.dialogue import Ask, Dialogue
    from proxy.replay.values import Policy, Target

LOGINS = frozenset(("LOGIN", "AUTHENTICATE"))
"""Of these nothing that was recorded is sent: the credentials are those of the person who replays (M 9.11)."""
OF_THE_CONNECTION = LOGINS | {"STARTTLS", "COMPRESS", "LOGOUT", "IDLE", "UNAUTHENTICATE"}
"""What whoever drives the connection sees to by itself: `decide` is not asked for these."""
_URLS = "it is about URLs that hold for the recorded server alone"
_BOUND = {
    **dict.fromkeys(("GENURLAUTH", "URLFETCH", "RESETKEY", "BURL"), _URLS),  # RFC 4467, RFC 4468; M 9.8
    "XAPPLEPUSHSERVICE": "it is about one device's subscription to pushed news",
}
_ANYWHERE = frozenset(("NOOP", "IDLE", "CANCELUPDATE", "SETANNOTATION"))


def of_the_connection(dialogue: Dialogue) -> bool:
    """Whether it is about the connection itself: login, STARTTLS, COMPRESS, IDLE, LOGOUT, UNAUTHENTICATE."""
    return dialogue.exchange.command in OF_THE_CONNECTION


def needs_mailbox(name: str) -> bool:
    """Whether a command of this name is about the selected mailbox, and nothing without one."""
    return of_selected(name) and name not in _ANYWHERE


def decide(dialogue: Dialogue, mapping: Mapping, target: Target, policy: Policy, tag: bytes) -> Decision:
    """The recorded command as it is to be sent with this tag, or why it is not.

    Never asked for commands `of_the_connection`. To be asked when all that the step depends on has been learnt by
    `mapping`: at the latest, when the step before it is answered. Where nothing changes, the client's own spelling
    stays; else the command is written anew. Whether the contents of large literals were kept is left to the sender.
    """
    if not dialogue.asks:
        return Skip("the recording has none of its bytes")
    ask = dialogue.asks[0]
    if dialogue.exchange.origin is Origin.PROXY:
        return Skip("imaptap itself had sent it")
    if reason := _unusable(dialogue, ask):
        return Skip(reason)
    offers = Offers(target.capabilities)
    command = dialogue.command
    if command is None or (isinstance(command.body, Unknown) and isinstance(command.body.arguments, Opaque)):
        return _as_it_is(dialogue, ask, tag, offers, policy)
    body = _harmless(dialogue, command.body, target, policy)
    if body is command.body and (reason := _forbidden(dialogue, body, policy, offers)):
        return Skip(reason)
    session = mapping.begin(dialogue)
    selected = session.recorded.mailbox
    context = Context(dialogue, mapping, session, target, policy, offers, selected.name if selected else None)
    try:
        if reason := _unselected(context):
            return Skip(reason, Fate.NOT_REACHED)
        body = mapped(context, body)
    except NoCounterpartError as unmapped:
        return Skip(unmapped.reason)
    return _send(ask, command, body, tag, context)


def _unusable(dialogue: Dialogue, ask: Ask) -> str | None:
    if any(each.secret for each in dialogue.asks):
        return "it holds a secret or a letter, which the recording has not"
    return never_whole(ask.unit)


def _as_it_is(dialogue: Dialogue, ask: Ask, tag: bytes, offers: Offers, policy: Policy) -> Decision:
    """A command that the grammar could not read: only if it is not known to change mail, or may without leave."""
    head = read_head(ask.unit.texts[0])
    if changes_mail(head.name, read_only=None):
        return Skip(f"it is not understood, and {head.name} changes mail")
    said = b" ".join(ask.unit.texts)
    if not policy.write and may_change_mail(head.name, said, read_only=dialogue.before.read_only):
        return Skip("it is not understood, and may change mail, which was not allowed")
    if not head.tag or not ask.unit.texts[0].startswith(head.tag):
        return Skip("it has no tag")
    return Send(*respelled(ask.unit, head.tag, tag, offers))


def _forbidden(dialogue: Dialogue, body: Body, policy: Policy, offers: Offers) -> str | None:
    name = dialogue.exchange.command
    if name in _BOUND or _by_url(body):
        return _BOUND.get(name, _URLS)
    if not policy.write:
        if changes_mail(name, read_only=dialogue.before.read_only):
            return f"{name} changes mail, and that was not allowed"
        if isinstance(body, Unknown) and name.removeprefix("UID ") not in KNOWN:
            return f"nobody knows whether {name} changes mail, and that was not allowed"
        if dialogue.before.read_only is not True and (item := marks_seen(body)):
            return f"{item} sets \\Seen, and changing mail was not allowed"
    return None if policy.strict else _lacking(dialogue, name, body, offers)


def _lacking(dialogue: Dialogue, name: str, body: Body, offers: Offers) -> str | None:
    """What the target lacks, unless the recorded server had not said either that it has that: then both are asked."""
    recorded = Offers(dialogue.before.capabilities)
    for need in wants(name, body, dialogue.asks[0].unit):
        left_out = need.what == "parameter" and name in SELECTS  # `proxy.replay.commands.abilities` does that
        if not left_out and recorded.any(need.capabilities) and not offers.any(need.capabilities):
            which = "" if need.what == "command" else f", which {need.word} needs"
            return f"the target has no {named(need.capabilities)}{which}"
    return None


def _harmless(dialogue: Dialogue, body: Body, target: Target, policy: Policy) -> Body:
    """UNSELECT for a CLOSE that would remove messages without leave, if the target has it (RFC 3691)."""
    if policy.write or dialogue.exchange.command != "CLOSE" or dialogue.before.read_only is True:
        return body
    return Bare(b"UNSELECT") if "UNSELECT" in expanded(target.capabilities) else body


def _by_url(body: Body) -> bool:
    messages = body.messages if isinstance(body, Append) else (body.message,) if isinstance(body, Replace) else ()
    parts = (part for each in messages if isinstance(each.data, Catenate) for part in each.data.parts)
    return any(part.kind == b"URL" for part in parts)


def _unselected(context: Context) -> str | None:
    """Why the command would be about another mailbox than the recorded one."""
    name = context.dialogue.exchange.command
    if not needs_mailbox(name):
        return None
    target, recorded = context.target, context.mailbox
    if recorded is None:
        return None if target.mailbox is None else "no mailbox was selected when it was recorded"
    there = context.counterpart(recorded)
    selected = "INBOX" if target.mailbox is not None and target.mailbox.upper() == "INBOX" else target.mailbox
    return None if selected == there else f"{there} is not selected at the target"


def _send(ask: Ask, command: Command, body: Body, tag: bytes, context: Context) -> Decision:
    if isinstance(body, Bare) and body is not command.body:
        context.note("CLOSE → UNSELECT, which removes no messages")
    changes = tuple(context.changes)
    if body is command.body:
        unit, more = respelled(ask.unit, command.tag, tag, context.offers)
        return Send(unit, (*changes, *more), type(command)(tag, body))
    said = type(command)(tag, body)
    written = rewritten(said, ask.unit, context.offers)
    if written is None:
        return Skip("its literals cannot be told apart")
    return Send(written[0], (*changes, *written[1]), said)
