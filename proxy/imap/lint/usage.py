"""What still works, and should not be used any more (RFC 9051 appendix E)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.imap.grammar.fetch_commands import FetchCommand
from proxy.imap.grammar.mailboxes import OnMailbox, Rename, StatusCommand
from proxy.imap.grammar.search_commands import Search, Sort
from proxy.imap.grammar.search_keys import Key
from proxy.imap.grammar.utf7 import decode
from proxy.imap.lint.arguments import item_name, keys_of
from proxy.imap.lint.rules import ERROR, NOTE, WARNING, Family
from proxy.imap.state import Phase
from proxy.imap.transcript import Direction, readable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proxy.imap.lint.heard import FromClient
    from proxy.imap.lint.known import Known
    from proxy.imap.lint.rules import Finding

FAMILY = Family("usage")
C = Direction.CLIENT

LSUB = FAMILY.rule("lsub", C, NOTE, "9051 appendix E", "LSUB is out of use: LIST (SUBSCRIBED) says more.")
CHECK = FAMILY.rule("check", C, NOTE, "9051 appendix E", "CHECK is out of use: NOOP does as well.")
XLIST = FAMILY.rule("xlist", C, NOTE, "6154 1", "XLIST is out of use: LIST with SPECIAL-USE took its place.")
REFERRALS = FAMILY.rule("rlist", C, NOTE, "2193 4", "RLIST and RLSUB are hardly known to any server.")
RFC822 = FAMILY.rule(
    "fetch-rfc822",
    C,
    NOTE,
    "9051 appendix E",
    "RFC822, RFC822.HEADER, RFC822.TEXT are out of use: BODY[] took their place."
)  # fmt: skip
RECENT = FAMILY.rule(
    "recent", C, NOTE, "9051 appendix E", "RECENT, NEW and OLD are out of use: IMAP4rev2 has no such thing."
)
STATUS_SELECTED = FAMILY.rule(
    "status-of-selected", C, WARNING, "9051 6.3.11", "STATUS asks about the selected mailbox, which it should not."
)
INBOX = FAMILY.rule("inbox-deleted", C, ERROR, "9051 6.3.5", "INBOX cannot be deleted, nor created.")
WILDCARD = FAMILY.rule(
    "mailbox-wildcard",
    C,
    WARNING,
    "9051 5.1",
    "The new mailbox has % or * in its name, which LIST takes for wildcards.",
)
MODIFIED_UTF7 = FAMILY.rule(
    "mailbox-utf7", C, WARNING, "3501 5.1.3", "The mailbox's name is no modified UTF-7: its & begins nothing."
)
CHARSET = FAMILY.rule("charset-with-utf8", C, ERROR, "6855 3", "SEARCH names a CHARSET though UTF8=ACCEPT is enabled.")
ONLY_ASCII = FAMILY.rule(
    "charset-not-utf8", C, NOTE, "9051 6.4.4", "A search is in another charset than US-ASCII or UTF-8."
)

_COMMANDS = {"LSUB": LSUB, "CHECK": CHECK, "XLIST": XLIST, "RLIST": REFERRALS, "RLSUB": REFERRALS}
_RFC822 = frozenset((b"RFC822", b"RFC822.HEADER", b"RFC822.TEXT"))
_RECENT = frozenset((b"RECENT", b"NEW", b"OLD"))
_CHARSETS = frozenset((b"UTF-8", b"US-ASCII"))


def client(heard: FromClient, known: Known) -> Iterator[Finding]:
    """What a client should not use."""
    said, body = heard.said, heard.body
    if rule := _COMMANDS.get(heard.name):
        yield said.found(rule)
    if isinstance(body, FetchCommand):
        if any(item_name(item) in _RFC822 for item in body.attributes):
            yield said.found(RFC822)
    elif isinstance(body, StatusCommand):
        if b"RECENT" in body.items:
            yield said.found(RECENT)
        if known.phase is Phase.SELECTED and not known.selecting and _named(body) == _folded(known.state.mailbox):
            yield said.found(STATUS_SELECTED)
    elif isinstance(body, (Search, Sort)):
        yield from _search(heard, body, known)
    elif isinstance(body, (OnMailbox, Rename)):
        yield from _mailbox(heard, body, known)


def _named(body: StatusCommand) -> str | None:
    """The mailbox as the record of an exchange names it."""
    return readable(body.mailbox.raw) if isinstance(body.mailbox.raw, bytes) else None


def _folded(mailbox: str | None) -> str | None:
    return "INBOX" if mailbox and mailbox.upper() == "INBOX" else mailbox


def _search(heard: FromClient, body: Search | Sort, known: Known) -> Iterator[Finding]:
    if any(isinstance(key, Key) and key.name in _RECENT for key in keys_of(body.keys)):
        yield heard.said.found(RECENT)
    if not isinstance(body.charset, bytes):
        return
    if isinstance(body, Search) and "UTF8=ACCEPT" in known.state.enabled:
        yield heard.said.found(CHARSET)
    elif body.charset.upper() not in _CHARSETS:
        yield heard.said.found(ONLY_ASCII, detail=readable(body.charset))


def _mailbox(heard: FromClient, body: OnMailbox | Rename, known: Known) -> Iterator[Finding]:
    said = heard.said
    mailbox = body.new if isinstance(body, Rename) else body.mailbox
    creates = isinstance(body, Rename) or body.word == b"CREATE"
    if mailbox.inbox and (creates or (isinstance(body, OnMailbox) and body.word == b"DELETE")):
        yield said.found(INBOX)
    name = mailbox.raw
    if not isinstance(name, bytes):
        return
    if creates and (b"%" in name or b"*" in name):
        yield said.found(WILDCARD)
    if b"&" in name and name.isascii() and not known.utf8:
        try:
            decode(name)
        except ValueError:
            yield said.found(MODIFIED_UTF7)
