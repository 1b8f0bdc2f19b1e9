"""Which commands change mail, and so need the person's word before they go to a server (M 9.13)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from proxy.imap.commands import KNOWN
from proxy.imap.grammar.fetch_commands import Attribute, FetchCommand, SectionAttribute

if TYPE_CHECKING:
    from proxy.imap.grammar.commands import Body

CHANGING = frozenset(
    # RFC 9051 sections 6.3 and 6.4
    "APPEND STORE COPY MOVE EXPUNGE CREATE DELETE RENAME SUBSCRIBE UNSUBSCRIBE CLOSE "
    # RFC 8508, 4314, 9208, 5464, 4467; the drafts of METADATA; Apple's push service
    "REPLACE SETACL DELETEACL SETQUOTA SETMETADATA RESETKEY SETANNOTATION XAPPLEPUSHSERVICE".split()
)
"""Command names, "UID " not among them. CLOSE removes messages where the mailbox may be written to."""
_SEEN = frozenset((b"RFC822", b"RFC822.TEXT"))
_SETS_SEEN = re.compile(rb"(?:BODY|BINARY)\[|RFC822(?!\.(?:HEADER|SIZE))", re.IGNORECASE)
_PEEKS = {b"BODY": b"BODY.PEEK", b"BINARY": b"BINARY.PEEK"}


def changes_mail(command: str, *, read_only: bool | None = None) -> bool:
    """Whether a command, its name in capitals, changes mail; `read_only` is how its mailbox was selected."""
    name = command.removeprefix("UID ")
    return name in CHANGING and not (name == "CLOSE" and read_only is True)


def may_change_mail(command: str, said: bytes, *, read_only: bool | None = None) -> bool:
    """Whether a command that cannot be read might change mail: of a name nobody knows, or a FETCH of what sets \\Seen.

    `said` is what it says, for a FETCH.
    """
    name = command.removeprefix("UID ")
    if name not in KNOWN:
        return True
    return name == "FETCH" and read_only is not True and _SETS_SEEN.search(said) is not None


def peeking(attribute: SectionAttribute) -> bytes:
    """The name by which a section is asked for without setting \\Seen (RFC 9051 section 6.4.5)."""
    return _PEEKS.get(attribute.name, attribute.name)


def marks_seen(body: Body) -> str | None:
    """The item of a FETCH that sets \\Seen and that has no other name which does not (RFC 9051 section 6.4.5)."""
    if not isinstance(body, FetchCommand):
        return None
    names = (item.name for item in body.attributes if isinstance(item, Attribute))
    return next((name.decode("ascii") for name in names if name in _SEEN), None)
