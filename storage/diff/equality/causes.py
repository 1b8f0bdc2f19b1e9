"""Why something is not the same, where that is known: sentences (M 10.12)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.imap.offers import Offers, wants

if TYPE_CHECKING:
    from storage.diff.equality.findings import Findings

OFFERED_BY: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("APPENDUID", "COPYUID", "UIDNOTSTICKY"), ("UIDPLUS",)),
    **dict.fromkeys(("HIGHESTMODSEQ", "NOMODSEQ", "MODSEQ", "MODIFIED"), ("CONDSTORE",)),
    **dict.fromkeys(("MAILBOXID", "EMAILID", "THREADID"), ("OBJECTID",)),
    **dict.fromkeys(("VANISHED", "CLOSED"), ("QRESYNC", "IMAP4REV2")),
    "ESEARCH": ("ESEARCH",),
    "LIST-STATUS": ("LIST-STATUS",),
    "PREVIEW": ("PREVIEW", "PREVIEW="),
    "SAVEDATE": ("SAVEDATE",),
    "SPECIAL-USE": ("SPECIAL-USE", "XLIST"),
    "CHILDREN": ("CHILDREN", "LIST-EXTENDED"),
    "APPENDLIMIT": ("APPENDLIMIT", "APPENDLIMIT="),
    **dict.fromkeys(("BINARY", "BINARY.SIZE", "UNKNOWN-CTE"), ("BINARY",)),
    **dict.fromkeys(("X-GM-MSGID", "X-GM-THRID", "X-GM-LABELS"), ("X-GM-EXT-1",)),
    **dict.fromkeys(("ANNOTATION", "ANNOTATIONS"), ("ANNOTATE-EXPERIMENT-1",)),
    "URLMECH": ("URLAUTH",),
    "SIZE": ("STATUS=SIZE",),
    "DELETED": ("QUOTA=RES-MESSAGE", "IMAP4REV2"),
    **dict.fromkeys(("QUOTA", "QUOTAROOT"), ("QUOTA",)),
    "ACL": ("ACL",),
    "METADATA": ("METADATA", "METADATA-SERVER"),
}
"""An item, a code or a data word that servers say, and the capabilities any of which offers it (the first one is told).

What commands need stands in `proxy.imap.offers`.
"""

_BY_NUMBER = frozenset(("FETCH", "STORE", "COPY", "MOVE", "REPLACE"))


def lacking(found: Findings, what: str) -> str:
    """That only one of the two servers offers it; "" where that is not so, or not known."""
    return _one_sided(found, OFFERED_BY[what]) if what in OFFERED_BY else ""


def _one_sided(found: Findings, capabilities: tuple[str, ...]) -> str:
    one, other = (Offers(side.before.capabilities).any(capabilities) for side in (found.left, found.right))
    if one == other:
        return ""
    return f"The {'left' if other else 'right'} server does not offer {capabilities[0].removesuffix('=')}."


def refusal(found: Findings) -> str:
    """Why one of the two may have ended otherwise."""
    sides = (("left", found.left), ("right", found.right))
    for name, side in sides:
        if "literal refused" in side.exchange.marks:
            return f"The {name} server refused the literal."
    if cause := _asked(found):
        return cause
    if (found.left.before.mailbox is None) != (found.right.before.mailbox is None):
        name = "left" if found.left.before.mailbox is None else "right"
        return f"No mailbox is selected on the {name} side."
    return numbers_differ(found) if found.left.exchange.command in _BY_NUMBER else ""


def _asked(found: Findings) -> str:
    """That only one of the two offers what the command asks for."""
    command = found.left.command
    if command is None:
        return ""
    wanted = wants(found.left.exchange.command, command.body, found.left.asks[0].unit)
    return next(filter(None, (_one_sided(found, need.capabilities) for need in wanted)), "")


def numbers_differ(found: Findings) -> str:
    """That the selected mailbox has another number of messages."""
    one, other = found.left.before.exists, found.right.before.exists
    if one is None or other is None or one == other:
        return ""
    return f"The mailbox has {one} {_messages(one)} on the left side, {other} on the right."


def _messages(count: int) -> str:
    return "message" if count == 1 else "messages"
