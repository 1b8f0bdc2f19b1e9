"""SEARCH, SORT, THREAD, ESEARCH, CANCELUPDATE (RFC 9051 section 6.4.4, RFC 5256, 5267, 7377)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from proxy.imap.grammar.search import search_keys
from proxy.imap.grammar.search_keys import AnyKey
from proxy.imap.grammar.values import Ext, Named, String, write_ext

if TYPE_CHECKING:
    from proxy.imap.grammar.cursor import Cursor
    from proxy.imap.grammar.writer import Writer


@dataclass(frozen=True, slots=True)
class ReturnOption(Named):
    """A search-return-opt: MIN, MAX, ALL, COUNT, SAVE, UPDATE, CONTEXT, or PARTIAL with its window (RFC 9394)."""


@dataclass(frozen=True, slots=True)
class Search:
    """The command SEARCH. `returned` is None without RETURN; `()` asks for ALL (RFC 9051 section 6.4.4)."""

    uid: bool
    keys: tuple[AnyKey, ...]
    charset: String | None = None
    returned: tuple[ReturnOption, ...] | None = None

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.raw(b"UID SEARCH" if self.uid else b"SEARCH")
        _write_return(w, self.returned)
        if self.charset is not None:
            w.raw(b" CHARSET ")
            w.astring(self.charset)
        _write_keys(w, self.keys)


@dataclass(frozen=True, slots=True)
class SortCriterion:
    """sort-criterion: ARRIVAL, CC, DATE, FROM, SIZE, SUBJECT, TO, DISPLAYFROM, DISPLAYTO, ANNOTATION (two strings)."""

    name: bytes
    reverse: bool = False
    annotation: tuple[String, String] | None = None

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.raw(b"REVERSE " if self.reverse else b"")
        w.raw(self.name)
        for string in self.annotation or ():
            w.sp()
            w.astring(string)


@dataclass(frozen=True, slots=True)
class Sort:
    """The command SORT (RFC 5256 section 3)."""

    uid: bool
    criteria: tuple[SortCriterion, ...]
    charset: String
    keys: tuple[AnyKey, ...]
    returned: tuple[ReturnOption, ...] | None = None

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.raw(b"UID SORT" if self.uid else b"SORT")
        _write_return(w, self.returned)
        w.sp()
        w.listed(self.criteria, w.value)
        w.sp()
        w.astring(self.charset)
        _write_keys(w, self.keys)


@dataclass(frozen=True, slots=True)
class ThreadCommand:
    """The command THREAD: algorithm in capitals, charset, keys (RFC 5256 section 3)."""

    uid: bool
    algorithm: bytes
    charset: String
    keys: tuple[AnyKey, ...]

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.raw((b"UID THREAD " if self.uid else b"THREAD ") + self.algorithm + b" ")
        w.astring(self.charset)
        _write_keys(w, self.keys)


@dataclass(frozen=True, slots=True)
class ESearchCommand:
    """The command ESEARCH: a search in several mailboxes (RFC 7377 section 2.1).

    `sources` are the words and names in `IN (…)`, as they stand.
    """

    sources: tuple[Ext, ...] | None
    keys: tuple[AnyKey, ...]
    charset: String | None = None
    returned: tuple[ReturnOption, ...] | None = None

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.raw(b"ESEARCH")
        if self.sources is not None:
            w.raw(b" IN ")
            write_ext(w, self.sources)
        _write_return(w, self.returned)
        if self.charset is not None:
            w.raw(b" CHARSET ")
            w.astring(self.charset)
        _write_keys(w, self.keys)


@dataclass(frozen=True, slots=True)
class CancelUpdate:
    """The command CANCELUPDATE: tags of searches (RFC 5267 section 4.3.3)."""

    tags: tuple[String, ...]

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.raw(b"CANCELUPDATE")
        for tag in self.tags:
            w.sp()
            w.string(tag)


def search(c: Cursor, *, uid: bool = False) -> Search:
    """The command search."""
    returned = _search_return_opts(c)
    charset = None
    c.sp()
    if _keyword(c, b"CHARSET"):
        charset = c.astring()
        c.sp()
    return Search(uid, search_keys(c), charset, returned)


def sort(c: Cursor, *, uid: bool = False) -> Sort:
    """The command sort."""
    returned = _search_return_opts(c)
    c.sp()
    criteria = c.parenthesised(lambda: _sort_criterion(c))
    c.sp()
    charset = c.astring()
    c.sp()
    return Sort(uid, criteria, charset, search_keys(c), returned)


def thread(c: Cursor, *, uid: bool = False) -> ThreadCommand:
    """The command thread."""
    c.sp()
    algorithm = c.atom().upper()
    c.sp()
    charset = c.astring()
    c.sp()
    return ThreadCommand(uid, algorithm, charset, search_keys(c))


def esearch(c: Cursor) -> ESearchCommand:
    """The command esearch."""
    sources: tuple[Ext, ...] | None = None
    mark = c.mark()
    c.sp()
    if _keyword(c, b"IN"):
        sources = c.parenthesised(c.ext)
    else:
        c.back(mark)
    returned = _search_return_opts(c)
    charset = None
    c.sp()
    if _keyword(c, b"CHARSET"):
        charset = c.astring()
        c.sp()
    return ESearchCommand(sources, search_keys(c), charset, returned)


def cancelupdate(c: Cursor) -> CancelUpdate:
    """The command cancelupdate."""
    tags: list[String] = []
    while c.more():
        tags.append(c.string())
    return CancelUpdate(tuple(tags))


def _keyword(c: Cursor, word: bytes) -> bool:
    """Takes the word and the space behind it, if they come next."""
    if c.data[c.pos : c.pos + len(word) + 1].upper() not in (word + b" ", word + b"("):
        return False
    c.pos += len(word)
    c.sp()
    return True


def _search_return_opts(c: Cursor) -> tuple[ReturnOption, ...] | None:
    """search-return-opts, with the space before them."""
    mark = c.mark()
    c.sp()
    if not _keyword(c, b"RETURN"):
        c.back(mark)
        return None
    return c.parenthesised(lambda: _return_option(c))


def _return_option(c: Cursor) -> ReturnOption:
    name = c.word("a return option")
    if name == b"PARTIAL":
        c.sp()
        return ReturnOption(name, c.partial_range())
    if c.at(b" ("):
        c.sp()
        return ReturnOption(name, c.ext())
    return ReturnOption(name)


def _sort_criterion(c: Cursor) -> SortCriterion:
    name = c.word("a sort criterion")
    reverse = name == b"REVERSE"
    if reverse:
        c.sp()
        name = c.word("a sort criterion")
    if name != b"ANNOTATION":
        return SortCriterion(name, reverse)
    c.sp()
    entry = c.astring()
    c.sp()
    return SortCriterion(name, reverse, (entry, c.astring()))


def _write_return(w: Writer, returned: tuple[ReturnOption, ...] | None) -> None:
    if returned is not None:
        w.raw(b" RETURN ")
        w.listed(returned, w.value)


def _write_keys(w: Writer, keys: tuple[AnyKey, ...]) -> None:
    for key in keys:
        w.sp()
        key.write(w)
