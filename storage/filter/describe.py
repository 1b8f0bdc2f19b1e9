"""What a filter can ask of an exchange, worked out from what is stored: for the index, and where there is none.

When this changes, so must VERSION: an index made by another one is made anew.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import urlsplit

from proxy.imap.commands import read_head
from proxy.imap.transcript import readable
from storage.filter import content
from storage.filter.holds import Facts
from storage.filter.understood import instants, understood
from storage.filter.words import fold, said_words

if TYPE_CHECKING:
    from collections.abc import Iterable

    from storage.filter.content import Range
    from storage.filter.gather import Told

VERSION: Final = 3

Words = tuple[tuple[str, str], ...]
"""(fact, folded word), sorted, each once."""

_CUT: Final = "…"  # what was too long for `exchange.arguments`


class Described(NamedTuple):
    """One exchange; `told` are words that it tells of its session."""

    kind: Words
    mailbox: Words
    flags: Words
    uids: tuple[Range, ...]
    dates: tuple[int, ...]
    said: list[str]
    told: frozenset[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Place:
    """The session that an exchange is in. `address` is the client's; `words` are what is known of the session."""

    id: int
    recording_id: int
    recording: str
    number: int
    wall: int
    address: str
    words: Words


def describe(told: Told) -> Described:
    """All that can be asked of an exchange."""
    exchange = told.exchange
    arguments = exchange.arguments
    if arguments.endswith(_CUT):
        arguments = _arguments(told.client) or arguments
    flags, uids = content.fetched(told.server)
    flags |= content.named_flags(exchange.command, arguments)
    ranges = content.named_uids(exchange.command, arguments) + [(uid, uid) for uid in uids]
    caps = (("cap", fold(word)) for word in content.announced(told.server))
    names = (("client", fold(name)) for name in content.introduced(exchange.command, arguments))
    noticed = understood(told)
    dates = {*noticed.dates, *instants(content.received(told.server))}
    return Described(
        _kind(
            exchange.command, exchange.status, exchange.code, str(exchange.outcome), str(exchange.origin),
            exchange.responses, exchange.marks, told.certainties, told.events, noticed.quirks,
        ),
        _mailbox(exchange.mailbox),
        words(("flag", flag) for flag in flags),
        content.merged(ranges),
        tuple(sorted(dates)),
        said_words(f"{readable_text(told.client)} {readable_text(told.server)}"),
        frozenset((*caps, *names)),
    )  # fmt: skip


def readable_text(data: bytes) -> str:
    """Bytes as text to be cut into words."""
    return data.decode("utf-8", "replace")


def words(found: Iterable[tuple[str, str]]) -> Words:
    """Words folded, sorted, each once."""
    return tuple(sorted({(fact, fold(word)) for fact, word in found}))


def host_of(address: str) -> str:
    """An address without its port and brackets."""
    host, _, port = address.rpartition(":")
    return host.strip("[]") if host and port.isdecimal() else address


def session_words(upstream: str) -> Words:
    """What is known of a session before anything is said in it."""
    parts = urlsplit(upstream) if "://" in upstream else None
    servers = {upstream, *((parts.netloc, parts.hostname or upstream) if parts else ())}
    return words(("server", server) for server in servers)


def numbers(told: Told, described: Described, session: int) -> tuple[tuple[str, int, int], ...]:
    """(fact, from, to) of an exchange."""
    exchange = told.exchange
    amounts = {
        "client_bytes": exchange.client_bytes,
        "server_bytes": exchange.server_bytes,
        "bytes": exchange.client_bytes + exchange.server_bytes,
        "session": session,
    }
    if exchange.ended is not None:
        amounts["ms"] = exchange.ended - exchange.started
    whole = ((fact, amount, amount) for fact, amount in amounts.items())
    dates = (("internaldate", at, at) for at in described.dates)
    return (*whole, *(("uid", low, high) for low, high in described.uids), *dates)


def facts(told: Told, described: Described, place: Place) -> Facts:
    """All facts of an exchange, for `holds`."""
    own = words((
        ("tag", told.exchange.tag), ("recording", place.recording),
        ("client", place.address), ("client", host_of(place.address)),
    ))  # fmt: skip
    return Facts(
        (*described.kind, *described.mailbox, *described.flags, *own, *place.words),
        numbers(told, described, place.number),
        place.wall + told.exchange.started,
        f" {' '.join(described.said)} ",
    )


@functools.lru_cache(maxsize=4096)
def _kind(
    command: str, status: str | None, code: str | None, outcome: str, origin: str,
    responses: tuple[tuple[str, int], ...], marks: tuple[str, ...], certainties: frozenset[str], events: frozenset[str],
    quirks: frozenset[str],
) -> Words:  # fmt: skip
    commands = {command, command.removeprefix("UID ")} - {""}
    single = (("status", status), ("code", code and code.split(" ", 1)[0]), ("outcome", outcome), ("origin", origin))
    several = {"cmd": commands, "mark": marks, "certainty": certainties, "event": events, "quirk": quirks}
    return words((
        *((fact, word) for fact, word in single if word),
        *((fact, word) for fact, found in several.items() for word in found),
        *(("response", kind) for kind, _ in responses),
    ))  # fmt: skip


@functools.lru_cache(maxsize=4096)
def _mailbox(name: str | None) -> Words:
    return () if name is None else words(("mailbox", each) for each in content.mailbox_names(name))


def _arguments(client: bytes) -> str:
    line = client.split(b"\n", 1)[0].rstrip(b"\r")
    return readable(line[read_head(line).arguments :])
