"""Response codes: the same name, and arguments that mean the same (M 8, 10.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.imap.grammar.append import Append, Replace
from proxy.imap.grammar.capability import Capability
from proxy.imap.grammar.codes import (
    AppendUid,
    BadCharset,
    CopyUid,
    InProgress,
    MailboxId,
    Modified,
    NumberCode,
    PermanentFlags,
    TagCode,
    TextCode,
)
from proxy.imap.grammar.messages import Copy
from proxy.imap.transcript import readable
from storage.diff.equality import ids, words
from storage.diff.equality.causes import lacking
from storage.diff.equality.rules import Rule
from storage.diff.values import Kind

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from proxy.imap.grammar.codes import AnyCode
    from proxy.imap.grammar.sets import SequenceSet
    from storage.diff.equality.findings import Findings

_LET_PASS = {b"UIDNEXT": Rule.UIDNEXT, b"HIGHESTMODSEQ": Rule.MODSEQ}
FREE = frozenset((b"APPENDUID", b"COPYUID", b"HIGHESTMODSEQ"))
"""Codes that come in the completion or in an untagged OK before it (M 3.13)."""
_URLS = frozenset((b"REFERRAL", b"BADURL", b"WEBALERT"))
_ONE_SIDED = {
    b"UNSEEN": Rule.UNSEEN,
    b"CAPABILITY": Rule.CAPABILITY_CODE,
    b"INPROGRESS": Rule.UNSOLICITED,
    b"ALERT": Rule.UNSOLICITED,
}


def name_of(code: AnyCode) -> bytes:
    """Its name, in capitals."""
    return _NAMES.get(type(code)) or code.name  # type: ignore[union-attr]


def codes(found: Findings, where: str, left: AnyCode | None, right: AnyCode | None) -> None:
    """Two codes of one line, None where there is none. `where` is the line, as "OK"."""
    if left is None and right is None:
        return
    if left is None or right is None:
        one_sided(found, where, left, right)
        return
    one, other = name_of(left), name_of(right)
    if one == other:
        arguments(found, f"{where} [{readable(one)}]", left, right)
    elif one in _ONE_SIDED or other in _ONE_SIDED:
        one_sided(found, where, left, None)
        one_sided(found, where, None, right)
    else:
        found.differ(Kind.CODE, where, left, right, _cause(found, one) or _cause(found, other))


def one_sided(found: Findings, where: str, left: AnyCode | None, right: AnyCode | None) -> None:
    """A code that only one side has."""
    code = left if left is not None else right
    if code is None:
        return
    name = name_of(code)
    where = f"{where} [{readable(name)}]"
    if name in _ONE_SIDED:
        found.let(_ONE_SIDED[name], where, left, right, Kind.CODE)
        return
    cause = _cause(found, name)
    found.differ(Kind.CAPABILITY if cause else Kind.CODE, where, left, right, cause)


def arguments(found: Findings, where: str, left: AnyCode, right: AnyCode) -> None:
    """Two codes of the same name."""
    if type(left) is not type(right):
        found.value(where, left, right)
        return
    compare = _ARGUMENTS.get(type(left))
    if isinstance(left, TextCode) and left.name in _URLS and left != right:
        found.let(Rule.URL, where, left, right)
        return
    if compare is not None:
        compare(found, where, left, right)
    elif left != right:
        found.value(where, left, right)


def _number(found: Findings, where: str, left: NumberCode, right: NumberCode) -> None:
    if left.name == b"UIDVALIDITY":
        ids.uidvalidity(found, where, found.mailbox, left.number, right.number)
    elif left.number == right.number:
        return
    elif left.name in _LET_PASS:
        found.let(_LET_PASS[left.name], where, left.number, right.number)
    else:
        found.value(where, left.number, right.number)


def _permanent_flags(found: Findings, where: str, left: PermanentFlags, right: PermanentFlags) -> None:
    words.flags(found, where, left.flags, right.flags)


def _charsets(found: Findings, where: str, left: BadCharset, right: BadCharset) -> None:
    lefts, rights = (tuple(each for each in side.charsets if isinstance(each, bytes)) for side in (left, right))
    words.words(found, where, lefts, rights)


def _capability(found: Findings, where: str, left: Capability, right: Capability) -> None:
    words.capabilities(found, where, left.words, right.words)


def _append_uid(found: Findings, where: str, left: AppendUid, right: AppendUid) -> None:
    mailbox = _target(found)
    ids.uidvalidity(found, f"{where} UIDVALIDITY", mailbox, left.uidvalidity, right.uidvalidity)
    _assigned(found, where, mailbox, left.uids, right.uids, same=left.uidvalidity == right.uidvalidity)


def _copy_uid(found: Findings, where: str, left: CopyUid, right: CopyUid) -> None:
    mailbox = _target(found)
    ids.uidvalidity(found, f"{where} UIDVALIDITY", mailbox, left.uidvalidity, right.uidvalidity)
    one, other = ids.expanded(left.source, left.target), ids.expanded(right.source, right.target)
    if one is None or other is None:
        if left != right:
            found.value(where, left, right)
        return
    matched = ids.match(found, found.mailbox, one[0], other[0])
    if matched.missing or matched.extra:
        found.value(f"{where} source", left.source, right.source)
        return
    ids.tell_uids(found, f"{where} source", matched.pairs)
    if [len(one[0]), len(other[0])] != [len(one[1]), len(other[1])]:
        if len(one[1]) != len(other[1]):
            found.value(f"{where} target", left.target, right.target, "Not as many UIDs as messages were copied.")
        return
    there, here = dict(zip(*one, strict=True)), dict(zip(*other, strict=True))
    pairs = {there[uid]: here[matched.pairs[uid]] for uid in there}
    same = left.uidvalidity == right.uidvalidity
    _all_fit(found, f"{where} target", mailbox, pairs, (left.target, right.target), same=same)


def _assigned(found: Findings, where: str, mailbox: str, left: SequenceSet, right: SequenceSet, *, same: bool) -> None:
    sets = ids.expanded(left, right)
    if sets is None or len(sets[0]) != len(sets[1]):
        found.value(where, left, right)
        return
    _all_fit(found, where, mailbox, dict(zip(sorted(sets[0]), sorted(sets[1]), strict=True)), (left, right), same=same)


def _all_fit(
    found: Findings, where: str, mailbox: str, pairs: dict[int, int], shown: tuple[SequenceSet, SequenceSet],
    *, same: bool,
) -> None:  # fmt: skip
    """New UIDs by left ones. With the `same` UIDVALIDITY they have to be the same, where nothing else is known; else in
    the same order: servers give them as messages arrive."""
    unknown: list[int] = []
    for left, right in sorted(pairs.items()):
        known = found.mapping.uid(mailbox, left)
        if known is None and same:
            known = left
        if known is None:
            unknown.append(right)
        if known != right and not (known is None and ids.same_uid(found, mailbox, left, right)):
            found.value(where, *shown)
            return
    if unknown != sorted(unknown):
        found.value(where, *shown, "The new messages are in another order there.")
        return
    ids.tell_uids(found, where, pairs)


def _modified(found: Findings, where: str, left: Modified, right: Modified) -> None:
    sets = ids.expanded(left.messages, right.messages)
    if sets is None:
        if left != right:
            found.value(where, left, right)
        return
    uid = found.left.exchange.command.startswith("UID ")
    ids.sets(found, where, found.mailbox if uid else None, *sets)


def _mailbox_id(found: Findings, where: str, left: MailboxId, right: MailboxId) -> None:
    ids.object_ids(found, where, "MAILBOXID", left.objectid, right.objectid)


def _tag(found: Findings, where: str, left: TagCode, right: TagCode) -> None:
    if left.tag != right.tag:
        found.let(Rule.TAG, where, left.tag, right.tag)


def _in_progress(found: Findings, where: str, left: InProgress, right: InProgress) -> None:
    if left != right:
        found.let(Rule.UNSOLICITED, where, left, right)


def _target(found: Findings) -> str:
    """The left name of the mailbox that the command puts messages into."""
    command = found.left.command
    if command is not None and isinstance(command.body, Append | Replace | Copy):
        return command.body.mailbox.name
    return found.left.exchange.mailbox or ""


def _cause(found: Findings, name: bytes) -> str:
    return lacking(found, readable(name))


_NAMES: dict[type, bytes] = {
    PermanentFlags: b"PERMANENTFLAGS",
    BadCharset: b"BADCHARSET",
    AppendUid: b"APPENDUID",
    CopyUid: b"COPYUID",
    Modified: b"MODIFIED",
    MailboxId: b"MAILBOXID",
    InProgress: b"INPROGRESS",
    Capability: b"CAPABILITY",
}
_ARGUMENTS: dict[type, Callable[[Findings, str, Any, Any], None]] = {
    NumberCode: _number,
    PermanentFlags: _permanent_flags,
    BadCharset: _charsets,
    Capability: _capability,
    AppendUid: _append_uid,
    CopyUid: _copy_uid,
    Modified: _modified,
    MailboxId: _mailbox_id,
    TagCode: _tag,
    InProgress: _in_progress,
}
