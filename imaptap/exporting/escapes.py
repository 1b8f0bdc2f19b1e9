"""Bytes as text that is exact, that no terminal obeys, and that can be read back.

Printable characters of UTF-8 stand for themselves, all other bytes are `\\xNN`, a backslash is two.
"""

from __future__ import annotations

import re

_DOUBTFUL = re.compile(r"[^ -\[\]-~]")


def escaped(data: bytes) -> str:
    """The bytes as text."""
    text = data.decode("utf-8", "surrogateescape")
    if text.isprintable() and "\\" not in text:  # as nearly always
        return text
    return _DOUBTFUL.sub(_escape, text)


def _escape(doubtful: re.Match[str]) -> str:
    character = doubtful[0]
    if character == "\\":
        return "\\\\"
    if character.isprintable():
        return character
    return "".join(f"\\x{byte:02x}" for byte in character.encode("utf-8", "surrogateescape"))
