"""Letters in place of those that a recording does not hold: of the same size, with as much header as is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proxy.imap.grammar.envelope import Addresses, Envelope
    from proxy.replay.seeding.beginning import OldMessage

_LINE = b"This stands in for a letter whose text was never fetched while it was recorded.\r\n"


def stand_in(message: OldMessage, header: bytes | None) -> bytes:
    """A letter with that header, or one made of the envelope, and with the message's size where that is known.

    `header` ends with its empty line. A letter whose known header is longer than it should be keeps it all.
    """
    if header is None:
        header = b"".join(_of_envelope(message.envelope)) if message.envelope else b""
    if not header.endswith(b"\r\n\r\n"):
        header = header + b"\r\n"
    if message.size is None:
        return header
    return header + filler(message.size - len(header))


def filler(size: int) -> bytes:
    """So many bytes of text in whole lines."""
    if size <= 0:
        return b""
    lines, rest = divmod(size, len(_LINE))
    if rest == 1 and lines:
        lines, rest = lines - 1, rest + len(_LINE)
    last = b"" if not rest else b"x" * (rest - 2) + b"\r\n" if rest > 1 else b"x"
    return _LINE * lines + last


def _of_envelope(envelope: Envelope) -> Iterator[bytes]:
    """A sender and an address for replies that are the author's own are not in the header (RFC 9051 section 7.5.2)."""
    author = envelope.sent_from
    fields = (
        (b"Date", envelope.date),
        (b"From", _addresses(author)),
        (b"Sender", _addresses(envelope.sender if envelope.sender != author else None)),
        (b"Reply-To", _addresses(envelope.reply_to if envelope.reply_to != author else None)),
        (b"To", _addresses(envelope.to)),
        (b"Cc", _addresses(envelope.cc)),
        (b"Bcc", _addresses(envelope.bcc)),
        (b"Subject", envelope.subject),
        (b"In-Reply-To", envelope.in_reply_to),
        (b"Message-ID", envelope.message_id),
    )
    for name, value in fields:
        if isinstance(value, bytes):
            yield name + b": " + b" ".join(value.splitlines()) + b"\r\n"


def _addresses(addresses: Addresses) -> bytes | None:
    """As a header field has them: groups are `name: members;` (RFC 5322 section 3.4)."""
    text, between = b"", b""
    for address in addresses or ():
        name, mailbox, host = address.name, address.mailbox, address.host
        if isinstance(host, bytes):
            spec = (mailbox if isinstance(mailbox, bytes) else b"") + b"@" + host
            text += between + (b"%s <%s>" % (_phrase(name), spec) if isinstance(name, bytes) else spec)
            between = b", "
        elif isinstance(mailbox, bytes):
            text += between + mailbox + b": "
            between = b""
        elif text:
            text += b";"
            between = b", "
    return text or None


def _phrase(name: bytes) -> bytes:
    """Encoded words stand for themselves, all else in quotes."""
    if name.startswith(b"=?") and name.endswith(b"?="):
        return name
    return b'"' + name.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'
