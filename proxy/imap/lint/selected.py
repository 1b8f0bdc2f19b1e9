"""Message numbers, counts and what is said of the selected mailbox (RFC 9051 sections 5.2, 7.4 and 7.5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.imap.grammar.fetch import Fetch
from proxy.imap.grammar.fetch_commands import FetchCommand, SectionAttribute, Store, StoreFlags
from proxy.imap.grammar.fetch_items import Content, Flags, NumberItem
from proxy.imap.grammar.messages import Copy, Count, Vanished
from proxy.imap.grammar.responses import Untagged
from proxy.imap.grammar.search_commands import Search
from proxy.imap.grammar.search_keys import SetKey
from proxy.imap.grammar.sections import Section
from proxy.imap.grammar.values import Absent
from proxy.imap.lint.rules import ERROR, WARNING, Family
from proxy.imap.state import Phase
from proxy.imap.transcript import Certainty, Direction

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proxy.imap.grammar.sets import SequenceSet
    from proxy.imap.lint.heard import FromClient, FromServer
    from proxy.imap.lint.known import Known
    from proxy.imap.lint.rules import Finding

FAMILY = Family("messages")
C, S = Direction.CLIENT, Direction.SERVER

ZERO = FAMILY.rule("number-zero", C, ERROR, "9051 9", "A set has the number 0, which no message and no UID has.")
BEYOND = FAMILY.rule(
    "number-beyond-exists", C, WARNING, "9051 9",
    "A message number is larger than the number of messages in the mailbox.",
)  # fmt: skip
NUMBERS_BEHIND = FAMILY.rule(
    "numbers-behind-command", C, WARNING, "9051 5.5",
    "Message numbers are used while a command is in flight that may bring EXPUNGE, which changes them.",
)  # fmt: skip
STORES_RECENT = FAMILY.rule("stores-recent", C, ERROR, "3501 2.3.2", "A client sets \\Recent, which only servers do.")
WINDOW = FAMILY.rule("partial-of-nothing", C, ERROR, "9051 9", "A part of 0 bytes is asked for.")
EXISTS_SHRINKS = FAMILY.rule(
    "exists-shrinks", S, ERROR, "9051 7.4.1", "EXISTS is smaller than before, without an EXPUNGE."
)
EXPUNGE_BEYOND = FAMILY.rule(
    "expunge-beyond-exists", S, ERROR, "9051 7.5.1", "EXPUNGE is about a message that is not there."
)
FETCH_BEYOND = FAMILY.rule(
    "fetch-beyond-exists", S, ERROR, "9051 7.5.2", "FETCH data is about a message that is not there."
)
FETCH_ZERO = FAMILY.rule("message-zero", S, ERROR, "9051 9", "Data is about message 0.")
EXPUNGE_UNASKED = FAMILY.rule(
    "expunge-unasked", S, ERROR, "9051 7.5.1", "EXPUNGE is sent while no command is in progress."
)
EXPUNGE_DURING = FAMILY.rule(
    "expunge-during-fetch", S, ERROR, "9051 7.5.1", "EXPUNGE is sent while only FETCH, STORE or SEARCH are in progress."
)
EXPUNGE_QRESYNC = FAMILY.rule(
    "expunge-despite-qresync",
    S,
    ERROR,
    "7162 3.2.10",
    "EXPUNGE is sent though QRESYNC is enabled: it must be VANISHED.",
)
VANISHED_UNASKED = FAMILY.rule(
    "vanished-unasked", S, ERROR, "7162 3.2.10", "VANISHED is sent, and neither QRESYNC nor UIDONLY is enabled."
)
NOT_SELECTED = FAMILY.rule(
    "message-data-unselected", S, ERROR, "9051 3", "Data about messages is sent while no mailbox is selected."
)
WITHOUT_UID = FAMILY.rule("fetch-without-uid", S, ERROR, "9051 6.4.9", "The answer to a UID FETCH has no UID in it.")
UID_ZERO = FAMILY.rule("uid-zero", S, ERROR, "9051 2.3.1.1", "A message has the UID 0.")

UID_ORDER = FAMILY.rule(
    "uid-order", S, ERROR, "9051 2.3.1.1", "UIDs do not ascend with message numbers, or that of a message has changed."
)
SIZE = FAMILY.rule(
    "size-mismatch",
    S,
    WARNING,
    "9051 2.3.4",
    "RFC822.SIZE is not the size of the message that comes with it, as with Exchange.",
)

_KEEPS_NUMBERS = frozenset({"FETCH", "STORE", "SEARCH"})
_NUMBERS_LAST = frozenset({"LOGIN", "AUTHENTICATE", "CAPABILITY", "ID", "ENABLE", "SELECT", "EXAMINE"})
"""Commands after which pipelined message numbers are about a mailbox that nobody has seen: other rules judge those."""


def client(heard: FromClient, known: Known) -> Iterator[Finding]:
    """What is wrong with the numbers that a client uses."""
    said, body = heard.said, heard.body
    numbers = _numbers(heard)
    for messages in (*numbers, *_uids(heard)):
        if any(0 in pair for pair in messages.ranges):
            yield said.found(ZERO)
            break
    if numbers and not known.lost:
        yield from _numbered(heard, numbers, known)
    if isinstance(body, Store) and isinstance(body.change, StoreFlags):
        if any(isinstance(flag, bytes) and flag.upper() == b"\\RECENT" for flag in body.change.flags):
            yield said.found(STORES_RECENT)
    elif isinstance(body, FetchCommand):
        for item in body.attributes:
            if isinstance(item, SectionAttribute) and item.window and item.window[1] == 0:
                yield said.found(WINDOW)
                break


def _numbered(heard: FromClient, numbers: tuple[SequenceSet, ...], known: Known) -> Iterator[Finding]:
    if known.flights.besides(_KEEPS_NUMBERS | _NUMBERS_LAST):
        yield heard.said.found(NUMBERS_BEHIND)
    elif known.exists is not None and not known.flights and known.phase is Phase.SELECTED:
        largest = max((end or 0 for messages in numbers for pair in messages.ranges for end in pair), default=0)
        if largest > known.exists:
            yield heard.said.found(BEYOND, detail=f"{largest} of {known.exists}")


def _numbers(heard: FromClient) -> tuple[SequenceSet, ...]:
    """The sets of message numbers that a command names."""
    body = heard.body
    if isinstance(body, (FetchCommand, Store, Copy)):
        return () if body.uid else (body.messages,)
    if isinstance(body, Search) and not body.uid:
        return tuple(key.messages for key in body.keys if isinstance(key, SetKey) and not key.name)
    return ()


def _uids(heard: FromClient) -> tuple[SequenceSet, ...]:
    body = heard.body
    if isinstance(body, (FetchCommand, Store, Copy)) and body.uid:
        return (body.messages,)
    return ()


def server(heard: FromServer, known: Known) -> Iterator[Finding]:
    """What is wrong with what a server says about messages."""
    said, value = heard.said, heard.value
    data = value.data if isinstance(value, Untagged) else None
    if not isinstance(data, (Count, Fetch, Vanished)) or known.lost:
        return
    if known.phase is not Phase.SELECTED and not known.selecting:
        yield said.found(NOT_SELECTED)
        return
    if isinstance(data, Vanished):
        asked = known.running(("UID FETCH",)) or known.selecting
        if not known.qresync and not {"QRESYNC", "UIDONLY"} & known.state.enabled and not (data.earlier and asked):
            yield said.found(VANISHED_UNASKED)
    elif isinstance(data, Fetch):
        yield from _fetch(heard, data, known)
    elif data.word == b"EXPUNGE":
        yield from _expunge(heard, data.number, known)
    elif data.word == b"EXISTS" and not known.selecting and known.exists is not None and data.number < known.exists:
        yield said.found(EXISTS_SHRINKS, detail=f"from {known.exists} to {data.number}")


def _expunge(heard: FromServer, number: int, known: Known) -> Iterator[Finding]:
    said = heard.said
    if number == 0:
        yield said.found(FETCH_ZERO)
    elif known.exists is not None and number > known.exists and not known.selecting:
        yield said.found(EXPUNGE_BEYOND, detail=f"{number} of {known.exists}")
    if known.qresync:
        yield said.found(EXPUNGE_QRESYNC)
    if known.notified:  # which allows it at any time (RFC 5465 section 5)
        return
    if not known.flights:
        yield said.found(EXPUNGE_UNASKED)
    elif not known.flights.besides(_KEEPS_NUMBERS):
        yield said.found(EXPUNGE_DURING)


def _fetch(heard: FromServer, data: Fetch, known: Known) -> Iterator[Finding]:
    said = heard.said
    uid = data.get(b"UID")
    if data.number == 0:
        yield said.found(FETCH_ZERO)
    elif not data.uid and known.exists is not None and data.number > known.exists and not known.selecting:
        yield said.found(FETCH_BEYOND, detail=f"{data.number} of {known.exists}")
    if isinstance(uid, NumberItem) and uid.number == 0:
        yield said.found(UID_ZERO)
    elif isinstance(uid, NumberItem) and not data.uid and known.last_uid and not known.selecting:
        number, before = known.last_uid
        if (data.number > number) != (uid.number > before) or (data.number == number) != (uid.number == before):
            yield said.found(UID_ORDER, detail=f"{before} of message {number}, {uid.number} of message {data.number}")
    yield from _size(heard, data)
    asked = said.exchange is not None and said.exchange.command == "UID FETCH" and said.certainty is Certainty.SURE
    news = all(isinstance(item, Flags) or item.name == b"MODSEQ" for item in data.items)
    if asked and uid is None and not data.uid and not news:
        yield said.found(WITHOUT_UID)


def _size(heard: FromServer, data: Fetch) -> Iterator[Finding]:
    size = data.get(b"RFC822.SIZE")
    for item in data.items:
        if not isinstance(size, NumberItem) or not isinstance(item, Content) or item.origin is not None:
            continue
        whole = item.name == b"RFC822" or (item.name == b"BODY" and item.section == Section())
        content = item.data
        there = content.size if isinstance(content, Absent) else len(content or b"")
        if whole and content is not None and there != size.number:
            yield heard.said.found(SIZE, detail=f"{size.number}, and {there} bytes come")
            return
