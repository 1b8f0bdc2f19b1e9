"""ENVELOPE by field; addresses one by one, groups as groups (M 10.6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from storage.diff.equality.rules import Rule
from storage.diff.equality.shown import shortened
from storage.diff.equality.strings import text

if TYPE_CHECKING:
    from proxy.imap.grammar.envelope import Address, Addresses, Envelope
    from storage.diff.equality.findings import Findings

_NO_HOST = frozenset((b"", b"MISSING_DOMAIN", b".MISSING-HOST-NAME.", b".SYNTAX-ERROR.", b"UNSPECIFIED-DOMAIN"))
"""What servers write for the host of an address that has none: Dovecot, UW, Cyrus."""
_STRINGS = (("date", "date"), ("subject", "subject"), ("in_reply_to", "in-reply-to"), ("message_id", "message-id"))
_LISTS = (("sent_from", "from"), ("to", "to"), ("cc", "cc"), ("bcc", "bcc"))
_DEFAULTED = (("sender", "sender"), ("reply_to", "reply-to"))


def envelopes(found: Findings, where: str, left: Envelope | None, right: Envelope | None) -> None:
    """Two envelopes, None for a NIL that should not be."""
    if left is None or right is None:
        if left is not right:
            found.value(where, left or "NIL", right or "NIL")
        return
    for name, told in _STRINGS:
        text(found, f"{where} {told}", getattr(left, name), getattr(right, name))
    for name, told in _LISTS:
        _addresses(found, f"{where} {told}", getattr(left, name), getattr(right, name))
    for name, told in _DEFAULTED:
        one, other = getattr(left, name), getattr(right, name)
        if one == other:
            continue
        default = (one or left.sent_from) == left.sent_from and (other or right.sent_from) == right.sent_from
        if default and not (one and other):
            found.let(Rule.SENDER, f"{where} {told}", _told(one), _told(other))
        else:
            _addresses(found, f"{where} {told}", one, other)


def _addresses(found: Findings, where: str, left: Addresses, right: Addresses) -> None:
    if left == right:
        return
    lefts, rights = left or (), right or ()
    if len(lefts) != len(rights):
        found.value(where, _told(left), _told(right), _broken(lefts, rights))
        return
    for number, (one, other) in enumerate(zip(lefts, rights, strict=True), 1):
        place = where if len(lefts) == 1 else f"{where} {number}"
        if one == other:
            continue
        if (one.adl, one.mailbox, one.host) != (other.adl, other.mailbox, other.host):
            found.value(place, _address(one), _address(other), _broken((one,), (other,)))
        else:
            text(found, f"{place} name", one.name, other.name)


def _broken(left: tuple[Address, ...], right: tuple[Address, ...]) -> str:
    """The class of a difference that comes from addresses which servers read in different ways."""
    addresses = (*left, *right)
    if any(each.host is None for each in addresses):
        return "Group syntax, or an address without a host, is read in two ways."
    if any(isinstance(each.host, bytes) and each.host.upper() in _NO_HOST for each in addresses):
        return "An address without a host is filled in otherwise."
    if any(each.adl is not None for each in addresses):
        return "A source route is read in two ways."
    return ""


def _told(addresses: Addresses) -> str:
    return "NIL" if addresses is None else shortened(", ".join(_address(each) for each in addresses)) or "()"


def _address(address: Address) -> str:
    return address.text or "NIL"
