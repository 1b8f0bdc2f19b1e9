"""Commands: the tag, and a body by the command's name (RFC 9051 section 6)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from proxy.imap.grammar import (
    acl,
    append,
    capability,
    fetch_commands,
    listing,
    mailboxes,
    messages,
    metadata,
    notify,
    push,
    quota,
    sasl,
    search_commands,
    urlauth,
)
from proxy.imap.grammar.generic import Bare, Unknown
from proxy.imap.grammar.quirks import Quirk
from proxy.imap.grammar.tape import Stopped

if TYPE_CHECKING:
    from collections.abc import Callable

    from proxy.imap.grammar.cursor import Cursor
    from proxy.imap.grammar.writer import Writer


_DONE = re.compile(rb"[Dd][Oo][Nn][Ee](?= *+\Z)")


@dataclass(frozen=True, slots=True)
class Compress:
    """The command COMPRESS: its mechanism in capitals (RFC 4978)."""

    mechanism: bytes

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.raw(b"COMPRESS " + self.mechanism)


Body: TypeAlias = (
    Bare
    | Compress
    | capability.Enable
    | capability.Id
    | sasl.Login
    | sasl.Authenticate
    | mailboxes.OnMailbox
    | mailboxes.Rename
    | mailboxes.StatusCommand
    | listing.List
    | append.Append
    | append.Replace
    | search_commands.Search
    | search_commands.Sort
    | search_commands.ThreadCommand
    | search_commands.ESearchCommand
    | search_commands.CancelUpdate
    | fetch_commands.FetchCommand
    | fetch_commands.Store
    | messages.Copy
    | messages.UidExpunge
    | acl.SetAcl
    | acl.OnIdentifier
    | quota.GetQuota
    | quota.SetQuota
    | metadata.GetMetadata
    | metadata.SetMetadata
    | urlauth.GenUrlAuthCommand
    | urlauth.UrlFetchCommand
    | urlauth.ResetKey
    | notify.Notify
    | push.XApplePushService
    | Unknown
)


@dataclass(frozen=True, slots=True)
class Command:
    """A client's command; its tag compares with case (M 2.14)."""

    tag: bytes
    body: Body

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.raw(self.tag + b" ")
        self.body.write(w)


@dataclass(frozen=True, slots=True)
class Done:
    """DONE, which ends an IDLE (RFC 9051 section 6.3.13)."""

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.raw(b"DONE")


def command(c: Cursor) -> Command | Done:
    """command, or DONE; up to the line end."""
    if c.match(_DONE):
        c.finish()
        return Done()
    tag = c.tag()
    c.sp()
    name = c.word("a command")
    if name == b"UID":
        c.sp()
        name = b"UID " + c.word("a command")
    return Command(tag, _body(c, name))


def _body(c: Cursor, name: bytes) -> Body:
    read = COMMANDS.get(name)
    if read is None:
        return unknown(c, name)
    mark = c.mark()
    try:
        body = read(c)
        c.finish()
    except Stopped as stopped:
        failed = stopped
    else:
        return body
    c.back(mark)
    return unknown(c, name, stopped=failed)


def unknown(c: Cursor, word: bytes, number: int | None = None, *, stopped: Stopped | None = None) -> Unknown:
    """Values of any kind up to the line end. Where they are not even that, it is `stopped` that tells why."""
    start = c.pos
    try:
        arguments = c.arguments()
        c.finish()
    except Stopped:
        if stopped is not None:
            raise stopped from None
        raise
    if stopped is not None:
        c.note(Quirk.UNEXPECTED, start, detail=f"{stopped.expected} at {c.offset(stopped.pos)}")
        arguments = c.opaque(start)
    return Unknown(word, arguments, number)


def _bare(_: Cursor, *, word: bytes) -> Bare:
    return Bare(word)


def _compress(c: Cursor) -> Compress:
    c.sp()
    return Compress(c.atom().upper())


COMMANDS: dict[bytes, Callable[[Cursor], Body]] = {
    **{
        word: partial(_bare, word=word)
        for word in (
            b"CAPABILITY NOOP LOGOUT STARTTLS NAMESPACE IDLE CHECK CLOSE UNSELECT EXPUNGE UNAUTHENTICATE".split()
        )
    },
    **{
        word: partial(mailboxes.on_mailbox, word=word)
        for word in b"SELECT EXAMINE CREATE DELETE SUBSCRIBE UNSUBSCRIBE GETACL MYRIGHTS GETQUOTAROOT".split()
    },
    **{word: partial(listing.list_command, word=word) for word in b"LIST LSUB XLIST RLIST RLSUB".split()},
    **{word: partial(acl.on_identifier, word=word) for word in (b"DELETEACL", b"LISTRIGHTS")},
    **{word: partial(messages.copy, word=word) for word in (b"COPY", b"MOVE")},
    **{b"UID " + word: partial(messages.copy, word=word, uid=True) for word in (b"COPY", b"MOVE")},
    b"ENABLE": capability.enable,
    b"ID": capability.id_params_list,
    b"LOGIN": sasl.login,
    b"AUTHENTICATE": sasl.authenticate,
    b"COMPRESS": _compress,
    b"RENAME": mailboxes.rename,
    b"STATUS": mailboxes.status_command,
    b"APPEND": append.append,
    b"REPLACE": append.replace,
    b"UID REPLACE": partial(append.replace, uid=True),
    b"SEARCH": search_commands.search,
    b"UID SEARCH": partial(search_commands.search, uid=True),
    b"SORT": search_commands.sort,
    b"UID SORT": partial(search_commands.sort, uid=True),
    b"THREAD": search_commands.thread,
    b"UID THREAD": partial(search_commands.thread, uid=True),
    b"ESEARCH": search_commands.esearch,
    b"CANCELUPDATE": search_commands.cancelupdate,
    b"FETCH": fetch_commands.fetch,
    b"UID FETCH": partial(fetch_commands.fetch, uid=True),
    b"STORE": fetch_commands.store,
    b"UID STORE": partial(fetch_commands.store, uid=True),
    b"UID EXPUNGE": messages.uid_expunge,
    b"SETACL": acl.setacl,
    b"GETQUOTA": quota.getquota,
    b"SETQUOTA": quota.setquota,
    b"GETMETADATA": metadata.getmetadata,
    b"SETMETADATA": metadata.setmetadata,
    b"GENURLAUTH": urlauth.genurlauth,
    b"URLFETCH": urlauth.urlfetch,
    b"RESETKEY": urlauth.resetkey,
    b"NOTIFY": notify.notify,
    b"XAPPLEPUSHSERVICE": push.xapplepushservice,
}
"""Name in capitals -> what reads the arguments. Every other command is `Unknown`."""
