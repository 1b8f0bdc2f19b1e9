"""What has to come before a command's OK (RFC 9051 sections 6 and 7)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.imap.grammar.capability import Enabled
from proxy.imap.grammar.codes import Code, CopyUid, NumberCode, OtherCode
from proxy.imap.grammar.mailboxes import MailboxStatus, OnMailbox, StatusCommand
from proxy.imap.grammar.resp_text_code import CODES
from proxy.imap.grammar.responses import Untagged
from proxy.imap.grammar.search_commands import Search, Sort
from proxy.imap.lint.heard import status_of
from proxy.imap.lint.known import enabled_words
from proxy.imap.lint.rules import ERROR, NOTE, WARNING, Family
from proxy.imap.transcript import Direction, readable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proxy.imap.lint.flights import Flight
    from proxy.imap.lint.heard import FromServer
    from proxy.imap.lint.known import Known
    from proxy.imap.lint.rules import Finding, Rule

FAMILY = Family("responses")
S = Direction.SERVER

SELECT_EXISTS = FAMILY.rule("select-without-exists", S, ERROR, "9051 6.3.2", "A mailbox is selected without EXISTS.")
SELECT_FLAGS = FAMILY.rule("select-without-flags", S, ERROR, "9051 6.3.2", "A mailbox is selected without FLAGS.")
SELECT_UIDVALIDITY = FAMILY.rule(
    "select-without-uidvalidity", S, ERROR, "9051 6.3.2", "A mailbox is selected without [UIDVALIDITY]."
)
SELECT_UIDNEXT = FAMILY.rule(
    "select-without-uidnext", S, WARNING, "9051 6.3.2", "A mailbox is selected without [UIDNEXT]."
)
SELECT_PERMANENT = FAMILY.rule(
    "select-without-permanentflags", S, WARNING, "9051 6.3.2", "A mailbox is selected without [PERMANENTFLAGS]."
)
SELECT_RECENT = FAMILY.rule(
    "select-without-recent", S, NOTE, "3501 6.3.1", "A mailbox is selected without RECENT, which IMAP4rev1 wants."
)
SELECT_MODE = FAMILY.rule(
    "select-without-access", S, WARNING, "9051 6.3.2",
    "The OK to SELECT says neither [READ-WRITE] nor [READ-ONLY].",
)  # fmt: skip
EXAMINE_MODE = FAMILY.rule(
    "examine-read-write", S, ERROR, "9051 6.3.3", "The OK to EXAMINE does not begin with [READ-ONLY]."
)
MISSING_CLOSED = FAMILY.rule(
    "missing-closed", S, ERROR, "7162 3.2.11",
    "A mailbox is selected in place of another, and [CLOSED] does not tell where the old one ends.",
)  # fmt: skip
MISSING_MODSEQ = FAMILY.rule(
    "select-without-modseq", S, ERROR, "7162 3.1.2.1",
    "A server with CONDSTORE selects a mailbox without [HIGHESTMODSEQ] or [NOMODSEQ].",
)  # fmt: skip
MISSING_SEARCH = FAMILY.rule("search-without-data", S, ERROR, "9051 6.4.4", "A search ends in OK without its result.")
MISSING_ESEARCH = FAMILY.rule(
    "search-without-esearch", S, ERROR, "4731 3.1", "A search with RETURN is not answered with ESEARCH."
)
MISSING_DATA = FAMILY.rule(
    "ok-without-data", S, ERROR, "9051 7", "The command ends in OK without the data it asks for."
)
ZERO_CODE = FAMILY.rule("uidvalidity-zero", S, ERROR, "9051 9", "[UIDVALIDITY] or [UIDNEXT] is 0.")
UNKNOWN_CODE = FAMILY.rule(
    "unknown-code", S, NOTE, "5530 6", "The response code is in no RFC that imaptap knows; told once each."
)
COPYUID_COUNTS = FAMILY.rule("copyuid-counts", S, ERROR, "4315 3", "COPYUID names more UIDs here than there, or fewer.")
STATUS_LACKS = FAMILY.rule(
    "status-lacks-item", S, WARNING, "9051 7.3.3", "STATUS data lacks an item that the command asks for."
)
ENABLED_UNASKED = FAMILY.rule("enabled-unasked", S, ERROR, "9051 7.2.1", "ENABLED names what no ENABLE asked for.")

_DATA = {
    "CAPABILITY": "CAPABILITY",
    "NAMESPACE": "NAMESPACE",
    "STATUS": "STATUS",
    "ID": "ID",
    "ENABLE": "ENABLED",
    "GETQUOTA": "QUOTA",
    "GETQUOTAROOT": "QUOTAROOT",
    "GETACL": "ACL",
    "MYRIGHTS": "MYRIGHTS",
    "LISTRIGHTS": "LISTRIGHTS",
}
"""Command -> data without which its OK is none."""

_CODES = frozenset(b"UNDEFINED-FILTER BADCOMPARATOR BADEVENT".split())
"""Codes of RFC 5466, 5255 and 5465 that the grammar reads like those of nobody."""
_SIMPLE = (
    ("EXISTS", SELECT_EXISTS),
    ("FLAGS", SELECT_FLAGS),
    ("[UIDVALIDITY]", SELECT_UIDVALIDITY),
    ("[UIDNEXT]", SELECT_UIDNEXT),
    ("[PERMANENTFLAGS]", SELECT_PERMANENT),
)


def server(heard: FromServer, known: Known) -> Iterator[Finding]:
    """What a server's answer lacks."""
    said, head = heard.said, heard.head
    yield from _code(heard, known)
    yield from _enabled(heard, known)
    flight = known.flight(said.exchange)
    if head.tag is None or head.status != "OK" or flight is None or known.lost or known.crowded:
        return
    if flight.name in {"SELECT", "EXAMINE"}:
        yield from (said.found(rule) for rule in _select(heard, flight, known))
    elif isinstance(flight.body, (Search, Sort)):
        yield from _search(heard, flight)
    elif (data := _DATA.get(flight.name)) and not flight.seen[data] and not _enables_nothing(flight, known):
        yield said.found(MISSING_DATA, detail=f"{flight.name} without {data}")


def _select(heard: FromServer, flight: Flight, known: Known) -> Iterator[Rule]:
    seen, code = flight.seen, heard.head.code
    yield from (rule for word, rule in _SIMPLE if not seen[word])
    if not seen["RECENT"] and "IMAP4REV2" not in known.state.enabled and not known.offers("IMAP4REV2"):
        yield SELECT_RECENT
    if flight.name == "EXAMINE" and code != "READ-ONLY":
        yield EXAMINE_MODE
    elif code not in {"READ-ONLY", "READ-WRITE"}:
        yield SELECT_MODE
    boundary = known.offers("QRESYNC") or "IMAP4REV2" in known.state.enabled
    if flight.was_selected and boundary and not seen["[CLOSED]"]:
        yield MISSING_CLOSED
    modseq = seen["[HIGHESTMODSEQ]"] or seen["[NOMODSEQ]"]
    if not modseq and known.offers("CONDSTORE") and _knows_condstore(flight, known):
        yield MISSING_MODSEQ


def _enables_nothing(flight: Flight, known: Known) -> bool:
    """Whether an ENABLE names only what the server does not have: some say nothing then, as Dovecot does."""
    words = enabled_words(flight.body)
    return bool(words) and not any(known.offers(word) for word in words)


def _knows_condstore(flight: Flight, known: Known) -> bool:
    """Whether the client has shown that it knows CONDSTORE, so that the server has to tell (RFC 7162 section 3.1)."""
    params = flight.body.params if isinstance(flight.body, OnMailbox) else None
    return bool(params) or bool(known.state.enabled & {"CONDSTORE", "QRESYNC"})


def _search(heard: FromServer, flight: Flight) -> Iterator[Finding]:
    body, seen = flight.body, flight.seen
    if not isinstance(body, (Search, Sort)):
        return
    word = "SORT" if isinstance(body, Sort) else "SEARCH"
    if body.returned is None:
        if not seen[word] and not seen["ESEARCH"]:
            yield heard.said.found(MISSING_SEARCH, detail=f"neither {word} nor ESEARCH")
    elif {option.name for option in body.returned} != {b"SAVE"} and not seen["ESEARCH"]:
        yield heard.said.found(MISSING_ESEARCH)


def _code(heard: FromServer, known: Known) -> Iterator[Finding]:
    said = heard.said
    status = status_of(heard.value)
    code = status.code if status else None
    if isinstance(code, NumberCode) and code.name in {b"UIDVALIDITY", b"UIDNEXT"} and code.number == 0:
        yield said.found(ZERO_CODE)
    elif isinstance(code, (Code, OtherCode)) and code.name and code.name.upper() not in CODES.keys() | _CODES:
        if known.first_time("unknown-code", repr(code.name.upper())):
            yield said.found(UNKNOWN_CODE, detail=readable(code.name))
    elif isinstance(code, CopyUid):
        counts = [sum(last - first + 1 for first, last in part.normal(0)) for part in (code.source, code.target)]
        if counts[0] != counts[1]:
            yield said.found(COPYUID_COUNTS, detail=f"{counts[0]} and {counts[1]}")


def _enabled(heard: FromServer, known: Known) -> Iterator[Finding]:
    data = heard.value.data if isinstance(heard.value, Untagged) else None
    if isinstance(data, Enabled):
        asked = frozenset(word for flight in known.flights.named("ENABLE") for word in enabled_words(flight.body))
        extra = [word for word in data.words if word.decode("ascii", "replace").upper() not in asked]
        # CONDSTORE is enabled with QRESYNC (RFC 7162 section 3.2.3).
        if extra and not (asked & {"QRESYNC"} and {word.upper() for word in extra} <= {b"CONDSTORE"}):
            yield heard.said.found(ENABLED_UNASKED)
    elif isinstance(data, MailboxStatus):
        flight = known.flight(heard.said.exchange)
        body = flight.body if flight else None
        missing = (
            set(body.items) - {name for name, _ in data.items} if isinstance(body, StatusCommand) else set[bytes]()
        )
        if missing:
            yield heard.said.found(STATUS_LACKS, detail=", ".join(sorted(readable(word) for word in missing)))
