"""LIST, LSUB, XLIST, STATUS and NAMESPACE, by mapped name (M 10.3, 10.10)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from proxy.imap.grammar.values import Atom
from proxy.imap.transcript import readable
from storage.diff.equality import ids, words
from storage.diff.equality.causes import lacking
from storage.diff.equality.rules import Rule
from storage.diff.values import Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from proxy.imap.grammar.capability import Namespace, NamespaceDescr
    from proxy.imap.grammar.listing import MailboxList
    from proxy.imap.grammar.mailbox_names import Mailbox
    from proxy.imap.grammar.mailboxes import MailboxStatus
    from proxy.imap.grammar.values import Ext
    from storage.diff.equality.findings import Findings

_CHILDREN = frozenset((b"\\HASCHILDREN", b"\\HASNOCHILDREN"))
_MARKED = frozenset((b"\\MARKED", b"\\UNMARKED"))
_IMPLIED = {b"\\NONEXISTENT": b"\\NOSELECT", b"\\NOINFERIORS": b"\\HASNOCHILDREN"}
"""An attribute and what it says too (RFC 9051 section 7.3.1)."""
_SPECIAL = frozenset(b"\\ALL \\ARCHIVE \\DRAFTS \\FLAGGED \\JUNK \\SENT \\TRASH \\IMPORTANT \\INBOX \\SPAM".split())


class _Entry(NamedTuple):
    """A mailbox as it is listed, several lines for one name put together."""

    mailbox: Mailbox
    delimiter: bytes | None
    attributes: tuple[bytes, ...]
    extended: dict[bytes, Ext]


def lists(found: Findings, left: Sequence[MailboxList], right: Sequence[MailboxList]) -> None:
    """LIST, LSUB or XLIST data of one command."""
    lefts = {ids.right_name(found, entry.mailbox): entry for entry in _entries(left)}
    rights = {entry.mailbox.name: entry for entry in _entries(right)}
    word = (left or right)[0].word.decode()
    for name, entry in lefts.items():
        other = rights.get(name)
        where = f"{word} {entry.mailbox.name}"
        if other is None:
            found.differ(Kind.MISSING, where, _told(entry))
        else:
            _entry(found, where, entry, other)
    for name, entry in rights.items():
        if name not in lefts:
            found.differ(Kind.EXTRA, f"{word} {name}", None, _told(entry))
    common = lefts.keys() & rights.keys()
    if [name for name in lefts if name in common] != [name for name in rights if name in common]:
        found.let(Rule.ORDER, word, kind=Kind.ORDER)


def _entries(told: Sequence[MailboxList]) -> list[_Entry]:
    entries: dict[str, _Entry] = {}
    for each in told:
        extended = {name.upper(): value for name, value in each.extended or () if isinstance(name, bytes)}
        known = entries.get(each.mailbox.name)
        if known is not None:
            attributes = tuple(dict.fromkeys((*known.attributes, *each.attributes)))
            entries[each.mailbox.name] = known._replace(attributes=attributes, extended=known.extended | extended)
        else:
            entries[each.mailbox.name] = _Entry(each.mailbox, each.delimiter, each.attributes, extended)
    return list(entries.values())


def _told(entry: _Entry) -> str:
    return f"({readable(b' '.join(entry.attributes))}) {entry.mailbox.name}"


def _entry(found: Findings, where: str, left: _Entry, right: _Entry) -> None:
    ids.names(found, where, left.mailbox, right.mailbox)
    if left.delimiter != right.delimiter:
        found.let(Rule.DELIMITER, where, left.delimiter or "NIL", right.delimiter or "NIL")
    if left.attributes != right.attributes:
        _attributes(found, where, left.attributes, right.attributes)
    for name in dict.fromkeys((*left.extended, *right.extended)):
        one, other = left.extended.get(name), right.extended.get(name)
        if one != other:
            found.value(f"{where} {readable(name)}", one, other)


def _attributes(found: Findings, where: str, left: tuple[bytes, ...], right: tuple[bytes, ...]) -> None:
    lefts = {word.upper(): word for word in left}
    rights = {word.upper(): word for word in right}
    one, other = _full(lefts), _full(rights)
    odd = one ^ other
    implied = (lefts.keys() ^ rights.keys()) - odd
    if implied:
        found.let(Rule.IMPLIED, where, readable(b" ".join(left)), readable(b" ".join(right)))
    for rule, group in ((Rule.CHILDREN, _CHILDREN), (Rule.MARKED, _MARKED)):
        if odd & group and (group is _MARKED or not (one & group and other & group)):
            found.let(rule, where, _of(lefts, group), _of(rights, group))
            odd -= group
    if odd:
        missing, extra = _of(lefts, odd & one), _of(rights, odd & other)
        cause = lacking(found, "SPECIAL-USE") if odd <= _SPECIAL else ""
        kind = Kind.CAPABILITY if cause else Kind.VALUE
        found.differ(kind, f"{where} attributes", missing, extra, cause)
    elif not implied and lefts.keys() == rights.keys():
        words.words(found, where, left, right)


def _full(attributes: dict[bytes, bytes]) -> set[bytes]:
    return attributes.keys() | {_IMPLIED[word] for word in attributes if word in _IMPLIED}


def _of(attributes: dict[bytes, bytes], group: set[bytes] | frozenset[bytes]) -> str | None:
    """Those of a group that stand there, or what implies them."""
    implying = {_IMPLIED.get(word, word): spelled for word, spelled in attributes.items()}
    named = (attributes.get(word) or implying[word] for word in sorted(group & _full(attributes)))
    return readable(b" ".join(dict.fromkeys(named))) or None


def statuses(found: Findings, left: Sequence[MailboxStatus], right: Sequence[MailboxStatus]) -> None:
    """STATUS data by mailbox and item; several for one mailbox are put together."""
    lefts: dict[str, tuple[Mailbox, dict[bytes, int | Ext]]] = {}
    for each in left:
        lefts.setdefault(ids.right_name(found, each.mailbox), (each.mailbox, {}))[1].update(each.items)
    rights: dict[str, tuple[Mailbox, dict[bytes, int | Ext]]] = {}
    for each in right:
        rights.setdefault(each.mailbox.name, (each.mailbox, {}))[1].update(each.items)
    cause = lacking(found, "LIST-STATUS") if found.left.exchange.command == "LIST" else ""
    for name in dict.fromkeys((*lefts, *rights)):
        one, other = lefts.get(name), rights.get(name)
        where = f"STATUS {one[0].name if one else name}"
        if one is None or other is None:
            kind = Kind.CAPABILITY if cause else Kind.MISSING if one else Kind.EXTRA
            found.differ(kind, where, _items(one), _items(other), cause)
            continue
        ids.names(found, where, one[0], other[0])
        _status(found, where, one[0].name, one[1], other[1])


def _items(told: tuple[Mailbox, dict[bytes, int | Ext]] | None) -> str | None:
    return None if told is None else " ".join(readable(name) for name in told[1])


def _status(
    found: Findings, where: str, mailbox: str, left: dict[bytes, int | Ext], right: dict[bytes, int | Ext]
) -> None:
    if left == right and b"UIDVALIDITY" not in left:
        return
    for name in dict.fromkeys((*left, *right)):
        one, other = left.get(name), right.get(name)
        place = f"{where} {readable(name)}"
        if name == b"RECENT":
            if one != other:
                found.let(Rule.RECENT, place, one, other)
        elif one is None or other is None:
            cause = lacking(found, readable(name))
            kind = Kind.CAPABILITY if cause else Kind.MISSING if other is None else Kind.EXTRA
            found.differ(kind, place, one, other, cause)
        else:
            _status_item(found, place, mailbox, name, one, other)


def _status_item(found: Findings, where: str, mailbox: str, name: bytes, left: int | Ext, right: int | Ext) -> None:
    if name == b"UIDVALIDITY" and isinstance(left, int) and isinstance(right, int):
        ids.uidvalidity(found, where, mailbox, left, right)
    elif name == b"MAILBOXID":
        ids.object_ids(found, where, "MAILBOXID", _word(left), _word(right))
    elif left == right:
        return
    elif name == b"UIDNEXT":
        found.let(Rule.UIDNEXT, where, left, right)
    elif name == b"HIGHESTMODSEQ":
        found.let(Rule.MODSEQ, where, left, right)
    else:
        found.value(where, left, right)


def _word(value: int | Ext) -> bytes:
    while isinstance(value, tuple) and len(value) == 1:
        value = value[0]
    return value.raw if isinstance(value, Atom) else value if isinstance(value, bytes) else repr(value).encode()


def namespaces(found: Findings, left: Sequence[Namespace], right: Sequence[Namespace]) -> None:
    """NAMESPACE by class: as many namespaces, whatever their prefixes (M 10.10)."""
    if not left or not right:
        found.value("NAMESPACE", left[0] if left else None, right[0] if right else None)
        return
    one, other = left[-1], right[-1]
    for name, lefts, rights in (
        ("personal", one.personal, other.personal),
        ("other users'", one.others, other.others),
        ("shared", one.shared, other.shared),
    ):
        _class(found, f"NAMESPACE {name}", lefts or (), rights or ())


def _class(found: Findings, where: str, left: tuple[NamespaceDescr, ...], right: tuple[NamespaceDescr, ...]) -> None:
    for one, other in zip(left, right, strict=False):
        if one == other:
            continue
        if one.prefix != other.prefix:
            found.let(Rule.NAMESPACE, where, one.prefix, other.prefix)
        if one.delimiter != other.delimiter:
            found.let(Rule.DELIMITER, where, one.delimiter or "NIL", other.delimiter or "NIL")
    for one in left[len(right) :]:
        found.differ(Kind.MISSING, where, one)
    for other in right[len(left) :]:
        found.differ(Kind.EXTRA, where, None, other)
