"""ENVELOPE (RFC 9051 section 7.5.2): strings as they stand, and what people read in them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from proxy.imap.grammar.encoded_words import decoded
from proxy.imap.grammar.quirks import Quirk
from proxy.imap.grammar.values import NString

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proxy.imap.grammar.cursor import Cursor
    from proxy.imap.grammar.writer import Writer


@dataclass(frozen=True, slots=True)
class Address:
    """address: name, source route, mailbox, host. A host of NIL opens a group, or with a mailbox of NIL ends it."""

    name: NString
    adl: NString
    mailbox: NString
    host: NString

    @property
    def text(self) -> str:
        """`Name <mailbox@host>` for people, encoded words undone."""
        name, mailbox, host = (view(part) for part in (self.name, self.mailbox, self.host))
        spec = f"{mailbox}@{host}" if self.host is not None else mailbox
        return f"{name} <{spec}>" if name else spec

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.listed((self.name, self.adl, self.mailbox, self.host), w.string)


Addresses = tuple[Address, ...] | None


@dataclass(frozen=True, slots=True)
class Envelope:
    """envelope: header fields of a message; None is NIL, `()` an empty list."""

    date: NString
    subject: NString
    sent_from: Addresses
    sender: Addresses
    reply_to: Addresses
    to: Addresses
    cc: Addresses
    bcc: Addresses
    in_reply_to: NString
    message_id: NString

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.raw(b"(")
        w.string(self.date)
        w.sp()
        w.string(self.subject)
        for addresses in (self.sent_from, self.sender, self.reply_to, self.to, self.cc, self.bcc):
            w.sp()
            _write_addresses(w, addresses)
        w.sp()
        w.string(self.in_reply_to)
        w.sp()
        w.string(self.message_id)
        w.raw(b")")


@dataclass(frozen=True, slots=True)
class Group:
    """A group of addresses (RFC 5322 section 3.4) as ENVELOPE spells it: its name, and who is in it."""

    name: NString
    members: tuple[Address, ...]


def view(string: NString) -> str:
    """A header string for people; NIL is empty, one that lies elsewhere `{size}`."""
    if string is None:
        return ""
    return decoded(string) if isinstance(string, bytes) else f"{{{string.size}}}"


def groups(addresses: Addresses) -> Iterator[Address | Group]:
    """The addresses with their groups put together; a group that never ends goes to the end."""
    name: NString = None
    members: list[Address] | None = None
    for address in addresses or ():
        if address.host is not None:
            if members is None:
                yield address
            else:
                members.append(address)
            continue
        if members is not None:
            yield Group(name, tuple(members))
        name, members = (address.mailbox, []) if address.mailbox is not None else (None, None)
    if members is not None:
        yield Group(name, tuple(members))


def envelope(c: Cursor) -> Envelope:
    """envelope; fields that are missing at its end are NIL."""
    start = c.pos
    c.spend(10)
    if match := c.match(_PLAIN_ENVELOPE):
        plain, values = _known_envelope(match)
        c.spend(values)
        return plain
    c.expect(b"(")
    c.spaces()
    strings: list[NString] = []
    lists: list[Addresses] = []
    for index in range(10):
        if c.at(b")"):
            break
        if index:
            c.sp()
        if c.at(b")"):
            break
        if index in _STRINGS:
            strings.append(c.nstring())
        else:
            lists.append(_addresses(c))
    c.spaces()
    c.expect(b")")
    if len(strings) + len(lists) < 10:
        c.note(Quirk.SHORT_ENVELOPE, start)
    strings += [None] * (4 - len(strings))
    lists += [None] * (6 - len(lists))
    date, subject, in_reply_to, message_id = strings
    sent_from, sender, reply_to, to, cc, bcc = lists
    return Envelope(date, subject, sent_from, sender, reply_to, to, cc, bcc, in_reply_to, message_id)


def _known_envelope(match: re.Match[bytes]) -> tuple[Envelope, int]:
    """One without anything odd, as most are, and how many values it has: read once, while it is remembered.

    Two servers have the same letters, and clients ask for the same ones again and again.
    """
    text = match[0]
    found = _known.get(text)
    if found is None:
        found = _plain_envelope(*match.groups())
        if len(text) <= _KNOWN_BYTES:
            if len(_known) >= _KNOWN_MOST:
                _known.clear()
            _known[text] = found
    return found


def _plain_envelope(date: bytes, subject: bytes, *others: bytes) -> tuple[Envelope, int]:
    *lists, in_reply_to, message_id = others
    people = [None if text == b"NIL" else _plain(text) for text in lists]
    sent_from, sender, reply_to, to, cc, bcc = people
    ends = (_plain_string(in_reply_to), _plain_string(message_id))
    strings = (_plain_string(date), _plain_string(subject))
    found = Envelope(*strings, sent_from, sender, reply_to, to, cc, bcc, *ends)
    return found, 10 + 10 * sum(map(len, filter(None, people)))


def _plain_string(text: bytes) -> NString:
    return None if text == b"NIL" else text[1:-1]


_KNOWN_MOST, _KNOWN_BYTES = 4096, 1000
_known: dict[bytes, tuple[Envelope, int]] = {}
_STRINGS = (0, 1, 8, 9)
_STRING = re.compile(rb'NIL|"[^"]*+"')
_TEXT = rb'(?:NIL|"[ !#-\[\]-~]{0,500}+")'
_LIST = rb"\((?:\(%s(?: %s){3}\)){1,4}+\)" % (_TEXT, _TEXT)
_PLAIN = re.compile(_LIST)
_PLAIN_ENVELOPE = re.compile(rb"\((%s) (%s)%s (%s) (%s)\)" % (_TEXT, _TEXT, rb" (NIL|%s)" % _LIST * 6, _TEXT, _TEXT))


def _addresses(c: Cursor) -> Addresses:
    """env-from and the like: `(address address …)` or NIL."""
    if c.nil():
        c.spend()
        return None
    start = c.pos
    if not c.at(b"("):  # `"someone@example.org"`
        mailbox = c.string()
        c.note(Quirk.BARE_ADDRESS, start)
        return (Address(None, None, mailbox, None),)
    if plain := c.match(_PLAIN):
        addresses = _plain(plain[0])
        c.spend(1 + 10 * len(addresses))
        return addresses
    c.expect(b"(")
    return c.run(lambda: _address(c))


@lru_cache(4096)
def _plain(text: bytes) -> tuple[Address, ...]:
    """Addresses without anything odd. The same few come again and again: sender and reply-to repeat from."""
    values = [None if value == b"NIL" else value[1:-1] for value in _STRING.findall(text)]
    return tuple(Address(*values[start : start + 4]) for start in range(0, len(values), 4))


def _address(c: Cursor) -> Address:
    start = c.pos
    if c.nil():
        c.note(Quirk.BARE_ADDRESS, start)
        return Address(None, None, None, None)
    parts = c.parenthesised(c.nstring)
    if len(parts) > 4:
        c.stop("an address", start)
    if len(parts) < 4:
        c.note(Quirk.SHORT_ADDRESS, start)
        parts += (None,) * (4 - len(parts))
    return Address(*parts)


def _write_addresses(w: Writer, addresses: Addresses) -> None:
    if addresses is None:
        w.raw(b"NIL")
        return
    w.raw(b"(")
    for address in addresses:
        address.write(w)
    w.raw(b")")
