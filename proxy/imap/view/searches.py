"""What searches leave behind: `$`, results that are kept up to date, and the UIDs that they tell (M 3.7, 3.11)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.imap.grammar.codes import TagCode
from proxy.imap.grammar.search_commands import CancelUpdate, Search, Sort
from proxy.imap.grammar.search_keys import Key, SetKey
from proxy.imap.grammar.search_results import ESearch, Found
from proxy.imap.grammar.sets import SequenceSet
from proxy.imap.transcript import Certainty, readable
from proxy.imap.view.numbers import NUMBERS_MOST
from proxy.imap.view.values import SavedSearch

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from proxy.imap.grammar.codes import AnyCode
    from proxy.imap.grammar.responses import Data
    from proxy.imap.view.numbers import Numbers
    from proxy.imap.view.whose import Asked

SEARCHES = (Search, Sort)
CONTEXTS_MOST = 1000
"""Searches kept up to date that are remembered, the newest, and results of searches under way; servers allow a few."""


class Searches:
    """The searches of one selected mailbox."""

    def __init__(self) -> None:
        self.saved: SavedSearch | None = None
        self.contexts: dict[str, int] = {}
        self._results: dict[int, tuple[int | None, SequenceSet | None]] = {}

    def clear(self) -> None:
        """The mailbox was left."""
        self.saved = None
        self.contexts.clear()
        self._results.clear()

    def hear(self, data: Data, exchange: int, certainty: Certainty, asked: Asked | None, numbers: Numbers) -> None:
        """A result, and the command that it answers."""
        body = asked.body if asked else None
        if not isinstance(body, SEARCHES) or asked is None:
            return
        if isinstance(data, ESearch):
            count, messages = data.get(b"COUNT"), data.get(b"ALL")
            whole = messages if isinstance(messages, SequenceSet) else None
            self._results[exchange] = (count if isinstance(count, int) else None, whole)
            if len(self._results) > CONTEXTS_MOST:
                del self._results[next(iter(self._results))]
        if isinstance(body, Search) and body.uid and certainty is Certainty.SURE and asked.changes == numbers.changes:
            _tie(numbers, body, data)

    def complete(self, tag: bytes, exchange: int, status: str, asked: Asked | None) -> None:
        """A command has ended."""
        body = asked.body if asked else None
        count, messages = self._results.pop(exchange, (None, None))
        if isinstance(body, CancelUpdate) and status == "OK":
            for each in body.tags:
                self.contexts.pop(each.decode("latin-1") if isinstance(each, bytes) else "", None)
        if not isinstance(body, SEARCHES):
            return
        options = {option.name for option in body.returned or ()}
        if b"SAVE" in options and status == "OK":
            self.saved = SavedSearch(exchange, body.uid, count if count is not None else _size(messages), messages)
        elif b"SAVE" in options and status == "NO":  # RFC 5182 section 2.1: then it is empty
            self.saved = SavedSearch(exchange, body.uid, 0, None)
        if b"UPDATE" in options and status == "OK":
            self.contexts[tag.decode("latin-1")] = exchange
            if len(self.contexts) > CONTEXTS_MOST:
                del self.contexts[next(iter(self.contexts))]

    def hear_code(self, code: AnyCode) -> None:
        """NOUPDATE: a search is not kept up to date any more (RFC 5267 section 4.3)."""
        if isinstance(code, TagCode) and isinstance(code.tag, bytes):
            self.contexts.pop(code.tag.decode("latin-1"), None)


def shown_tag(tag: str) -> str:
    """A tag of `contexts` as text."""
    return readable(tag.encode("latin-1"))


def _tie(numbers: Numbers, body: Search, data: Data) -> None:
    """A search for all messages, or for some by number, has all of their UIDs as its result, or tells nothing."""
    if len(body.keys) != 1:
        return
    wanted = _wanted(body.keys[0], numbers.count)
    found = _found(data)
    if wanted is None or found is None or len(wanted) != len(found):
        return
    for number, uid in zip(wanted, found, strict=True):
        numbers.tie(number, uid)


def _wanted(key: object, count: int) -> list[int] | range | None:
    if count > NUMBERS_MOST:  # a server may say anything, and a range of more has no length
        return None
    if isinstance(key, Key) and key.name == b"ALL":
        return range(1, count + 1)
    if not isinstance(key, SetKey) or key.name or key.messages.saved:
        return None
    pairs = key.messages.normal(count)
    return list(_spread(pairs)) if pairs and pairs[0][0] > 0 and pairs[-1][1] <= count else None


def _found(data: Data) -> list[int] | None:
    if isinstance(data, Found) and data.word == b"SEARCH":
        return sorted(set(data.numbers))
    messages = data.get(b"ALL") if isinstance(data, ESearch) and data.uid else None
    if not isinstance(messages, SequenceSet) or (_size(messages) or 0) > NUMBERS_MOST:
        return None
    return list(_spread(messages.normal(0)))


def _spread(pairs: Iterable[tuple[int, int]]) -> Iterator[int]:
    for first, last in pairs:
        yield from range(first, last + 1)


def _size(messages: SequenceSet | None) -> int | None:
    if messages is None:
        return None
    return sum(last - first + 1 for first, last in messages.normal(0))
