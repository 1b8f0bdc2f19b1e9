"""Messages in commands: sets of UIDs and of numbers, modification sequences, `$` (M 9.1-9.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.imap.grammar.append import Replace
from proxy.imap.grammar.fetch_commands import FetchCommand, Modifier, Store
from proxy.imap.grammar.messages import Copy, UidExpunge
from proxy.imap.grammar.search_keys import ModSeqKey, SetKey
from proxy.imap.grammar.sets import SequenceSet
from proxy.imap.grammar.values import Atom
from proxy.imap.mapping import NoCounterpartError
from proxy.imap.mapping.ranges import number_set, uid_set

if TYPE_CHECKING:
    from proxy.imap.grammar.values import Ext
    from proxy.replay.commands.context import Context, Mapper

_SET = frozenset(b"0123456789:,*")
_SHOWN_MOST = 60


def messages(context: Context, recorded: SequenceSet, *, uid: bool) -> SequenceSet:
    """A set of messages of the selected mailbox, by UID or by number; the same object where nothing changes."""
    if context.mailbox is None and not context.several:
        return recorded  # with nothing selected, no server will look at it
    if recorded.saved:
        if not context.session.saved:
            raise NoCounterpartError("the saved search result is another one at the target")
        return recorded
    box, about = context.messages, context.about
    if uid:
        mapped = uid_set(recorded, box, about)
    else:
        mapped = number_set(recorded, lambda number: context.session.number(number, box, about.exists), about)
    if mapped is not recorded:
        context.note(f"{'UID' if uid else 'message'} {_short(recorded.raw)} → {_short(mapped.raw)}")
    return mapped


def _of_command(context: Context, command: FetchCommand | Store | Copy, recorded: SequenceSet) -> SequenceSet:
    return messages(context, recorded, uid=command.uid)


def _uids(context: Context, _: UidExpunge, recorded: SequenceSet) -> SequenceSet:
    return messages(context, recorded, uid=True)


def _of_key(context: Context, key: SetKey, recorded: SequenceSet) -> SequenceSet:
    return messages(context, recorded, uid=bool(key.name))


def _replaced(context: Context, command: Replace, number: int) -> int:
    return int(messages(context, SequenceSet(b"%d" % number), uid=command.uid).raw)


def _modifier(context: Context, modifier: Modifier, value: Ext | None) -> object:
    """CHANGEDSINCE and UNCHANGEDSINCE (RFC 7162 section 3.1)."""
    if modifier.name not in (b"CHANGEDSINCE", b"UNCHANGEDSINCE") or not isinstance(value, Atom):
        return value
    if value.number is None:
        return value
    there = _modseq(context, value.number)
    return value if there == value.number else Atom(b"%d" % there)


def _modseq_key(context: Context, _: ModSeqKey, modseq: int) -> int:
    return _modseq(context, modseq)


def _modseq(context: Context, modseq: int) -> int:
    box = context.messages
    if context.mailbox is None:
        return modseq
    there = box.modseqs.replayed(modseq) if box else (modseq if modseq <= 1 else None)
    if there is None:
        raise NoCounterpartError(f"modseq {modseq} of {context.mailbox} has no counterpart at the target")
    if there != modseq:
        context.note(f"modseq {modseq} → {there}")
    return there


def uids_of(context: Context, value: Ext) -> Ext:
    """A set of UIDs in a command nobody here knows; any other value as it is."""
    if not isinstance(value, Atom) or not _SET.issuperset(value.raw):
        return value
    recorded = SequenceSet(value.raw)
    mapped = messages(context, recorded, uid=True)
    return value if mapped is recorded else Atom(mapped.raw)


def _short(raw: bytes) -> str:
    text = raw.decode("ascii")
    return text if len(text) <= _SHOWN_MOST else text[: _SHOWN_MOST - 1] + "…"


MAPPERS: dict[tuple[type, str], Mapper] = {
    (FetchCommand, "messages"): _of_command,
    (Store, "messages"): _of_command,
    (Copy, "messages"): _of_command,
    (UidExpunge, "uids"): _uids,
    (SetKey, "messages"): _of_key,
    (Replace, "number"): _replaced,
    (Modifier, "value"): _modifier,
    (ModSeqKey, "modseq"): _modseq_key,
}
"""Class and field -> what maps the field."""
