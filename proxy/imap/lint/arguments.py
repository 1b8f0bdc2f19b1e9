"""Which capabilities a command's arguments need."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from proxy.imap.grammar.append import Append, Catenate, Replace, Utf8
from proxy.imap.grammar.fetch_commands import FetchCommand, Store
from proxy.imap.grammar.listing import List
from proxy.imap.grammar.mailboxes import OnMailbox, QResync, StatusCommand
from proxy.imap.grammar.messages import Copy, UidExpunge
from proxy.imap.grammar.search_commands import ESearchCommand, Search, Sort, ThreadCommand
from proxy.imap.grammar.search_keys import (
    And,
    AnnotationKey,
    DateKey,
    Key,
    ModSeqKey,
    Not,
    NumberKey,
    Or,
    SetKey,
    StringKey,
)
from proxy.imap.lint.words import (
    FETCH_ITEMS,
    LIST_OPTIONS,
    MODIFIERS,
    PARAMETERS,
    RETURN_OPTIONS,
    SEARCH_KEYS,
    STATUS_ITEMS,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from proxy.imap.grammar.commands import Body
    from proxy.imap.grammar.search_keys import AnyKey

KEYS_MOST = 1000
"""Search keys of one command that are looked at."""


class Need(NamedTuple):
    """`word`, an argument of the kind `what`, needs one of `capabilities`."""

    what: str
    word: str
    capabilities: tuple[str, ...]


def needs(body: Body | None) -> Iterator[Need]:
    """All that a command's arguments need."""
    if isinstance(body, FetchCommand):
        yield from _known("FETCH item", (item_name(item) for item in body.attributes), FETCH_ITEMS)
        yield from _known("modifier", (each.name for each in body.modifiers or ()), MODIFIERS)
    elif isinstance(body, Store):
        yield from _known("modifier", (each.name for each in body.modifiers or ()), MODIFIERS)
    elif isinstance(body, OnMailbox):
        names = (b"QRESYNC" if isinstance(each, QResync) else each.name for each in body.params or ())
        yield from _known("parameter", names, PARAMETERS)
    elif isinstance(body, StatusCommand):
        yield from _known("STATUS item", body.items, STATUS_ITEMS)
    elif isinstance(body, List):
        yield from _list(body)
    elif isinstance(body, (Search, Sort, ThreadCommand, ESearchCommand)):
        yield from _search(body)
    elif isinstance(body, (Append, Replace)):
        yield from _append(body)
    if (isinstance(body, (FetchCommand, Store, Copy)) and body.messages.saved) or (
        isinstance(body, UidExpunge) and body.uids.saved
    ):
        yield Need("saved result", "$", ("SEARCHRES",))


def item_name(item: object) -> bytes:
    """The name of a FETCH item that a client asks for."""
    name = getattr(item, "name", b"ANNOTATION")
    return name if isinstance(name, bytes) else b""


def keys_of(keys: Iterable[AnyKey]) -> Iterator[AnyKey]:
    """All keys, those within others too, up to KEYS_MOST."""
    todo = list(keys)
    for _ in range(KEYS_MOST):
        if not todo:
            return
        key = todo.pop()
        yield key
        if isinstance(key, Not):
            todo.append(key.key)
        elif isinstance(key, (Or, And)):
            todo += key.keys


def _list(body: List) -> Iterator[Need]:
    options = (*(body.select or ()), *(body.returned or ()))
    yield from _known("LIST option", (option.name for option in options), LIST_OPTIONS)
    extended = body.select is not None or body.returned is not None or len(body.patterns) > 1
    if extended and not options:
        yield Need("LIST option", "LIST with options", ("LIST-EXTENDED",))


def _search(body: Search | Sort | ThreadCommand | ESearchCommand) -> Iterator[Need]:
    if isinstance(body, (Search, Sort)) and body.returned is not None:
        yield Need("RETURN", "RETURN", ("ESORT",) if isinstance(body, Sort) else ("ESEARCH",))
        yield from _known("RETURN", (option.name for option in body.returned), RETURN_OPTIONS)
    if isinstance(body, ThreadCommand):
        algorithm = body.algorithm.decode("ascii", "backslashreplace")
        yield Need("algorithm", algorithm, (f"THREAD={algorithm}",))
    for key in keys_of(body.keys):
        if isinstance(key, SetKey):
            if key.messages.saved:
                yield Need("saved result", "$", ("SEARCHRES",))
        else:
            yield from _known("search key", (_key_name(key),), SEARCH_KEYS)


def _key_name(key: AnyKey) -> bytes:
    if isinstance(key, ModSeqKey):
        return b"MODSEQ"
    if isinstance(key, AnnotationKey):
        return b"ANNOTATION"
    return key.name if isinstance(key, (Key, StringKey, DateKey, NumberKey, Not)) else b""


def _append(body: Append | Replace) -> Iterator[Need]:
    messages = body.messages if isinstance(body, Append) else (body.message,)
    if len(messages) > 1:
        yield Need("APPEND", "several messages", ("MULTIAPPEND",))
    if any(isinstance(message.data, Catenate) for message in messages):
        yield Need("APPEND", "CATENATE", ("CATENATE",))
    if any(isinstance(message.data, Utf8) for message in messages):
        yield Need("APPEND", "UTF8", ("UTF8=ACCEPT",))


def _known(what: str, names: Iterable[bytes], table: Mapping[bytes, tuple[str, ...]]) -> Iterator[Need]:
    for name in names:
        if name in table:
            yield Need(what, name.decode("ascii"), table[name])
