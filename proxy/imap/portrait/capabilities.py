"""Which capabilities a command makes use of: what one may send only where the server has named them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.imap.grammar.append import Append, Catenate, Replace, Utf8
from proxy.imap.grammar.capability import Enable
from proxy.imap.grammar.commands import Compress
from proxy.imap.grammar.fetch_commands import FetchCommand, SectionAttribute, Store
from proxy.imap.grammar.listing import List
from proxy.imap.grammar.mailboxes import OnMailbox, QResync, StatusCommand
from proxy.imap.grammar.sasl import Authenticate
from proxy.imap.grammar.search_commands import Search, Sort, ThreadCommand
from proxy.imap.grammar.search_keys import And, Key, ModSeqKey, Not, NumberKey, Or, SetKey
from proxy.imap.portrait.forms import text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from proxy.imap.grammar.commands import Body
    from proxy.imap.grammar.search_keys import AnyKey
    from proxy.imap.portrait.acts import Act

_BY_NAME = {
    "ID": "ID", "ENABLE": "ENABLE", "NAMESPACE": "NAMESPACE", "IDLE": "IDLE", "STARTTLS": "STARTTLS",
    "MOVE": "MOVE", "UID MOVE": "MOVE", "UNSELECT": "UNSELECT", "UID EXPUNGE": "UIDPLUS", "NOTIFY": "NOTIFY",
    "REPLACE": "REPLACE", "UID REPLACE": "REPLACE", "UNAUTHENTICATE": "UNAUTHENTICATE", "SORT": "SORT",
    "UID SORT": "SORT", "ESEARCH": "MULTISEARCH", "GETQUOTA": "QUOTA", "GETQUOTAROOT": "QUOTA", "SETQUOTA": "QUOTA",
    "GETACL": "ACL", "SETACL": "ACL", "DELETEACL": "ACL", "LISTRIGHTS": "ACL", "MYRIGHTS": "ACL",
    "GETMETADATA": "METADATA", "SETMETADATA": "METADATA", "GENURLAUTH": "URLAUTH", "URLFETCH": "URLAUTH",
    "RESETKEY": "URLAUTH", "XLIST": "XLIST", "XAPPLEPUSHSERVICE": "XAPPLEPUSHSERVICE",
}  # fmt: skip
_ITEMS = {
    b"MODSEQ": "CONDSTORE", b"PREVIEW": "PREVIEW", b"SAVEDATE": "SAVEDATE", b"EMAILID": "OBJECTID",
    b"THREADID": "OBJECTID", b"X-GM-MSGID": "X-GM-EXT-1", b"X-GM-THRID": "X-GM-EXT-1", b"X-GM-LABELS": "X-GM-EXT-1",
    b"CHANGEDSINCE": "CONDSTORE", b"UNCHANGEDSINCE": "CONDSTORE", b"VANISHED": "QRESYNC", b"PARTIAL": "PARTIAL",
    b"HIGHESTMODSEQ": "CONDSTORE", b"SIZE": "STATUS=SIZE", b"MAILBOXID": "OBJECTID", b"CONDSTORE": "CONDSTORE",
    b"QRESYNC": "QRESYNC", b"SPECIAL-USE": "SPECIAL-USE", b"STATUS": "LIST-STATUS", b"MYRIGHTS": "LIST-MYRIGHTS",
    b"METADATA": "LIST-METADATA", b"SAVE": "SEARCHRES", b"UPDATE": "CONTEXT=SEARCH", b"CONTEXT": "CONTEXT=SEARCH",
    b"DELETED": "QUOTA", b"DELETED-STORAGE": "QUOTA", b"USE": "CREATE-SPECIAL-USE",
    b"ANNOTATE": "ANNOTATE-EXPERIMENT-1",
}  # fmt: skip
_KEYS = {
    b"OLDER": "WITHIN", b"YOUNGER": "WITHIN", b"SAVEDATESUPPORTED": "SAVEDATE", b"SAVEDBEFORE": "SAVEDATE",
    b"SAVEDON": "SAVEDATE", b"SAVEDSINCE": "SAVEDATE", b"EMAILID": "OBJECTID", b"THREADID": "OBJECTID",
    b"FUZZY": "SEARCH=FUZZY", b"X-GM-RAW": "X-GM-EXT-1", b"X-GM-LABELS": "X-GM-EXT-1", b"FILTER": "FILTERS",
    b"X-GM-MSGID": "X-GM-EXT-1", b"X-GM-THRID": "X-GM-EXT-1",
}  # fmt: skip
IN_REV2 = frozenset(
    "NAMESPACE UNSELECT UIDPLUS ESEARCH SEARCHRES ENABLE IDLE SASL-IR LIST-EXTENDED LIST-STATUS MOVE LITERAL- BINARY "
    "SPECIAL-USE STATUS=SIZE".split()
)
"""What IMAP4rev2 has in itself (RFC 9051 appendix E)."""
SILENT = (
    *("IMAP4", "CHILDREN", "LOGIN-REFERRALS", "LOGINDISABLED", "I18NLEVEL=", "APPENDLIMIT", "RIGHTS="),
    *("MAILBOX-REFERRALS", "UIDNONSTICKY", "QUOTA=", "QUOTASET", "URL-PARTIAL", "IMAPSIEVE=", "MESSAGELIMIT="),
)
"""Beginnings of words that a client can heed without sending anything that shows it."""


def uses(act: Act) -> Iterator[str]:
    """The capabilities that a command makes use of, in capitals."""
    if word := _BY_NAME.get(act.step.name):
        yield word
    for literal in act.step.unit.literals:
        if not literal.synchronising:
            yield "LITERAL+"
        if literal.binary:
            yield "BINARY"
    if act.body is not None:
        yield from _of_body(act.body)


def sorted_out(
    offered: frozenset[str], used: Iterable[str]
) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """What was used, ignored, of no use to see, and used without having been offered."""
    wanted = set(used)
    found = {word: _offer(word, offered) for word in wanted}
    taken = {offer for offer in found.values() if offer is not None}
    silent = {word for word in offered - taken if word.startswith(SILENT)}
    # Where QRESYNC is used, CONDSTORE is part of it (RFC 7162 section 3.2).
    implied = {"CONDSTORE"} & offered if "QRESYNC" in taken else set[str]()
    unoffered = sorted(word for word, offer in found.items() if offer is None)
    ignored = offered - taken - silent - implied
    return tuple(sorted(taken | implied)), tuple(sorted(ignored)), tuple(sorted(silent)), tuple(unoffered)


def _offer(word: str, offered: frozenset[str]) -> str | None:
    """The word under which a capability was offered."""
    if word in offered:
        return word
    if word == "LITERAL+" and "LITERAL-" in offered:
        return "LITERAL-"
    if word == "CONDSTORE" and "QRESYNC" in offered:
        return "QRESYNC"
    if word == "LIST-METADATA" and "METADATA" in offered:
        return "METADATA"
    if "IMAP4REV2" in offered and (word in IN_REV2 or word == "LITERAL+"):
        return "IMAP4REV2"
    relatives = (each for each in sorted(offered) if each.startswith((f"{word}=", f"{word}-SERVER")))
    return next(relatives, None)


def _of_body(body: Body) -> Iterator[str]:
    match body:
        case Authenticate():
            yield f"AUTH={text(body.mechanism).upper()}"
            if body.initial is not None:
                yield "SASL-IR"
        case Compress():
            yield f"COMPRESS={text(body.mechanism)}"
        case Enable():
            yield from (text(word).upper() for word in body.words)
        case Append() | Replace():
            yield from _of_append(body)
        case FetchCommand():
            yield from _of_fetch(body)
        case Store():
            yield from _of_names(each.name for each in body.modifiers or ())
        case List():
            yield from _of_list(body)
        case StatusCommand():
            yield from _of_names(body.items)
        case OnMailbox():
            yield from _of_names(b"QRESYNC" if isinstance(each, QResync) else each.name for each in body.params or ())
        case Search() | Sort() | ThreadCommand():
            yield from _of_search(body)
        case _:
            pass


def _of_names(names: Iterable[bytes]) -> Iterator[str]:
    return (_ITEMS[name.upper()] for name in names if name.upper() in _ITEMS)


def _of_append(body: Append | Replace) -> Iterator[str]:
    messages = (body.message,) if isinstance(body, Replace) else body.messages
    if len(messages) > 1:
        yield "MULTIAPPEND"
    for message in messages:
        if isinstance(message.data, Catenate):
            yield "CATENATE"
        elif isinstance(message.data, Utf8):
            yield "UTF8=ACCEPT"


def _of_fetch(body: FetchCommand) -> Iterator[str]:
    for attribute in body.attributes:
        name: bytes = getattr(attribute, "name", b"ANNOTATION")
        if isinstance(attribute, SectionAttribute) and name.startswith(b"BINARY"):
            yield "BINARY"
        yield from _of_names((name,))
    yield from _of_names(each.name for each in body.modifiers or ())
    if body.messages.saved:
        yield "SEARCHRES"


def _of_list(body: List) -> Iterator[str]:
    if body.select is not None or body.returned is not None or len(body.patterns) > 1:
        yield "LIST-EXTENDED"
    yield from _of_names(each.name for each in (*(body.select or ()), *(body.returned or ())))


def _of_search(body: Search | Sort | ThreadCommand) -> Iterator[str]:
    if isinstance(body, ThreadCommand):
        yield f"THREAD={text(body.algorithm).upper()}"
    elif body.returned is not None:
        yield "ESORT" if isinstance(body, Sort) else "ESEARCH"
        yield from _of_names(each.name for each in body.returned)
    if isinstance(body, Sort) and any(each.name.startswith(b"DISPLAY") for each in body.criteria):
        yield "SORT=DISPLAY"
    todo: list[AnyKey] = list(body.keys)
    while todo:
        key = todo.pop()
        if isinstance(key, (Or, And)):
            todo += key.keys
        elif isinstance(key, Not):
            todo.append(key.key)
        yield from _of_key(key)


def _of_key(key: AnyKey) -> Iterator[str]:
    if isinstance(key, ModSeqKey):
        yield "CONDSTORE"
    elif isinstance(key, SetKey):
        if key.messages.saved:
            yield "SEARCHRES"
    elif isinstance(key, (Key, NumberKey)) or hasattr(key, "name"):
        word = _KEYS.get(getattr(key, "name", b""))
        if word:
            yield word
