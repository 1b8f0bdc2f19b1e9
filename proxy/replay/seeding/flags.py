"""Flags of messages that were never told by FETCH, from searches for them and from the first unseen one."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from proxy.imap.grammar.search_commands import Search
from proxy.imap.grammar.search_keys import FlagKey, Key, Not
from proxy.imap.grammar.search_results import ESearch, Found
from proxy.imap.grammar.sets import SequenceSet
from proxy.replay.seeding.facts import few

if TYPE_CHECKING:
    from collections.abc import Iterable

    from proxy.imap.grammar.commands import Body
    from proxy.imap.grammar.responses import Data
    from proxy.imap.grammar.search_keys import AnyKey
    from proxy.replay.seeding.history import Mailbox, Message

_FLAGS = {word.upper(): b"\\" + word for word in b"Answered Deleted Draft Flagged Seen".split()}


class Wanted(NamedTuple):
    """A condition of a search: the flag, and whether a message has to have it."""

    flag: bytes
    has: bool


def search_told(body: Body | None, data: Data, mailbox: Mailbox, numbers: list[Message] | None) -> None:
    """What a search's result says of flags: of those found, and where it asked for nothing else, of all others too."""
    if not isinstance(body, Search):
        return
    found = _numbers(body, data)
    conditions = [_condition(key) for key in body.keys]
    if found is None or not all(conditions):
        return
    hits = _hits(found, mailbox, numbers, uid=body.uid)
    wanted = [each for each in conditions if isinstance(each, Wanted)]
    for each in wanted:
        for message in hits:
            message.knew(each.flag, has=each.has)
    if len(wanted) == 1 and numbers is not None and (not body.uid or all(each.uid for each in numbers)):
        for message in set(numbers) - hits:
            message.knew(wanted[0].flag, has=not wanted[0].has)


def unseen_told(numbers: list[Message], first: int) -> None:
    """The code UNSEEN of a SELECT: the first one without \\Seen (RFC 3501 section 7.1)."""
    if 0 < first <= len(numbers):
        for message in numbers[: first - 1]:
            message.knew(b"\\Seen", has=True)
        numbers[first - 1].knew(b"\\Seen", has=False)


def _numbers(body: Search, data: Data) -> Iterable[int] | None:
    """All numbers that were found; None where they are not all told."""
    if isinstance(data, Found) and data.word == b"SEARCH":
        return data.numbers
    if isinstance(data, ESearch) and body.returned is not None and data.mailbox is None:
        everything = not body.returned or any(option.name == b"ALL" for option in body.returned)
        told = data.get(b"ALL")
        if everything:
            return few(told) if isinstance(told, SequenceSet) else ()
    return None


def _condition(key: AnyKey) -> Wanted | bool:
    """What a key asks of flags; True where it asks nothing (ALL), False where it is of another kind."""
    if isinstance(key, Key):
        if key.name == b"ALL":
            return True
        if flag := _FLAGS.get(key.name):
            return Wanted(flag, has=True)
        if flag := _FLAGS.get(key.name.removeprefix(b"UN")):
            return Wanted(flag, has=False)
    elif isinstance(key, FlagKey):
        return Wanted(key.flag, has=key.name == b"KEYWORD")
    elif isinstance(key, Not) and key.name == b"NOT":
        inner = _condition(key.key)
        return Wanted(inner.flag, has=not inner.has) if isinstance(inner, Wanted) else False
    return False


def _hits(found: Iterable[int], mailbox: Mailbox, numbers: list[Message] | None, *, uid: bool) -> set[Message]:
    if uid:
        return {mailbox.by_uid[number] for number in found if number in mailbox.by_uid}
    return {numbers[number - 1] for number in found if numbers is not None and 0 < number <= len(numbers)}
