"""What the conversation has to know of the commands: their names, which name a mailbox, and what each may bring back.

The full grammar is elsewhere; this is only what pairing and attribution need (M 3.7-3.9, 3.15).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from proxy.imap.transcript import readable

_HEAD_MAX = 2048  # open exchanges keep it, and a line is looked at again while it grows
_HEAD = re.compile(rb"([^ \t\r\n]*)[ \t]+(?:([Uu][Ii][Dd])[ \t]+)?([^ \t\r\n({\"]+)(?:[ \t]+|(?=\r|\n|\Z)|(?=[({\"]))")
_TAG = re.compile(rb"[\x21\x23\x24\x26\x27\x2c-\x5b\x5d-\x7a\x7c\x7d\x7e]+")  # ASTRING-CHAR except "+" (RFC 9051)
_ASTRING = re.compile(rb'"((?:[^"\\]|\\.)*+)"|([^ \r\n(){"][^ \r\n]*)')

_NAMES_A_MAILBOX = frozenset(
    "SELECT EXAMINE CREATE DELETE RENAME SUBSCRIBE UNSUBSCRIBE STATUS APPEND GETACL SETACL DELETEACL LISTRIGHTS "
    "MYRIGHTS GETQUOTAROOT GETMETADATA SETMETADATA GETANNOTATION SETANNOTATION RESETKEY REPLACE".split()
)
_OF_NO_MAILBOX = frozenset(
    "CAPABILITY LOGIN AUTHENTICATE STARTTLS LOGOUT ID ENABLE LIST LSUB XLIST RLIST RLSUB NAMESPACE COMPRESS "
    "UNAUTHENTICATE GETQUOTA SETQUOTA NOTIFY GENURLAUTH URLFETCH LANGUAGE COMPARATOR JMAPACCESS ESEARCH "
    "XAPPLEPUSHSERVICE".split()
)
_OF_THE_SELECTED = frozenset(
    "NOOP CHECK CLOSE UNSELECT EXPUNGE SEARCH FETCH STORE COPY MOVE SORT THREAD IDLE CANCELUPDATE CONVERT "
    "SETANNOTATION REPLACE".split()
)
KNOWN = _NAMES_A_MAILBOX | _OF_NO_MAILBOX | _OF_THE_SELECTED | {"GETMETADATA", "CONVERSIONS", "XGMEXT"}
"""Command names that are certainly no secret typed by mistake."""

_MESSAGE = frozenset({"FETCH", "UID FETCH", "STORE", "UID STORE"})
SELECTS = frozenset({"SELECT", "EXAMINE"})
"""Commands that select a mailbox."""
_SEARCH = frozenset({"SEARCH", "UID SEARCH", "SORT", "UID SORT", "THREAD", "UID THREAD"})
_GONE = frozenset({"EXPUNGE", "UID EXPUNGE", "MOVE", "UID MOVE", "REPLACE", "UID REPLACE"})
_NEWS = frozenset({"IDLE", "NOOP", "CHECK"})

ASKED_BY: dict[str, frozenset[str]] = {
    "CAPABILITY": frozenset({"CAPABILITY", "LOGIN", "AUTHENTICATE", "STARTTLS", "ENABLE"}),
    "ENABLED": frozenset({"ENABLE"}),
    "ID": frozenset({"ID"}),
    "NAMESPACE": frozenset({"NAMESPACE"}),
    "LIST": frozenset({"LIST", "RLIST", "SELECT", "EXAMINE", "CREATE", "RENAME", "NOTIFY"}),
    "XLIST": frozenset({"XLIST"}),
    "LSUB": frozenset({"LSUB", "RLSUB"}),
    "STATUS": frozenset({"STATUS", "LIST", "NOTIFY"}),
    "MYRIGHTS": frozenset({"MYRIGHTS", "LIST"}),
    "ACL": frozenset({"GETACL"}),
    "LISTRIGHTS": frozenset({"LISTRIGHTS"}),
    "QUOTA": frozenset({"GETQUOTA", "SETQUOTA", "GETQUOTAROOT"}),
    "QUOTAROOT": frozenset({"GETQUOTAROOT"}),
    "METADATA": frozenset({"GETMETADATA", "LIST", "NOTIFY"}),
    "ANNOTATION": frozenset({"GETANNOTATION"}),
    "SEARCH": _SEARCH,
    "ESEARCH": _SEARCH | {"ESEARCH"},
    "SORT": _SEARCH,
    "THREAD": _SEARCH,
    "FETCH": _MESSAGE | _NEWS | {"SELECT", "EXAMINE"},
    "UIDFETCH": _MESSAGE | _NEWS,
    "VANISHED": _GONE | SELECTS | _NEWS | {"UID FETCH"},
    "EXPUNGE": _GONE | _NEWS,
    "EXISTS": SELECTS | _NEWS,
    "RECENT": SELECTS | _NEWS,
    "FLAGS": SELECTS | _NEWS,
    "GENURLAUTH": frozenset({"GENURLAUTH"}),
    "URLFETCH": frozenset({"URLFETCH"}),
    "CONVERSION": frozenset({"CONVERSIONS"}),
    "LANGUAGE": frozenset({"LANGUAGE"}),
    "COMPARATOR": frozenset({"COMPARATOR"}),
    "XAPPLEPUSHSERVICE": frozenset({"XAPPLEPUSHSERVICE"}),
    "BYE": frozenset({"LOGOUT"}),
}
"""Kind of untagged data -> commands that may have asked for it."""

CODE_ASKED_BY: dict[str, frozenset[str]] = {
    "COPYUID": frozenset({"MOVE", "UID MOVE", "COPY", "UID COPY"}),
    "APPENDUID": frozenset({"APPEND", "REPLACE", "UID REPLACE"}),
    "PERMANENTFLAGS": SELECTS,
    "UIDVALIDITY": SELECTS,
    "UIDNEXT": SELECTS,
    "UNSEEN": SELECTS,
    "HIGHESTMODSEQ": SELECTS | {"ENABLE", "FETCH", "UID FETCH"},
    "NOMODSEQ": SELECTS,
    "CLOSED": SELECTS,
    "MAILBOXID": SELECTS,
    "UIDNOTSTICKY": SELECTS,
    "READ-WRITE": SELECTS,
    "READ-ONLY": SELECTS,
    "ANNOTATIONS": SELECTS,
    "CAPABILITY": frozenset({"LOGIN", "AUTHENTICATE"}),
}
"""Response code of an untagged status -> commands that it belongs to (M 3.12, 3.13)."""

NEWS = _NEWS
"""Commands that a client sends to hear what is new."""


@dataclass(frozen=True, slots=True)
class CommandHead:
    """The start of a client line: tag, command name in capitals with "UID " in front where it was, and where the
    arguments start in the line. `legal` is False where no server could answer to this tag (M 3.3)."""

    tag: bytes
    name: str
    arguments: int
    legal: bool


def read_head(line: bytes) -> CommandHead:
    """Read tag and command name of a client line; never fails: a line of one word is a tag without a command."""
    match = _HEAD.match(line, 0, _HEAD_MAX)
    if match is None:
        word = line[:_HEAD_MAX].strip().split(b" ", 1)[0]
        return CommandHead(word, "", len(line), legal=False)
    name = readable(match[3].upper())
    if match[2]:
        name = "UID " + name
    return CommandHead(match[1], name, match.end(), _TAG.fullmatch(match[1]) is not None)


def unescape(quoted: bytes) -> bytes:
    """The content of a quoted string: `\\"` and `\\\\` undone, other backslashes kept (M 2.6)."""
    return re.sub(rb'\\(["\\])', rb"\1", quoted) if b"\\" in quoted else quoted


def first_argument(line: bytes, start: int, literal: bytes | None) -> bytes | None:
    """The first string argument of `line` from `start`: quoted, atom, or the unit's first literal's content."""
    match = _ASTRING.match(line, start)
    if match is None:
        return literal
    return unescape(match[1]) if match[1] is not None else match[2]


def names_mailbox(name: str) -> bool:
    """Whether the command's first argument is a mailbox."""
    return name.removeprefix("UID ") in _NAMES_A_MAILBOX and name not in {"UID REPLACE", "REPLACE"}


def of_selected(name: str) -> bool:
    """Whether the command works on the selected mailbox."""
    return name.removeprefix("UID ") in _OF_THE_SELECTED
