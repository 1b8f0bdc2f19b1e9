"""Responses: tagged, untagged, or `+`; and the data by its word (RFC 9051 section 7)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from proxy.imap.grammar import (
    acl,
    capability,
    fetch,
    listing,
    mailboxes,
    messages,
    metadata,
    push,
    quota,
    search_results,
    thread,
    urlauth,
)
from proxy.imap.grammar.commands import unknown
from proxy.imap.grammar.fetch_items import Flags
from proxy.imap.grammar.generic import Unknown
from proxy.imap.grammar.quirks import Quirk
from proxy.imap.grammar.status import (
    CONDITIONS,
    BareCode,
    Continuation,
    Status,
    bare_code,
    continue_req,
    status,
)
from proxy.imap.grammar.tape import Stopped

if TYPE_CHECKING:
    from collections.abc import Callable

    from proxy.imap.grammar.cursor import Cursor
    from proxy.imap.grammar.writer import Writer

Data: TypeAlias = (
    Status
    | capability.Capability
    | capability.Enabled
    | capability.Id
    | capability.Namespace
    | Flags
    | messages.Count
    | messages.Vanished
    | fetch.Fetch
    | listing.MailboxList
    | mailboxes.MailboxStatus
    | search_results.Found
    | search_results.ESearch
    | thread.Thread
    | quota.Quota
    | quota.QuotaRoot
    | acl.Acl
    | acl.ListRights
    | acl.MyRights
    | metadata.Metadata
    | metadata.MetadataChanged
    | urlauth.GenUrlAuth
    | urlauth.UrlFetch
    | push.XApplePushService
    | Unknown
)


@dataclass(frozen=True, slots=True)
class Tagged:
    """response-tagged: the end of a command. `Unknown` where the status word is none (a quirk)."""

    tag: bytes
    status: Status | Unknown

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.raw(self.tag + b" ")
        self.status.write(w)


@dataclass(frozen=True, slots=True)
class Untagged:
    """response-data, the greeting among it."""

    data: Data

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.raw(b"* ")
        self.data.write(w)


Response: TypeAlias = Tagged | Untagged | Continuation | BareCode

_NUMBER = re.compile(rb"[0-9]{1,20}(?=[ \t]+[A-Za-z])")


def response(c: Cursor) -> Response:
    """response, up to the line end."""
    if c.accept(b"+"):
        return continue_req(c)
    if c.accept(b"*"):
        c.sp()
        return Untagged(_data(c))
    return _tagged(c)


def _tagged(c: Cursor) -> Tagged | BareCode:
    start = c.mark()
    tag = c.tag()
    c.sp()
    begin = c.pos
    word = c.word("a status")
    if word in CONDITIONS:
        if word == b"BYE":
            c.note(Quirk.TAGGED_BYE, begin)
        return Tagged(tag, status(c, CONDITIONS[word]))
    if tag.startswith(b"["):
        c.back(start)
        return bare_code(c)
    c.note(Quirk.UNKNOWN_STATUS, begin)
    return Tagged(tag, unknown(c, word))


def _data(c: Cursor) -> Data:
    number = c.match(_NUMBER)
    if number is not None:
        c.sp()
        word = c.word("a data word")
        return _read(c, NUMBERED.get(word), word, int(number[0]))
    word = c.word("a data word")
    if word in CONDITIONS:
        return status(c, CONDITIONS[word])
    read = DATA.get(word)
    return _read(c, None if read is None else lambda c, _: read(c), word)


def _read(c: Cursor, read: Callable[[Cursor, int], Data] | None, word: bytes, number: int | None = None) -> Data:
    if read is None:
        return unknown(c, word, number)
    mark = c.mark()
    try:
        data = read(c, number or 0)
        c.finish()
    except Stopped as stopped:
        failed = stopped
    else:
        return data
    c.back(mark)
    return unknown(c, word, number, stopped=failed)


def _flags(c: Cursor) -> Flags:
    c.sp()
    return Flags(c.flag_list())


def _count(_: Cursor, number: int, *, word: bytes) -> messages.Count:
    return messages.Count(word, number)


NUMBERED: dict[bytes, Callable[[Cursor, int], Data]] = {
    **{word: partial(_count, word=word) for word in (b"EXISTS", b"RECENT", b"EXPUNGE")},
    b"FETCH": fetch.msg_att,
    b"UIDFETCH": partial(fetch.msg_att, uid=True),
}
"""Data word behind a number -> what reads the rest."""

DATA: dict[bytes, Callable[[Cursor], Data]] = {
    b"CAPABILITY": capability.capability_data,
    b"ENABLED": capability.enable_data,
    b"ID": capability.id_params_list,
    b"NAMESPACE": capability.namespace_response,
    b"FLAGS": _flags,
    **{word: partial(listing.mailbox_list, word=word) for word in (b"LIST", b"LSUB", b"XLIST")},
    b"STATUS": mailboxes.mailbox_status,
    **{word: partial(search_results.found, word=word) for word in (b"SEARCH", b"SORT")},
    b"ESEARCH": search_results.esearch_response,
    b"THREAD": thread.thread_data,
    b"VANISHED": messages.vanished,
    b"QUOTA": quota.quota_response,
    b"QUOTAROOT": quota.quotaroot_response,
    b"ACL": acl.acl_data,
    b"LISTRIGHTS": acl.listrights_data,
    b"MYRIGHTS": acl.myrights_data,
    b"METADATA": metadata.metadata_resp,
    b"GENURLAUTH": urlauth.genurlauth_data,
    b"URLFETCH": urlauth.urlfetch_data,
    b"XAPPLEPUSHSERVICE": push.xapplepushservice,
}
"""Data word -> what reads the rest."""
