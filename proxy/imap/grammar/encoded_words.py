"""Header text as people write it: encoded words undone (RFC 2047), as a view beside the raw bytes."""

from __future__ import annotations

import binascii
import codecs
import re
from typing import TYPE_CHECKING

from proxy.imap.transcript import readable

if TYPE_CHECKING:
    from collections.abc import Iterator

_WORD = re.compile(rb"=\?([^?*\s]{1,64})(?:\*[^?\s]{0,64})?\?([BbQq])\?([^?\s]*)\?=")
_HEX = re.compile(rb"=([0-9A-Fa-f]{2})")
_BASE64 = re.compile(rb"[A-Za-z0-9+/]*={0,2}")
_BLANK = re.compile(rb"[ \t\r\n]*")


def decoded(raw: bytes) -> str:
    """The text of a header: encoded words decoded, the space between two of them dropped (RFC 2047 section 6.2).

    A word of an unknown charset, or that is no base64, stays as it stands. Never fails.
    """
    return "".join(text for _, text in _pieces(raw))


def _pieces(raw: bytes) -> Iterator[tuple[bool, str]]:
    """(is an encoded word, text). Words of one charset that follow each other are decoded together: some cut characters
    in two."""
    pos = 0
    kept: list[bytes] = []
    charset = ""
    for match in _WORD.finditer(raw):
        content, name = _content(match[2], match[3]), _charset(match[1])
        if content is None or name is None:
            continue
        between = raw[pos : match.start()]
        if kept and (name != charset or _BLANK.fullmatch(between) is None):
            yield True, _text(kept, charset)
            kept = []
        if between and (pos == 0 or _BLANK.fullmatch(between) is None):
            yield False, readable(between)
        kept.append(content)
        charset, pos = name, match.end()
    if kept:
        yield True, _text(kept, charset)
    yield False, readable(raw[pos:])


def _text(parts: list[bytes], charset: str) -> str:
    content = b"".join(parts)
    try:
        return content.decode(charset, "replace")
    except ValueError:  # some codecs know no replacing
        return readable(content)


def _charset(name: bytes) -> str | None:
    try:
        found = codecs.lookup(name.decode("ascii"))
        b"a".decode(found.name, "replace")  # some codecs make no text
    except (LookupError, ValueError):
        return None
    return found.name


def _content(encoding: bytes, text: bytes) -> bytes | None:
    if encoding in b"Qq":
        return _HEX.sub(lambda code: bytes([int(code[1], 16)]), text.replace(b"_", b" "))
    if _BASE64.fullmatch(text) is None:
        return None
    try:
        return binascii.a2b_base64(text + b"=" * (-len(text) % 4))
    except binascii.Error:
        return None
