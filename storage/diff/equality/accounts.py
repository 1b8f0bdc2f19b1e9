"""QUOTA by resource, ACL by identifier, METADATA by entry (M 10.10); and URLAUTH."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

from proxy.imap.grammar.values import Absent
from proxy.imap.transcript import readable
from storage.diff.equality import ids
from storage.diff.equality.rules import Rule
from storage.diff.equality.strings import contents, nil
from storage.diff.values import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from proxy.imap.grammar.acl import Acl, ListRights, MyRights
    from proxy.imap.grammar.mailbox_names import Mailbox
    from proxy.imap.grammar.metadata import Metadata
    from proxy.imap.grammar.quota import Quota, QuotaRoot, Resource
    from proxy.imap.grammar.urlauth import GenUrlAuth, UrlFetch
    from proxy.imap.grammar.values import NString, String
    from storage.diff.equality.findings import Findings


class _OfMailbox(Protocol):
    """Data about a mailbox."""

    @property
    def mailbox(self) -> Mailbox: ...


T = TypeVar("T", bound=_OfMailbox)

_OLD_RIGHTS = {"c": "kx", "d": "xte"}
"""Rights of RFC 2086 and what took their place (RFC 4314 section 2.1.1)."""


def quotas(found: Findings, left: Sequence[Quota], right: Sequence[Quota]) -> None:
    """QUOTA data: by root, or where each side has one root only, whatever it is called; then by resource."""
    lefts, rights = {each.root: each for each in left}, {each.root: each for each in right}
    if len(lefts) == len(rights) == 1 and lefts.keys() != rights.keys():
        found.let(Rule.QUOTA_ROOT, "QUOTA", left[0].root, right[0].root)
        _resources(found, _root(left[0].root), left[0].resources, right[0].resources)
        return
    for root in dict.fromkeys((*lefts, *rights)):
        one, other = lefts.get(root), rights.get(root)
        where = _root(root)
        if one is None or other is None:
            found.value(where, one, other)
        elif one != other:
            _resources(found, where, one.resources, other.resources)


def _root(root: String) -> str:
    name = _word(root)
    return f"QUOTA {name}" if name else 'QUOTA ""'


def _resources(found: Findings, where: str, left: Iterable[Resource], right: Iterable[Resource]) -> None:
    lefts, rights = {each.name: each for each in left}, {each.name: each for each in right}
    for name in dict.fromkeys((*lefts, *rights)):
        one, other = lefts.get(name), rights.get(name)
        if one != other:
            found.value(f"{where} {readable(name)}", one, other)


def quota_roots(found: Findings, left: Sequence[QuotaRoot], right: Sequence[QuotaRoot]) -> None:
    """QUOTAROOT data: as many roots for each mailbox."""
    for where, one, other in _by_mailbox(found, "QUOTAROOT", left, right):
        if len(one.roots) != len(other.roots):
            found.value(where, one.roots, other.roots)
        elif set(one.roots) != set(other.roots):
            found.let(Rule.QUOTA_ROOT, where, one.roots, other.roots)
        elif one.roots != other.roots:
            found.let(Rule.ORDER, where, one.roots, other.roots, Kind.ORDER)


def acls(found: Findings, left: Sequence[Acl], right: Sequence[Acl]) -> None:
    """ACL data, by identifier."""
    for where, one, other in _by_mailbox(found, "ACL", left, right):
        lefts, rights = dict(one.entries), dict(other.entries)
        for identifier in dict.fromkeys((*lefts, *rights)):
            place = f"{where} {_word(identifier)}"
            if identifier in lefts and identifier in rights:
                _rights(found, place, lefts[identifier], rights[identifier])
            else:
                found.value(place, lefts.get(identifier), rights.get(identifier))
        if list(lefts) != list(rights) and lefts.keys() == rights.keys():
            found.let(Rule.ORDER, where, kind=Kind.ORDER)


def my_rights(found: Findings, left: Sequence[MyRights], right: Sequence[MyRights]) -> None:
    """MYRIGHTS data."""
    for where, one, other in _by_mailbox(found, "MYRIGHTS", left, right):
        _rights(found, where, one.rights, other.rights)


def list_rights(found: Findings, left: Sequence[ListRights], right: Sequence[ListRights]) -> None:
    """LISTRIGHTS data: what is always granted, and which rights are tied together."""
    for where, one, other in _by_mailbox(found, "LISTRIGHTS", left, right):
        if one.identifier != other.identifier:
            found.value(f"{where} identifier", one.identifier, other.identifier)
        _rights(found, where, one.required, other.required)
        lefts, rights = ({frozenset(_word(each)) for each in side.optional} for side in (one, other))
        if lefts != rights:
            found.value(f"{where} optional", one.optional, other.optional)
        elif one.optional != other.optional:
            found.let(Rule.ORDER, f"{where} optional", one.optional, other.optional, Kind.ORDER)


def _rights(found: Findings, where: str, left: String, right: String) -> None:
    if left == right:
        return
    one, other = set(_word(left)), set(_word(right))
    if one == other:
        found.let(Rule.ORDER, where, left, right, Kind.ORDER)
    elif _new(one) == _new(other):
        found.let(Rule.RIGHTS, where, left, right)
    else:
        found.value(where, left, right)


def _new(rights: set[str]) -> set[str]:
    new = {each for right in rights for each in _OLD_RIGHTS.get(right, right)}
    return new - {"c", "d"}


def metadata(found: Findings, left: Sequence[Metadata], right: Sequence[Metadata]) -> None:
    """METADATA data, by entry; several for one mailbox are put together."""
    entries = _entries(left), _entries(right)
    for where, one, other in _by_mailbox(found, "METADATA", left, right):
        lefts, rights = entries[0][one.mailbox.name], entries[1][other.mailbox.name]
        for name in dict.fromkeys((*lefts, *rights)):
            place = f"{where} {readable(name)}"
            if name in lefts and name in rights:
                contents(found, place, lefts[name], rights[name])
            else:
                found.value(place, nil(lefts, name), nil(rights, name))


def _entries(told: Sequence[Metadata]) -> dict[str, dict[bytes, NString]]:
    entries: dict[str, dict[bytes, NString]] = {}
    for each in told:
        known = entries.setdefault(each.mailbox.name, {})
        known.update((name.lower(), value) for name, value in each.entries if isinstance(name, bytes))
    return entries


def generated_urls(found: Findings, left: Sequence[GenUrlAuth], right: Sequence[GenUrlAuth]) -> None:
    """GENURLAUTH data: as many URLs; what they are is a secret of each server."""
    lefts, rights = [url for each in left for url in each.urls], [url for each in right for url in each.urls]
    if len(lefts) != len(rights):
        found.value("GENURLAUTH", f"{len(lefts)} URLs", f"{len(rights)} URLs")
    elif lefts != rights:
        found.let(Rule.URL, "GENURLAUTH", lefts, rights)


def fetched_urls(found: Findings, left: Sequence[UrlFetch], right: Sequence[UrlFetch]) -> None:
    """URLFETCH data, in the order of the command."""
    lefts, rights = [url for each in left for url in each.urls], [url for each in right for url in each.urls]
    if len(lefts) != len(rights):
        found.value("URLFETCH", f"{len(lefts)} URLs", f"{len(rights)} URLs")
        return
    for number, (one, other) in enumerate(zip(lefts, rights, strict=True), 1):
        where = f"URLFETCH {number}"
        if one.url != other.url:
            found.let(Rule.URL, where, one.url, other.url)
        contents(found, where, one.data, other.data)
        if one.extended != other.extended:
            found.value(where, one.extended, other.extended)


def _by_mailbox(found: Findings, word: str, left: Sequence[T], right: Sequence[T]) -> Iterator[tuple[str, T, T]]:
    """Pairs for the same mailbox; what has none is told."""
    lefts = {ids.right_name(found, each.mailbox): each for each in left}
    rights = {each.mailbox.name: each for each in right}
    for name in dict.fromkeys((*lefts, *rights)):
        one, other = lefts.get(name), rights.get(name)
        where = f"{word} {one.mailbox.name if one else name}"
        if one is None or other is None:
            found.value(where, one, other)
        else:
            ids.names(found, where, one.mailbox, other.mailbox)
            yield where, one, other


def _word(string: String) -> str:
    return f"{{{string.size}}}" if isinstance(string, Absent) else readable(string)
