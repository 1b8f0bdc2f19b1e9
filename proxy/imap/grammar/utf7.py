"""Mailbox names as people write them: modified UTF-7 (RFC 3501 section 5.1.3) and UTF-8 (RFC 9051, RFC 6855)."""

from __future__ import annotations

import binascii
import re

from proxy.imap.transcript import readable

_SHIFTED = re.compile(rb"&([A-Za-z0-9+,]*)-")
_PLAIN = re.compile(r"[\x20-\x25\x27-\x7e]+|&|[^\x20-\x7e]+")


def decode(raw: bytes) -> str:
    """The text of modified UTF-7; ValueError where it is not well formed."""
    parts: list[str] = []
    pos = 0
    for match in _SHIFTED.finditer(raw):
        parts += (_direct(raw[pos : match.start()]), _shifted(match[1]))
        pos = match.end()
    parts.append(_direct(raw[pos:]))
    return "".join(parts)


def encode(text: str) -> bytes:
    """Modified UTF-7 of any text."""
    parts: list[bytes] = []
    for run in _PLAIN.findall(text):
        if run == "&":
            parts.append(b"&-")
        elif run.isascii() and run.isprintable():
            parts.append(run.encode())
        else:
            base64 = binascii.b2a_base64(run.encode("utf-16-be", "surrogatepass"), newline=False)
            parts.append(b"&" + base64.rstrip(b"=").replace(b"/", b",") + b"-")
    return b"".join(parts)


def mailbox_name(raw: bytes) -> str:
    """The name as text: modified UTF-7 or UTF-8 where it is, else readable with \\xNN. Never fails (M 2.13)."""
    if raw.isascii():
        try:
            return decode(raw)
        except ValueError:
            return readable(raw)
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return readable(raw)


def _direct(raw: bytes) -> str:
    if b"&" in raw or not raw.isascii():
        raise ValueError("a byte that has to be shifted")
    return raw.decode("ascii")


def _shifted(base64: bytes) -> str:
    if not base64:
        return "&"
    padded = base64.replace(b",", b"/") + b"=" * (-len(base64) % 4)
    return binascii.a2b_base64(padded, strict_mode=True).decode("utf-16-be")
