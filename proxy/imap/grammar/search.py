"""search-key, for SEARCH and what else takes search keys: SORT, THREAD, ESEARCH (RFC 9051 section 6.4.4).

Keys within keys are read with a stack. Chains of OR, which clients build hundreds of terms long, are one `Or` of many
keys, whatever way they are nested: OR is associative.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from proxy.imap.grammar.search_keys import (
    And,
    AnnotationKey,
    AnyKey,
    DateKey,
    FlagKey,
    Key,
    ModSeqKey,
    Not,
    NumberKey,
    Or,
    SetKey,
    StringKey,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from proxy.imap.grammar.cursor import Cursor

OPEN_MOST = 100_000
"""Keys that wait for others within them: the terms of an OR chain, too."""
KEYS_DEEP = 40
"""Keys within AND, NOT and FUZZY, one in another; deeper ones stop the reading. OR chains do not count."""


class _Open:
    """A key that waits for the keys within it: "(" until ")", OR for two, NOT and FUZZY for one."""

    __slots__ = ("deep", "keys", "name", "wanted")

    def __init__(self, name: bytes, wanted: int) -> None:
        self.name, self.wanted = name, wanted
        self.keys: list[AnyKey | _Ors] = []
        self.deep = 0


class _Ors(deque[AnyKey]):
    """The keys of an OR that may become part of a larger one: joined small to large, so a chain costs n log n."""


def search_keys(c: Cursor) -> tuple[AnyKey, ...]:
    """search-key *(SP search-key), up to the line end."""
    keys: list[AnyKey] = [search_key(c)]
    while c.more():
        c.spend()
        keys.append(search_key(c))
    return tuple(keys)


def search_key(c: Cursor) -> AnyKey:
    """search-key (RFC 9051 section 9)."""
    stack: list[_Open] = []
    while True:
        key: AnyKey | _Ors | None = _open(c, stack)
        deep = 0
        while key is not None:
            if not stack:
                return _closed(key)
            top = stack[-1]
            top.keys.append(key)
            top.deep = max(top.deep, deep)
            if not _complete(c, top):
                break
            stack.pop()
            key, deep = _close(c, top)
        if key is not None:
            c.sp()


def _open(c: Cursor, stack: list[_Open]) -> AnyKey | None:
    """A whole key; or None, and one more on the stack."""
    c.spend()
    if len(stack) > OPEN_MOST:
        c.stop(f"at most {OPEN_MOST} open keys")
    if c.accept(b"("):
        c.spaces()
        stack.append(_Open(b"(", 0))
        return None
    if (messages := c.match_set()) is not None:
        return SetKey(b"", messages)
    start = c.pos
    name = c.word("a search key")
    if name in _NESTING:
        c.sp()
        stack.append(_Open(name, _NESTING[name]))
        return None
    read = _READERS.get(name)
    if read is None:
        c.stop("a search key", start)
    return read(c, name)


def _complete(c: Cursor, top: _Open) -> bool:
    """Whether the key on top of the stack has all it wants; takes the ")" of a list."""
    if top.wanted:
        return len(top.keys) == top.wanted
    if c.at(b" )"):
        c.spaces()
    return c.accept(b")")


def _close(c: Cursor, top: _Open) -> tuple[AnyKey | _Ors, int]:
    """The key that is complete now, and how deep keys lie within it."""
    if top.name == b"OR":
        return _joined(top.keys), top.deep
    if top.name == b"(" and len(top.keys) == 1:
        return top.keys[0], top.deep
    if top.deep >= KEYS_DEEP:
        c.stop(f"at most {KEYS_DEEP} keys within each other")
    if top.name == b"(":
        return And(tuple(map(_closed, top.keys))), top.deep + 1
    return Not(top.name, _closed(top.keys[0])), top.deep + 1


def _joined(keys: list[AnyKey | _Ors]) -> _Ors:
    left, right = (key if isinstance(key, _Ors) else _Ors((key,)) for key in keys)
    if len(left) >= len(right):
        left.extend(right)
        return left
    right.extendleft(reversed(left))
    return right


def _closed(key: AnyKey | _Ors) -> AnyKey:
    return Or(tuple(key)) if isinstance(key, _Ors) else key


def _key(_: Cursor, name: bytes) -> AnyKey:
    return Key(name)


def _string(c: Cursor, name: bytes) -> AnyKey:
    c.sp()
    return StringKey(name, (c.astring(),))


def _two_strings(c: Cursor, name: bytes) -> AnyKey:
    c.sp()
    field = c.astring()
    c.sp()
    return StringKey(name, (field, c.astring()))


def _flag(c: Cursor, name: bytes) -> AnyKey:
    c.sp()
    return FlagKey(name, c.flag())


def _date(c: Cursor, name: bytes) -> AnyKey:
    c.sp()
    return DateKey(name, c.date())


def _number(c: Cursor, name: bytes) -> AnyKey:
    c.sp()
    return NumberKey(name, c.number64())


def _set(c: Cursor, name: bytes) -> AnyKey:
    c.sp()
    return SetKey(name, c.sequence_set())


def _modseq(c: Cursor, _: bytes) -> AnyKey:
    c.sp()
    if not c.at(b'"'):
        return ModSeqKey(c.number64())
    entry = c.quoted()
    c.sp()
    kind = c.word("priv, shared or all").lower()
    c.sp()
    return ModSeqKey(c.number64(), entry, kind)


def _annotation(c: Cursor, _: bytes) -> AnyKey:
    c.sp()
    entry = c.list_mailbox()
    c.sp()
    attribute = c.astring()
    c.sp()
    return AnnotationKey(entry, attribute, None if c.nil() else c.astring())


_NESTING = {b"OR": 2, b"NOT": 1, b"FUZZY": 1}
_READERS: dict[bytes, Callable[[Cursor, bytes], AnyKey]] = {
    **dict.fromkeys(
        b"ALL ANSWERED DELETED DRAFT FLAGGED NEW OLD RECENT SEEN UNANSWERED UNDELETED UNDRAFT UNFLAGGED UNSEEN "
        b"SAVEDATESUPPORTED".split(),
        _key,
    ),
    # RFC 9051; RFC 8474; RFC 5466; Gmail's own
    **dict.fromkeys(b"BCC BODY CC FROM SUBJECT TEXT TO EMAILID THREADID FILTER X-GM-RAW X-GM-LABELS".split(), _string),
    b"HEADER": _two_strings,
    **dict.fromkeys((b"KEYWORD", b"UNKEYWORD"), _flag),
    **dict.fromkeys(b"BEFORE ON SINCE SENTBEFORE SENTON SENTSINCE SAVEDBEFORE SAVEDON SAVEDSINCE".split(), _date),
    **dict.fromkeys(b"LARGER SMALLER OLDER YOUNGER X-GM-MSGID X-GM-THRID".split(), _number),
    **dict.fromkeys(b"UID UIDAFTER UIDBEFORE".split(), _set),
    b"MODSEQ": _modseq,
    b"ANNOTATION": _annotation,
}
"""Key in capitals -> what reads the rest of it."""
