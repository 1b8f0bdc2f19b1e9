"""FETCH items of a letter, as IMAP writes them (RFC 3501 section 7.4.2)."""

from __future__ import annotations

import re
from email.message import EmailMessage, Message
from email.utils import getaddresses
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from imaptap.demo.mailbox import Letter

MACROS = {
    "FAST": ("FLAGS", "INTERNALDATE", "RFC822.SIZE"),
    "ALL": ("FLAGS", "INTERNALDATE", "RFC822.SIZE", "ENVELOPE"),
    "FULL": ("FLAGS", "INTERNALDATE", "RFC822.SIZE", "ENVELOPE", "BODY"),
}

_ADDRESSES = ("From", "Sender", "Reply-To", "To", "Cc", "Bcc")


def items(words: str) -> list[str] | None:
    """The items that a client asks for, macros resolved; None where one is not known here."""
    asked = words.strip("()").upper().split()
    found = [item for word in asked for item in MACROS.get(word, (word,))]
    return found if found and all(item in _WRITERS for item in found) else None


def response(number: int, letter: Letter, wanted: Iterable[str]) -> bytes:
    """The untagged FETCH response with these items. Reading the whole of a letter makes it \\Seen."""
    wanted = list(wanted)
    if "RFC822" in wanted and "\\Seen" not in letter.flags:
        letter.flags.insert(0, "\\Seen")
        wanted.append("FLAGS")
    values = b" ".join(item.encode() + b" " + _WRITERS[item](letter) for item in wanted)
    return b"* %d FETCH (%b)\r\n" % (number, values)


def _literal(data: bytes) -> bytes:
    return b"{%d}\r\n%b" % (len(data), data)


def _string(text: str | None) -> str:
    return "NIL" if text is None else '"' + re.sub(r'(["\\])', r"\\\1", text) + '"'


def _flags(letter: Letter) -> bytes:
    return f"({' '.join(letter.flags)})".encode()


def _envelope(letter: Letter) -> bytes:
    message = letter.message
    senders = _addresses(message, "From")
    lists = [senders if name in {"Sender", "Reply-To"} else _addresses(message, name) for name in _ADDRESSES]
    texts = (_string(message[name]) for name in ("Date", "Subject"))
    return " ".join(("(" + next(texts), next(texts), *lists, "NIL", _string(message["Message-ID"]) + ")")).encode()


def _addresses(message: Message, name: str) -> str:
    found = getaddresses([str(value) for value in message.get_all(name, [])])
    people = (f"({_string(who or None)} NIL {_at_sign(address)})" for who, address in found)
    return f"({''.join(people)})" if found else "NIL"


def _at_sign(address: str) -> str:
    mailbox, _, host = address.partition("@")
    return f"{_string(mailbox)} {_string(host)}"


def _structure(part: EmailMessage) -> str:
    if part.is_multipart():
        inner = "".join(_structure(each) for each in part.iter_parts() if isinstance(each, EmailMessage))
        return f"({inner} {_string(part.get_content_subtype())})"
    content = str(part.get_payload())
    pairs = " ".join(f"{_string(key)} {_string(value)}" for key, value in part["Content-Type"].params.items())
    parameters = f"({pairs})" if pairs else "NIL"
    kind = f"{_string(part.get_content_maintype())} {_string(part.get_content_subtype())}"
    encoding = _string(part["Content-Transfer-Encoding"] or "7bit")
    lines = f" {content.count(chr(10))}" if part.get_content_maintype() == "text" else ""
    name = _string(part["Content-ID"])
    return f"({kind} {parameters} {name} NIL {encoding} {len(content)}{lines})"


_WRITERS: dict[str, Callable[[Letter], bytes]] = {
    "FLAGS": _flags,
    "INTERNALDATE": lambda letter: f'"{letter.internal_date}"'.encode(),
    "RFC822.SIZE": lambda letter: str(len(letter.content)).encode(),
    "ENVELOPE": _envelope,
    "BODY": lambda letter: _structure(letter.message).encode(),
    "RFC822": lambda letter: _literal(letter.content),
    "RFC822.HEADER": lambda letter: _literal(letter.header),
}
