"""URLAUTH (RFC 4467, RFC 5524): URLs that carry their own permission. They are secrets: the record has them masked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from proxy.imap.grammar.values import Ext, NString, String, write_ext

if TYPE_CHECKING:
    from proxy.imap.grammar.cursor import Cursor
    from proxy.imap.grammar.mailbox_names import Mailbox
    from proxy.imap.grammar.writer import Writer


@dataclass(frozen=True, slots=True)
class GenUrlAuth:
    """genurlauth-data: URLs with their tokens (RFC 4467 section 7)."""

    urls: tuple[String, ...]

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.raw(b"GENURLAUTH")
        for url in self.urls:
            w.sp()
            w.astring(url)


@dataclass(frozen=True, slots=True)
class UrlData:
    """A URL and what it leads to: NIL, its bytes, or with RFC 5524 what was asked for, as `(BINARY ~{5}…)`."""

    url: String
    data: NString = None
    extended: tuple[Ext, ...] = ()

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.astring(self.url)
        if not self.extended:
            w.sp()
            w.string(self.data)
        for value in self.extended:
            w.sp()
            write_ext(w, value)


@dataclass(frozen=True, slots=True)
class UrlFetch:
    """urlfetch-data."""

    urls: tuple[UrlData, ...]

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.raw(b"URLFETCH")
        for url in self.urls:
            w.sp()
            url.write(w)


@dataclass(frozen=True, slots=True)
class GenUrlAuthCommand:
    """The command GENURLAUTH: rumps of URLs, and mechanisms in capitals (RFC 4467 section 6)."""

    urls: tuple[tuple[String, bytes], ...]

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.raw(b"GENURLAUTH")
        for url, mechanism in self.urls:
            w.sp()
            w.astring(url)
            w.raw(b" " + mechanism)


@dataclass(frozen=True, slots=True)
class UrlFetchCommand:
    """The command URLFETCH: each URL with what is wanted of it in capitals, as BODYPARTSTRUCTURE (RFC 5524)."""

    urls: tuple[tuple[String, tuple[bytes, ...]], ...]

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.raw(b"URLFETCH")
        for url, wanted in self.urls:
            w.sp()
            if not wanted:
                w.astring(url)
                continue
            w.raw(b"(")
            w.astring(url)
            w.raw(b" " + b" ".join(wanted) + b")")


@dataclass(frozen=True, slots=True)
class ResetKey:
    """The command RESETKEY (RFC 4467 section 6)."""

    mailbox: Mailbox | None
    mechanisms: tuple[bytes, ...] = ()

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.raw(b"RESETKEY")
        if self.mailbox is not None:
            w.sp()
            self.mailbox.write(w)
        for mechanism in self.mechanisms:
            w.raw(b" " + mechanism)


def genurlauth_data(c: Cursor) -> GenUrlAuth:
    """genurlauth-data."""
    urls: list[String] = []
    while c.more():
        urls.append(c.astring())
    return GenUrlAuth(tuple(urls))


def urlfetch_data(c: Cursor) -> UrlFetch:
    """urlfetch-data (RFC 5524 section 4: url-metadata-el in parentheses)."""
    urls: list[UrlData] = []
    while c.more():
        url = c.astring()
        extended: list[Ext] = []
        c.sp()
        data: NString = None
        if c.at(b"("):
            extended.append(c.ext())
            while c.at(b" ("):
                c.sp()
                extended.append(c.ext())
        else:
            data = c.nstring()
        urls.append(UrlData(url, data, tuple(extended)))
    return UrlFetch(tuple(urls))


def genurlauth(c: Cursor) -> GenUrlAuthCommand:
    """The command genurlauth."""
    urls: list[tuple[String, bytes]] = []
    while c.more():
        url = c.astring()
        c.sp()
        urls.append((url, c.atom().upper()))
    return GenUrlAuthCommand(tuple(urls))


def urlfetch(c: Cursor) -> UrlFetchCommand:
    """The command urlfetch."""
    urls: list[tuple[String, tuple[bytes, ...]]] = []
    while c.more():
        if not c.accept(b"("):
            urls.append((c.astring(), ()))
            continue
        url = c.astring()
        wanted: list[bytes] = []
        while not c.accept(b")"):
            c.sp()
            wanted.append(c.word("what is wanted of the URL"))
        urls.append((url, tuple(wanted)))
    return UrlFetchCommand(tuple(urls))


def resetkey(c: Cursor) -> ResetKey:
    """The command resetkey."""
    if not c.more():
        return ResetKey(None)
    mailbox = c.mailbox()
    mechanisms: list[bytes] = []
    while c.more():
        mechanisms.append(c.atom().upper())
    return ResetKey(mailbox, tuple(mechanisms))
