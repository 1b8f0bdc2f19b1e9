"""What the bytes of an exchange tell a filter, read with light means: flags, UIDs, capabilities, names of clients.

This is no grammar. Lines are cut at their ends and literals skipped by their announcements; quoted strings are passed
over, so that what a letter quotes is not taken for what a server said. Only FETCH, STORE, APPEND, ID and CAPABILITY
are looked at, in the forms of RFC 9051, RFC 2971 and RFC 9586; what is written in another way tells nothing.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from proxy.imap.grammar.dates import DateTime
from proxy.imap.grammar.utf7 import mailbox_name
from proxy.imap.transcript import BODY_MIN, readable

if TYPE_CHECKING:
    from collections.abc import Iterator

UID_MAX: Final = 2**32 - 1
"""RFC 9051, section 9: nz-number. Stands for `*`, too."""

Range = tuple[int, int]

_LITERAL: Final = re.compile(rb"~?\{(\d{1,10})[+-]?\}$")
_STATUS: Final = re.compile(rb"\S+ (?:OK|NO|BAD|BYE|PREAUTH)(?: |$)", re.IGNORECASE)
_FETCH: Final = re.compile(rb"\* \d+ (?:UID)?FETCH(?= |$)", re.IGNORECASE)
_QUOTED: Final = re.compile(rb'"(?:[^"\\]|\\.)*"')
_FLAGS: Final = re.compile(rb"[( ]FLAGS(?:\.SILENT)? \(([^()]*)\)", re.IGNORECASE)
_UID: Final = re.compile(rb"[( ]UID (\d{1,10})(?=[ )]|$)", re.IGNORECASE)
_UIDFETCH: Final = re.compile(rb"\* (\d{1,10}) UIDFETCH ", re.IGNORECASE)
_CAPABILITY: Final = re.compile(
    rb"\* CAPABILITY (.*)|\S+ (?:OK|PREAUTH) \[CAPABILITY ([^\]]*)\]", re.IGNORECASE | re.DOTALL
)

_INTERNALDATE: Final = re.compile(rb'[( ]INTERNALDATE "([^"\\]{1,40})"', re.IGNORECASE)

_SET: Final = re.compile(r"[\d*:,]+")
_STORE: Final = re.compile(r"(?:^|[ )])[+-]?FLAGS(?:\.SILENT)? (?:\(([^()]*)\)|([^()]+)$)", re.IGNORECASE)
_APPEND: Final = re.compile(r"[ }]\(([^()]*)\)")
_ID: Final = re.compile(r'"(?:name|version)" "((?:[^"\\]|\\.)*)"', re.IGNORECASE)


def fetched(server: bytes) -> tuple[frozenset[str], list[int]]:
    """Flags and UIDs in the FETCH responses of a server; `server` is without the content of literals of BODY_MIN."""
    flags, uids = set[bytes](), list[int]()
    for response in _responses(server) if _FETCH.search(server) else ():
        if _FETCH.match(response):
            text = _QUOTED.sub(b'""', response)
            for listed in _FLAGS.findall(text):
                flags.update(listed.split())
            uids += map(int, _UID.findall(text))
            uids += map(int, _UIDFETCH.findall(text))
    return frozenset(map(readable, flags)), uids


def received(server: bytes) -> list[DateTime]:
    """The INTERNALDATEs in the FETCH responses of a server."""
    if not _INTERNALDATE.search(server):
        return []
    responses = (response for response in _responses(server) if _FETCH.match(response))
    return [DateTime(date) for response in responses for date in _INTERNALDATE.findall(response)]


def announced(server: bytes) -> frozenset[str]:
    """Capabilities that a server announces."""
    words = set[bytes]()
    if b"CAPABILITY" in server.upper():
        for response in _responses(server):
            if match := _CAPABILITY.match(response):
                words.update((match[1] or match[2] or b"").split())
    return frozenset(map(readable, words))


def _responses(server: bytes) -> Iterator[bytes]:
    """Lines with what stands around their literals, but not what is in them."""
    position, so_far = 0, b""
    while position < len(server):
        end = server.find(b"\n", position)
        end = len(server) if end < 0 else end + 1
        line = server[position:end].rstrip(b"\r\n")
        free_text = not so_far and _STATUS.match(line)  # where braces announce nothing
        literal = None if free_text else _LITERAL.search(line)
        so_far += line
        if literal is None:
            yield so_far
            so_far = b""
        size = int(literal[1]) if literal else 0
        position = end + (size if size < BODY_MIN else 0)


def named_uids(command: str, arguments: str) -> list[Range]:
    """The UIDs that a UID command names with its first argument."""
    if not command.startswith("UID ") or command in {"UID SEARCH", "UID SORT", "UID THREAD"}:
        return []
    match = _SET.match(arguments)
    return [bounds for part in match[0].split(",") if (bounds := _range(part))] if match else []


def _range(part: str) -> Range | None:
    numbers = [UID_MAX if end == "*" else int(end) for end in part.split(":") if end == "*" or end.isdecimal()]
    known = [number for number in numbers if number <= UID_MAX]
    return (min(known), max(known)) if known and len(numbers) == len(known) else None


def named_flags(command: str, arguments: str) -> frozenset[str]:
    """The flags that a STORE or APPEND names."""
    name = command.removeprefix("UID ")
    text = re.sub(r'"(?:[^"\\]|\\.)*"', '""', arguments)
    if name == "STORE":
        match = _STORE.search(text)
        return frozenset((match[1] or match[2] or "").split()) if match else frozenset()
    if name == "APPEND":
        match = _APPEND.search(text)
        return frozenset(match[1].split()) if match else frozenset()
    return frozenset()


def mailbox_names(name: str) -> frozenset[str]:
    """A mailbox as it was written, and as it is read where that was modified UTF-7."""
    return frozenset({name, mailbox_name(name.encode())} if "&" in name and name.isascii() else {name})


def introduced(command: str, arguments: str) -> frozenset[str]:
    """Name and version that a client gives of itself (RFC 2971)."""
    if command != "ID":
        return frozenset()
    return frozenset(re.sub(r"\\(.)", r"\1", value) for value in _ID.findall(arguments) if value)


def merged(ranges: list[Range]) -> tuple[Range, ...]:
    """The same numbers in as few ranges as possible, rising."""
    joined: list[Range] = []
    for low, high in sorted(ranges):
        if joined and low <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(high, joined[-1][1]))
        else:
            joined.append((low, high))
    return tuple(joined)
