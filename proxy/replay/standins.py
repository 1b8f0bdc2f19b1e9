"""Letters in place of those that a recording does not hold: of the same size, with as much header as is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proxy.imap.grammar.envelope import Addresses, Envelope
    from proxy.replay.beginning import OldMessage

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
    fields = (
        (b"Date", envelope.date), (b"From", _addresses(envelope.sent_from)), (b"To", _addresses(envelope.to)),
        (b"Cc", _addresses(envelope.cc)), (b"Subject", envelope.subject), (b"In-Reply-To", envelope.in_reply_to),
        (b"Message-ID", envelope.message_id),
    )  # fmt: skip
    for name, value in fields:
        if isinstance(value, bytes):
            yield name + b": " + b" ".join(value.splitlines()) + b"\r\n"


def _addresses(addresses: Addresses) -> bytes | None:
    """Without groups: whoever is in them stands by themselves."""
    found: list[bytes] = []
    for address in addresses or ():
        name, mailbox, host = address.name, address.mailbox, address.host
        if isinstance(mailbox, bytes) and isinstance(host, bytes):
            spec = mailbox + b"@" + host
            quoted = name.replace(b"\\", b"\\\\").replace(b'"', b'\\"') if isinstance(name, bytes) else b""
            found.append(b'"' + quoted + b'" <' + spec + b">" if quoted else spec)
    return b", ".join(found) if found else None
