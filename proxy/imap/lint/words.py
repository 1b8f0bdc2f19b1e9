"""Capability words: what each stands for, and which commands and arguments need which."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

REV2 = frozenset(
    "NAMESPACE UNSELECT UIDPLUS ESEARCH SEARCHRES ENABLE IDLE SASL-IR LIST-EXTENDED LIST-STATUS MOVE LITERAL- BINARY "
    "SPECIAL-USE STATUS=SIZE CHILDREN".split()
)
"""What IMAP4rev2 has in itself (RFC 9051 appendix E)."""

_IMPLIED = {
    "IMAP4REV2": REV2,
    "QRESYNC": frozenset({"CONDSTORE", "ENABLE"}),
    "CONDSTORE": frozenset({"ENABLE"}),
    "UTF8=ACCEPT": frozenset({"ENABLE"}),
    "UTF8=ONLY": frozenset({"UTF8=ACCEPT", "ENABLE"}),
    "UIDONLY": frozenset({"ENABLE"}),
    "METADATA": frozenset({"METADATA-SERVER"}),
    "CONTEXT=SEARCH": frozenset({"ESEARCH"}),
    "CONTEXT=SORT": frozenset({"ESORT"}),
    "SORT=DISPLAY": frozenset({"SORT"}),
    "QUOTASET": frozenset({"QUOTA"}),
}


def expanded(words: Iterable[str]) -> frozenset[str]:
    """The words, and those that they imply."""
    found = set(words)
    for word in tuple(found):
        found |= _IMPLIED.get(word, frozenset())
        if word.startswith("QUOTA=RES-"):
            found.add("QUOTA")
    return frozenset(found)


_QUOTA = ("QUOTA",)
COMMANDS: dict[str, tuple[str, ...]] = {
    "IDLE": ("IDLE",),
    "NAMESPACE": ("NAMESPACE",),
    "UNSELECT": ("UNSELECT",),
    "UID EXPUNGE": ("UIDPLUS",),
    "MOVE": ("MOVE",),
    "UID MOVE": ("MOVE",),
    "ID": ("ID",),
    "ENABLE": ("ENABLE",),
    "COMPRESS": ("COMPRESS=",),
    "STARTTLS": ("STARTTLS",),
    **dict.fromkeys(("SORT", "UID SORT"), ("SORT",)),
    **dict.fromkeys(("THREAD", "UID THREAD"), ("THREAD=",)),
    **dict.fromkeys(("GETQUOTA", "GETQUOTAROOT"), _QUOTA),
    "SETQUOTA": _QUOTA,
    **dict.fromkeys(("GETACL", "SETACL", "DELETEACL", "LISTRIGHTS", "MYRIGHTS"), ("ACL",)),
    **dict.fromkeys(("GETMETADATA", "SETMETADATA"), ("METADATA", "METADATA-SERVER")),
    **dict.fromkeys(("REPLACE", "UID REPLACE"), ("REPLACE",)),
    **dict.fromkeys(("GENURLAUTH", "RESETKEY", "URLFETCH"), ("URLAUTH",)),
    "NOTIFY": ("NOTIFY",),
    "UNAUTHENTICATE": ("UNAUTHENTICATE",),
    "ESEARCH": ("MULTISEARCH",),
    "CANCELUPDATE": ("CONTEXT=",),
    "XLIST": ("XLIST",),
    "XAPPLEPUSHSERVICE": ("XAPPLEPUSHSERVICE",),
    **dict.fromkeys(("RLIST", "RLSUB"), ("MAILBOX-REFERRALS",)),
    "LANGUAGE": ("LANGUAGE",),
    "COMPARATOR": ("I18NLEVEL=2",),
    **dict.fromkeys(("CONVERT", "UID CONVERT", "CONVERSIONS"), ("CONVERT",)),
    **dict.fromkeys(("GETANNOTATION", "SETANNOTATION"), ("ANNOTATEMORE",)),
}
"""Command -> capabilities of which it needs one; a word that ends in "=" stands for all that begin so."""

FETCH_ITEMS: dict[bytes, tuple[str, ...]] = {
    b"MODSEQ": ("CONDSTORE",),
    b"BINARY": ("BINARY",),
    b"BINARY.PEEK": ("BINARY",),
    b"BINARY.SIZE": ("BINARY",),
    b"PREVIEW": ("PREVIEW", "PREVIEW="),
    b"SNIPPET": ("SNIPPET=",),
    b"SAVEDATE": ("SAVEDATE",),
    b"EMAILID": ("OBJECTID",),
    b"THREADID": ("OBJECTID",),
    b"ANNOTATION": ("ANNOTATE-EXPERIMENT-1",),
    b"X-GM-MSGID": ("X-GM-EXT-1",),
    b"X-GM-THRID": ("X-GM-EXT-1",),
    b"X-GM-LABELS": ("X-GM-EXT-1",),
}
MODIFIERS: dict[bytes, tuple[str, ...]] = {
    b"CHANGEDSINCE": ("CONDSTORE",),
    b"UNCHANGEDSINCE": ("CONDSTORE",),
    b"VANISHED": ("QRESYNC",),
    b"PARTIAL": ("PARTIAL",),
}
"""Modifiers of FETCH and STORE."""
PARAMETERS: dict[bytes, tuple[str, ...]] = {
    b"CONDSTORE": ("CONDSTORE",),
    b"QRESYNC": ("QRESYNC",),
    b"USE": ("CREATE-SPECIAL-USE",),
    b"ANNOTATE": ("ANNOTATE-EXPERIMENT-1",),
}
"""Parameters of SELECT, EXAMINE and CREATE."""
STATUS_ITEMS: dict[bytes, tuple[str, ...]] = {
    b"HIGHESTMODSEQ": ("CONDSTORE",),
    b"SIZE": ("STATUS=SIZE",),
    b"DELETED": ("QUOTA=RES-MESSAGE", "IMAP4REV2"),
    b"DELETED-STORAGE": ("QUOTA=RES-STORAGE",),
    b"MAILBOXID": ("OBJECTID",),
    b"APPENDLIMIT": ("APPENDLIMIT", "APPENDLIMIT="),
}
LIST_OPTIONS: dict[bytes, tuple[str, ...]] = {
    b"SUBSCRIBED": ("LIST-EXTENDED",),
    b"REMOTE": ("LIST-EXTENDED",),
    b"RECURSIVEMATCH": ("LIST-EXTENDED",),
    b"CHILDREN": ("LIST-EXTENDED",),
    b"SPECIAL-USE": ("SPECIAL-USE",),
    b"STATUS": ("LIST-STATUS",),
    b"MYRIGHTS": ("LIST-MYRIGHTS",),
    b"METADATA": ("LIST-METADATA",),
}
RETURN_OPTIONS: dict[bytes, tuple[str, ...]] = {
    b"SAVE": ("SEARCHRES",),
    b"UPDATE": ("CONTEXT=",),
    b"CONTEXT": ("CONTEXT=",),
    b"PARTIAL": ("PARTIAL", "CONTEXT="),
}
"""Of SEARCH RETURN and SORT RETURN, beside ESEARCH or ESORT itself."""
SEARCH_KEYS: dict[bytes, tuple[str, ...]] = {
    b"MODSEQ": ("CONDSTORE",),
    b"OLDER": ("WITHIN",),
    b"YOUNGER": ("WITHIN",),
    b"FUZZY": ("SEARCH=FUZZY",),
    b"FILTER": ("FILTERS",),
    b"EMAILID": ("OBJECTID",),
    b"THREADID": ("OBJECTID",),
    **dict.fromkeys((b"SAVEDBEFORE", b"SAVEDON", b"SAVEDSINCE", b"SAVEDATESUPPORTED"), ("SAVEDATE",)),
    **dict.fromkeys((b"X-GM-RAW", b"X-GM-MSGID", b"X-GM-THRID", b"X-GM-LABELS"), ("X-GM-EXT-1",)),
    b"ANNOTATION": ("ANNOTATE-EXPERIMENT-1",),
}
