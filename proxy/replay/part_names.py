"""The names of the parts that commands have (`proxy.replay.asked`): what a rule about a part may be about."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any, Final

from proxy.imap.grammar.acl import OnIdentifier, SetAcl
from proxy.imap.grammar.capability import Enable, Id
from proxy.imap.grammar.commands import COMMANDS, Compress
from proxy.imap.grammar.fetch_commands import FetchCommand, Store
from proxy.imap.grammar.listing import List
from proxy.imap.grammar.mailboxes import OnMailbox, Rename, StatusCommand
from proxy.imap.grammar.messages import Copy, UidExpunge
from proxy.imap.grammar.metadata import GetMetadata, SetMetadata
from proxy.imap.grammar.notify import Notify
from proxy.imap.grammar.push import XApplePushService
from proxy.imap.grammar.quota import GetQuota, SetQuota
from proxy.imap.grammar.search_commands import CancelUpdate, ESearchCommand, Search, Sort, ThreadCommand
from proxy.imap.grammar.urlauth import GenUrlAuthCommand, ResetKey, UrlFetchCommand
from proxy.replay.asked import OF_THE_NAME, OF_THE_UNREAD

if TYPE_CHECKING:
    from collections.abc import Iterator

_MESSAGE: Final = ("mailbox", "flags", "date", "content")
_BODIES: Final[tuple[tuple[type[Any], str], ...]] = (
    (OnMailbox, "SELECT EXAMINE CREATE DELETE SUBSCRIBE UNSUBSCRIBE GETACL MYRIGHTS GETQUOTAROOT"),
    (List, "LIST LSUB XLIST RLIST RLSUB"),
    (OnIdentifier, "DELETEACL LISTRIGHTS"),
    (Copy, "COPY MOVE"),
    (Enable, "ENABLE"),
    (Id, "ID"),
    (Compress, "COMPRESS"),
    (Rename, "RENAME"),
    (StatusCommand, "STATUS"),
    (Search, "SEARCH"),
    (Sort, "SORT"),
    (ThreadCommand, "THREAD"),
    (ESearchCommand, "ESEARCH"),
    (CancelUpdate, "CANCELUPDATE"),
    (FetchCommand, "FETCH"),
    (Store, "STORE"),
    (UidExpunge, "EXPUNGE"),
    (SetAcl, "SETACL"),
    (GetQuota, "GETQUOTA"),
    (SetQuota, "SETQUOTA"),
    (GetMetadata, "GETMETADATA"),
    (SetMetadata, "SETMETADATA"),
    (GenUrlAuthCommand, "GENURLAUTH"),
    (UrlFetchCommand, "URLFETCH"),
    (ResetKey, "RESETKEY"),
    (Notify, "NOTIFY"),
    (XApplePushService, "XAPPLEPUSHSERVICE"),
)
"""What the grammar makes of commands, and of which, without UID; all others have no parts that it can tell apart."""


def part_names(command: str) -> tuple[str, ...]:
    """The parts of commands of this name ("FETCH" and "UID FETCH" have the same); of "*": all that there are."""
    if command == "*":
        return tuple(sorted({part for name in _PARTS for part in part_names(name)}))
    return (*_PARTS.get(command.removeprefix("UID "), ()), OF_THE_UNREAD)


def is_known(command: str) -> bool:
    """Whether the grammar knows a command of this name ("*": any)."""
    return command == "*" or command.encode() in COMMANDS or b"UID " + command.encode() in COMMANDS


def _parts() -> Iterator[tuple[str, tuple[str, ...]]]:
    for body, names in _BODIES:
        parts = tuple(field.name for field in fields(body) if field.name not in OF_THE_NAME)
        yield from ((name, parts) for name in names.split())
    yield "APPEND", _MESSAGE
    yield "REPLACE", ("number", *_MESSAGE)


_PARTS: Final = dict(_parts())
