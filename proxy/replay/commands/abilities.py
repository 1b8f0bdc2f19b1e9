"""What of a command a target cannot take, where the rest of it can be sent all the same; and looking without marking.

Without its mailbox, nothing that follows a SELECT could be sent; ENABLE takes words one by one (RFC 5161).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.imap.grammar.capability import Enable
from proxy.imap.grammar.fetch_commands import SectionAttribute
from proxy.imap.grammar.mailboxes import OnMailbox, Param, QResync
from proxy.imap.grammar.sets import SequenceSet
from proxy.imap.mapping import NoCounterpartError, Side
from proxy.imap.mapping.ranges import About, uid_set
from proxy.imap.mapping.sets import spread
from proxy.imap.offers import Offers
from proxy.imap.transcript import readable
from proxy.replay.changing import peeking

if TYPE_CHECKING:
    from proxy.imap.mapping.messages import Messages
    from proxy.replay.commands.context import Context, Mapper

_SELECT = (b"SELECT", b"EXAMINE")
_PARAMETERS = {b"CONDSTORE": "CONDSTORE", b"QRESYNC": "QRESYNC", b"ANNOTATE": "ANNOTATE-EXPERIMENT-1"}
Matches = tuple[SequenceSet, SequenceSet] | None
Params = tuple[Param | QResync, ...] | None


def _params(context: Context, command: OnMailbox, params: Params) -> Params:
    """Parameters of SELECT that the target lacks, or that have no counterpart, are left out."""
    if params is None or command.word not in _SELECT:
        return params
    kept: list[Param | QResync] = []
    for param in params:
        name = b"QRESYNC" if isinstance(param, QResync) else param.name
        wanted = _PARAMETERS.get(name)
        if wanted and _lacks(context, wanted):
            context.note(f"{readable(name)} left out: the target has no {wanted}")
            continue
        mapped = _qresync(context, command.mailbox.name, param) if isinstance(param, QResync) else param
        if mapped is not None:
            kept.append(mapped)
    return params if tuple(kept) == params else tuple(kept) or None


def _qresync(context: Context, name: str, known: QResync) -> QResync | None:
    """RFC 7162 section 3.2.5. What the client knows beside UIDVALIDITY and modseq, it need not say."""
    enabled = context.dialogue.before.enabled
    if not context.policy.strict and "QRESYNC" in enabled and "QRESYNC" not in context.target.enabled:
        context.note("QRESYNC left out: it is not enabled at the target")
        return None
    box = context.mapping.mailboxes.find(name, known.uidvalidity)
    uidvalidity = box.uidvalidity[Side.REPLAYED] if box else None
    modseq = box.modseqs.replayed(known.modseq) if box else None
    if box is None or uidvalidity is None or modseq is None:
        context.note(f"QRESYNC left out: modseq {known.modseq} of {name} has no counterpart at the target")
        return None
    mapped = QResync(uidvalidity, modseq, _known(known.known, box, name), _matches(known.matches, box, name))
    if mapped == known:
        return known
    context.note(f"QRESYNC {known.uidvalidity} {known.modseq} → {uidvalidity} {modseq}")
    return mapped


def _matches(matches: Matches, box: Messages, name: str) -> Matches:
    """Message numbers and their UIDs: where the target has others there, it only looks further back for what is gone
    (RFC 7162 section 3.2.5.2)."""
    uids = _known(matches[1], box, name) if matches else None
    if matches is None or uids is None or len(spread(uids) or ()) != len(spread(matches[0]) or ()):
        return None
    return matches[0], uids


def _known(uids: SequenceSet | None, box: Messages, name: str) -> SequenceSet | None:
    try:
        return None if uids is None else uid_set(uids, box, About(name))
    except NoCounterpartError:
        return None


def _enabled(context: Context, _: Enable, words: tuple[bytes, ...]) -> tuple[bytes, ...]:
    there = tuple(word for word in words if not _lacks(context, readable(word.upper())))
    if not there:
        raise NoCounterpartError(f"the target has no {readable(b' '.join(words))}")
    if there == words:
        return words
    context.note(f"ENABLE {readable(b' '.join(words))} → {readable(b' '.join(there))}")
    return there


def _lacks(context: Context, word: str) -> bool:
    """Whether the target lacks it and the recorded server had it; of what neither has, both make what they do."""
    before = context.dialogue.before.capabilities
    if context.policy.strict or context.offers.any((word,)):
        return False
    return not before or Offers(before).any((word,))


def _section(context: Context, attribute: SectionAttribute, name: bytes) -> bytes:
    """Without leave to change mail, a message is looked at without setting \\Seen."""
    if context.policy.write or context.dialogue.before.read_only is True:
        return name
    there = peeking(attribute)
    if there == name:
        return name
    context.note(f"{readable(name)} → {readable(there)}, which does not set \\Seen")
    return there


MAPPERS: dict[tuple[type, str], Mapper] = {
    (OnMailbox, "params"): _params,
    (Enable, "words"): _enabled,
    (SectionAttribute, "name"): _section,
}
"""Class and field -> what maps the field."""
