"""Response codes read by their names (RFC 9051 section 7.1, RFC 5530, the extensions).

A known code with arguments that are not its own, and an unknown code, become `OtherCode` with their text (M 2.5).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from proxy.imap.grammar.capability import Capability
from proxy.imap.grammar.codes import (
    AnyCode,
    AppendUid,
    BadCharset,
    Code,
    CopyUid,
    InProgress,
    MailboxId,
    Modified,
    NumberCode,
    OtherCode,
    PermanentFlags,
    TagCode,
    TextCode,
)
from proxy.imap.grammar.quirks import Quirk
from proxy.imap.grammar.tape import Mark, Stopped

if TYPE_CHECKING:
    from collections.abc import Callable

    from proxy.imap.grammar.cursor import Cursor

_NAME = re.compile(rb"[^ \]\r\n\"(){}]++(?=[ \]])")
_REST = re.compile(rb'(?:[^\]"]++|"(?:[^"\\\n]++|\\[^\n])*+")*+(?=\])')
_PLAIN_REST = re.compile(rb"[^\]\r\n]*+(?=\])")
_TEXT_ARGUMENT = re.compile(rb"[^\]\r\n]++")
_CAPABILITIES = re.compile(rb"[^ \]\r\n]++")


def resp_text_code(c: Cursor) -> AnyCode | None:
    """resp-text-code in its brackets; None, and nothing read, where "[" opens no code."""
    mark = c.mark()
    c.expect(b"[")
    match = c.match(_NAME)
    if match is None:
        c.back(mark)
        return _odd_code(c)
    name = match[0].upper()
    arguments = c.mark()
    try:
        code = CODES.get(name, _unknown)(c, name)
        c.expect(b"]")
    except Stopped as stopped:
        c.back(arguments)
        return _other(c, match[0], stopped, mark)
    return code


def _unknown(c: Cursor, name: bytes) -> AnyCode:
    if c.at(b"]"):
        return Code(name)
    c.sp()
    start = c.pos
    c.take(_REST, "]")
    return OtherCode(name, c.opaque(start))


def _other(c: Cursor, name: bytes, stopped: Stopped, mark: Mark) -> AnyCode | None:
    """The text of a code that does not read as it should, up to the first bracket that closes it."""
    start = c.pos
    if c.accept(b"]"):
        c.note(Quirk.CODE_ARGUMENTS, start, start, stopped.expected)
        return OtherCode(name.upper())
    c.accept(b" ")
    begin = c.pos
    if c.match(_REST) is None and c.match(_PLAIN_REST) is None:
        c.back(mark)
        c.note(Quirk.OPEN_CODE, c.pos, c.end)
        return None
    arguments = c.opaque(begin)
    c.note(Quirk.CODE_ARGUMENTS, start, detail=stopped.expected)
    c.expect(b"]")
    return OtherCode(name.upper(), arguments)


def _odd_code(c: Cursor) -> AnyCode | None:
    """`[Error="…" a=b]`: what starts like no code, but ends like one (M 2.5, 11.3)."""
    start = c.pos
    c.expect(b"[")
    begin = c.pos
    if c.match(_REST) is None and c.match(_PLAIN_REST) is None:
        c.pos = start
        c.note(Quirk.OPEN_CODE, start, c.end)
        return None
    arguments = c.opaque(begin)
    c.expect(b"]")
    c.note(Quirk.CODE_ARGUMENTS, start, detail="a name")
    return OtherCode(b"", arguments)


def _nothing(_: Cursor, name: bytes) -> AnyCode:
    return Code(name)


def _number(c: Cursor, name: bytes) -> AnyCode:
    c.sp()
    return NumberCode(name, c.number64())


def _perhaps_number(c: Cursor, name: bytes) -> AnyCode:
    return Code(name) if c.at(b"]") else _number(c, name)


def _permanent_flags(c: Cursor, _: bytes) -> AnyCode:
    c.sp()
    return PermanentFlags(c.flag_list())


def _bad_charset(c: Cursor, _: bytes) -> AnyCode:
    if c.at(b"]"):
        return BadCharset(())
    c.sp()
    return BadCharset(c.parenthesised(c.astring))


def _append_uid(c: Cursor, _: bytes) -> AnyCode:
    c.sp()
    uidvalidity = c.number()
    c.sp()
    return AppendUid(uidvalidity, c.sequence_set())


def _copy_uid(c: Cursor, _: bytes) -> AnyCode:
    c.sp()
    uidvalidity = c.number()
    c.sp()
    source = c.sequence_set()
    c.sp()
    return CopyUid(uidvalidity, source, c.sequence_set())


def _modified(c: Cursor, _: bytes) -> AnyCode:
    c.sp()
    return Modified(c.sequence_set())


def _mailbox_id(c: Cursor, _: bytes) -> AnyCode:
    c.sp()
    c.expect(b"(")
    objectid = c.atom()
    c.expect(b")")
    return MailboxId(objectid)


def _in_progress(c: Cursor, _: bytes) -> AnyCode:
    if c.at(b"]"):
        return InProgress()
    c.sp()
    c.expect(b"(")
    tag = c.nstring()
    c.sp()
    done = None if c.nil() else c.number64()
    c.sp()
    goal = None if c.nil() else c.number64()
    c.expect(b")")
    return InProgress(tag, done, goal)


def _tag(c: Cursor, name: bytes) -> AnyCode:
    c.sp()
    return TagCode(name, c.string())


def _text(c: Cursor, name: bytes) -> AnyCode:
    c.sp()
    return TextCode(name, c.take(_TEXT_ARGUMENT, "text")[0])


def _capability(c: Cursor, _: bytes) -> AnyCode:
    words: list[bytes] = []
    while c.at(b" "):
        c.spend()
        c.sp()
        if match := c.match(_CAPABILITIES):
            words.append(match[0])
        else:
            c.note(Quirk.EXTRA_SPACE, c.pos - 1)
    return Capability(tuple(words))


CODES: dict[bytes, Callable[[Cursor, bytes], AnyCode]] = {
    # RFC 9051 section 7.1, RFC 5530, RFC 7162, RFC 5465, RFC 5466, RFC 9586, RFC 5257, RFC 6154
    **dict.fromkeys(
        b"ALERT PARSE READ-ONLY READ-WRITE TRYCREATE UIDNOTSTICKY CLOSED NOMODSEQ UNAVAILABLE AUTHENTICATIONFAILED "
        b"AUTHORIZATIONFAILED EXPIRED PRIVACYREQUIRED CONTACTADMIN NOPERM INUSE EXPUNGEISSUED CORRUPTION SERVERBUG "
        b"CLIENTBUG CANNOT LIMIT OVERQUOTA ALREADYEXISTS NONEXISTENT USEATTR HASCHILDREN UNKNOWN-CTE TOOBIG NOTSAVED "
        b"NOTIFICATIONOVERFLOW UIDREQUIRED COMPRESSIONACTIVE TEMPFAIL".split(),
        _nothing,
    ),
    **dict.fromkeys(b"UIDNEXT UIDVALIDITY UNSEEN HIGHESTMODSEQ MAXCONVERTMESSAGES MAXCONVERTPARTS".split(), _number),
    b"APPENDLIMIT": _perhaps_number,
    # RFC 2221, RFC 2193, RFC 4469, RFC 4467, RFC 5464, RFC 5257, RFC 9738; WEBALERT is Gmail's
    **dict.fromkeys(
        b"REFERRAL NEWNAME BADURL URLMECH METADATA ANNOTATE ANNOTATIONS WEBALERT MESSAGELIMIT".split(), _text
    ),
    b"PERMANENTFLAGS": _permanent_flags,
    b"BADCHARSET": _bad_charset,
    b"APPENDUID": _append_uid,
    b"COPYUID": _copy_uid,
    b"MODIFIED": _modified,
    b"MAILBOXID": _mailbox_id,
    b"INPROGRESS": _in_progress,
    b"NOUPDATE": _tag,
    b"CAPABILITY": _capability,
}
"""Code in capitals -> what reads its arguments."""
