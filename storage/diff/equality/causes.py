"""Why something is not the same, where that is known: sentences (M 10.12)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from storage.diff.equality.needs import needs

if TYPE_CHECKING:
    from storage.diff.equality.findings import Findings

OFFERED_BY: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("APPENDUID", "COPYUID", "UIDNOTSTICKY", "UID EXPUNGE"), ("UIDPLUS", "IMAP4REV2")),
    **dict.fromkeys(("HIGHESTMODSEQ", "NOMODSEQ", "MODSEQ", "MODIFIED"), ("CONDSTORE", "QRESYNC")),
    **dict.fromkeys(("MAILBOXID", "EMAILID", "THREADID"), ("OBJECTID",)),
    **dict.fromkeys(("VANISHED", "CLOSED"), ("QRESYNC", "IMAP4REV2")),
    **dict.fromkeys(("ESEARCH",), ("ESEARCH", "IMAP4REV2")),
    "LIST-STATUS": ("LIST-STATUS", "IMAP4REV2"),
    "PREVIEW": ("PREVIEW",),
    "SAVEDATE": ("SAVEDATE",),
    "SPECIAL-USE": ("SPECIAL-USE", "IMAP4REV2", "XLIST"),
    "CHILDREN": ("CHILDREN", "IMAP4REV2", "LIST-EXTENDED"),
    "APPENDLIMIT": ("APPENDLIMIT",),
    **dict.fromkeys(("BINARY", "BINARY.SIZE", "UNKNOWN-CTE"), ("BINARY", "IMAP4REV2")),
    **dict.fromkeys(("X-GM-MSGID", "X-GM-THRID", "X-GM-LABELS"), ("X-GM-EXT-1",)),
    **dict.fromkeys(("ANNOTATION", "ANNOTATIONS"), ("ANNOTATE-EXPERIMENT-1",)),
    "URLMECH": ("URLAUTH",),
    "SIZE": ("STATUS=SIZE", "IMAP4REV2"),
    **dict.fromkeys(
        ("CHANGEDSINCE", "UNCHANGEDSINCE", "SELECT CONDSTORE", "EXAMINE CONDSTORE"), ("CONDSTORE", "QRESYNC")
    ),
    "QRESYNC": ("QRESYNC",),
    "RETURN": ("ESEARCH", "ESORT", "IMAP4REV2"),
    "RETURN SAVE": ("SEARCHRES", "IMAP4REV2"),
    "RETURN PARTIAL": ("PARTIAL", "CONTEXT=SEARCH", "CONTEXT=SORT"),
    **dict.fromkeys(("RETURN UPDATE", "RETURN CONTEXT"), ("CONTEXT=SEARCH", "CONTEXT=SORT")),
    "LIST RETURN": ("LIST-EXTENDED", "IMAP4REV2"),
    "LIST STATUS": ("LIST-STATUS", "IMAP4REV2"),
    "LIST SPECIAL-USE": ("SPECIAL-USE", "IMAP4REV2"),
    "LIST MYRIGHTS": ("LIST-MYRIGHTS",),
    "LIST METADATA": ("LIST-METADATA",),
    "CREATE USE": ("CREATE-SPECIAL-USE",),
    "MULTIAPPEND": ("MULTIAPPEND",),
    "BINARY.PEEK": ("BINARY", "IMAP4REV2"),
    "DELETED": ("QUOTA=RES-MESSAGE", "QUOTA", "IMAP4REV2"),
    # commands
    **dict.fromkeys(("MOVE", "UID MOVE"), ("MOVE", "IMAP4REV2")),
    **dict.fromkeys(("SORT", "UID SORT"), ("SORT",)),
    **dict.fromkeys(("THREAD", "UID THREAD"), ("THREAD=REFERENCES", "THREAD=ORDEREDSUBJECT", "THREAD=REFS")),
    **dict.fromkeys(("GETQUOTA", "GETQUOTAROOT", "SETQUOTA", "QUOTA", "QUOTAROOT"), ("QUOTA",)),
    **dict.fromkeys(("GETACL", "SETACL", "DELETEACL", "LISTRIGHTS", "MYRIGHTS", "ACL"), ("ACL",)),
    **dict.fromkeys(("GETMETADATA", "SETMETADATA", "METADATA"), ("METADATA", "METADATA-SERVER")),
    "IDLE": ("IDLE", "IMAP4REV2"),
    "UNSELECT": ("UNSELECT", "IMAP4REV2"),
    "NAMESPACE": ("NAMESPACE", "IMAP4REV2"),
    "ENABLE": ("ENABLE", "IMAP4REV2"),
    "ID": ("ID",),
    "NOTIFY": ("NOTIFY",),
    "XLIST": ("XLIST",),
    "COMPRESS": ("COMPRESS=DEFLATE",),
    **dict.fromkeys(("REPLACE", "UID REPLACE"), ("REPLACE",)),
    "UNAUTHENTICATE": ("UNAUTHENTICATE",),
    **dict.fromkeys(("GENURLAUTH", "URLFETCH", "RESETKEY"), ("URLAUTH",)),
}
"""A command, item, code or data word, and the capabilities any of which offers it (the first one is told)."""


_BY_NUMBER = frozenset(("FETCH", "STORE", "COPY", "MOVE", "REPLACE"))


def lacking(found: Findings, what: str) -> str:
    """That only one of the two servers offers it; "" where that is not so, or not known."""
    words = OFFERED_BY.get(what)
    one, other = found.left.before.capabilities, found.right.before.capabilities
    if words is None or not one or not other:
        return ""
    offers = [any(_has(each, word) for word in words) for each in (one, other)]
    if offers[0] == offers[1]:
        return ""
    return f"The {'left' if offers[1] else 'right'} server does not offer {words[0]}."


def refusal(found: Findings) -> str:
    """Why one of the two may have ended otherwise."""
    sides = (("left", found.left), ("right", found.right))
    for name, side in sides:
        if "literal refused" in side.exchange.marks:
            return f"The {name} server refused the literal."
    cause = lacking(found, found.left.exchange.command) or _asked(found)
    if cause:
        return cause
    if (found.left.before.mailbox is None) != (found.right.before.mailbox is None):
        name = "left" if found.left.before.mailbox is None else "right"
        return f"No mailbox is selected on the {name} side."
    return numbers_differ(found) if found.left.exchange.command in _BY_NUMBER else ""


def _asked(found: Findings) -> str:
    """That only one of the two offers what the command asks for."""
    command = found.left.command
    causes = (lacking(found, need) for need in needs(command.body)) if command else ()
    return next(filter(None, causes), "")


def numbers_differ(found: Findings) -> str:
    """That the selected mailbox has another number of messages."""
    one, other = found.left.before.exists, found.right.before.exists
    if one is None or other is None or one == other:
        return ""
    return f"The mailbox has {one} {_messages(one)} on the left side, {other} on the right."


def _messages(count: int) -> str:
    return "message" if count == 1 else "messages"


def _has(words: frozenset[str], word: str) -> bool:
    return word in words or (word == "QUOTA" and any(each.startswith("QUOTA=") for each in words))
