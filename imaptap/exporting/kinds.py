"""What a command is about."""

from __future__ import annotations

import enum


class Kind(enum.StrEnum):
    """What commands are about: sessions, mailboxes, messages, searches, news."""

    SESSION = "session"
    MAILBOXES = "mailboxes"
    MESSAGES = "messages"
    SEARCHES = "searches"
    NEWS = "news"
    OTHER = "other"


_COMMANDS = {
    Kind.SESSION: "LOGIN AUTHENTICATE STARTTLS LOGOUT CAPABILITY ID ENABLE NAMESPACE COMPRESS UNAUTHENTICATE LANGUAGE",
    Kind.MAILBOXES: (
        "SELECT EXAMINE CLOSE UNSELECT LIST LSUB XLIST STATUS CREATE DELETE RENAME SUBSCRIBE UNSUBSCRIBE GETACL SETACL "
        "DELETEACL LISTRIGHTS MYRIGHTS GETQUOTA GETQUOTAROOT SETQUOTA GETMETADATA SETMETADATA"
    ),
    Kind.MESSAGES: "FETCH STORE COPY MOVE APPEND REPLACE EXPUNGE URLFETCH GENURLAUTH CONVERT",
    Kind.SEARCHES: "SEARCH SORT THREAD ESEARCH CANCELUPDATE",
    Kind.NEWS: "IDLE NOOP CHECK NOTIFY",
}
_KINDS = {command: kind for kind, commands in _COMMANDS.items() for command in commands.split()}


def kind(command: str) -> Kind:
    """What a command is about, in capitals and with UID in front where it was."""
    return _KINDS.get(command.removeprefix("UID "), Kind.OTHER)
