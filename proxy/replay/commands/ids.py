"""Ids in commands that a server has made up, and tags: pairs are known, or they are not (M 8)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.imap.grammar.quota import GetQuota, SetQuota
from proxy.imap.grammar.search_commands import CancelUpdate
from proxy.imap.grammar.search_keys import NumberKey, StringKey
from proxy.imap.grammar.values import Absent
from proxy.imap.mapping import NoCounterpartError
from proxy.imap.transcript import readable

if TYPE_CHECKING:
    from proxy.imap.grammar.values import String
    from proxy.replay.commands.context import Context, Mapper

_IDS = frozenset((b"EMAILID", b"THREADID"))
_NUMBERS = frozenset((b"X-GM-MSGID", b"X-GM-THRID"))


def _object(context: Context, kind: str, recorded: str) -> str:
    there = context.mapping.object_id(kind, recorded)
    if there is None:
        raise NoCounterpartError(f"{kind} {recorded} has no counterpart at the target")
    if there != recorded:
        context.note(f"{kind} {recorded} → {there}")
    return there


def _number(context: Context, key: NumberKey, number: int) -> int:
    return int(_object(context, readable(key.name), str(number))) if key.name in _NUMBERS else number


def _strings(context: Context, key: StringKey, strings: tuple[String, ...]) -> tuple[String, ...]:
    """EMAILID and THREADID of a search (RFC 8474 section 5.3)."""
    if key.name not in _IDS:
        return strings
    kind = readable(key.name)
    mapped = tuple(
        each if isinstance(each, Absent) else _object(context, kind, readable(each)).encode() for each in strings
    )
    return strings if mapped == strings else mapped


def _root(context: Context, _: GetQuota | SetQuota, root: String) -> String:
    """A quota root by its name, which is the server's own (RFC 9208 section 3.2)."""
    if not root or isinstance(root, Absent):
        return root
    there = _object(context, "quota root", readable(root)).encode()
    return root if there == root else there


def _tags(context: Context, _: CancelUpdate, tags: tuple[String, ...]) -> tuple[String, ...]:
    """Tags of searches that are not to be kept up to date any more (RFC 5267 section 4.3.3)."""
    mapped = [context.session.tags.get(tag) if isinstance(tag, bytes) else None for tag in tags]
    if None in mapped:
        raise NoCounterpartError("a search that it names was not sent")
    return tuple(tag for tag in mapped if tag is not None)


MAPPERS: dict[tuple[type, str], Mapper] = {
    (NumberKey, "number"): _number,
    (StringKey, "strings"): _strings,
    (GetQuota, "root"): _root,
    (SetQuota, "root"): _root,
    (CancelUpdate, "tags"): _tags,
}
"""Class and field -> what maps the field."""
