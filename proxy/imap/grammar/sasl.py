"""LOGIN, AUTHENTICATE and the lines of a SASL exchange (RFC 9051 sections 6.2.2 and 6.2.3, RFC 4959)."""

from __future__ import annotations

import binascii
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from proxy.imap.grammar.quirks import Quirk

if TYPE_CHECKING:
    from proxy.imap.grammar.cursor import Cursor
    from proxy.imap.grammar.values import String
    from proxy.imap.grammar.writer import Writer

_MECHANISM = re.compile(rb"[A-Za-z0-9\-_+.]++")
_RESPONSE = re.compile(rb"[^ \r\n]++")


@dataclass(frozen=True, slots=True)
class Login:
    """The command LOGIN. Where it comes from a recording, both are masked; `repr` shows neither."""

    user: String
    password: String

    def __repr__(self) -> str:
        return "Login(…)"

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.raw(b"LOGIN ")
        w.astring(self.user)
        w.sp()
        w.astring(self.password)


@dataclass(frozen=True, slots=True)
class Authenticate:
    """The command AUTHENTICATE: the mechanism in capitals; the initial response as sent, `=` for an empty one."""

    mechanism: bytes
    initial: bytes | None = None

    def __repr__(self) -> str:
        return f"Authenticate({self.mechanism!r}, …)"

    @property
    def initial_response(self) -> bytes | None:
        """The initial response without its base64; None where there is none, or where it is none."""
        return None if self.initial is None else base64_content(self.initial)

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.raw(b"AUTHENTICATE " + self.mechanism)
        if self.initial is not None:
            w.raw(b" " + self.initial)


@dataclass(frozen=True, slots=True)
class SaslLine:
    """A client's answer to a challenge: base64 as sent, `*` to cancel."""

    raw: bytes

    def __repr__(self) -> str:
        return "SaslLine(…)"

    @property
    def cancels(self) -> bool:
        """Whether the client gives up."""
        return self.raw == b"*"

    @property
    def content(self) -> bytes | None:
        """What it says without its base64; None where it is none."""
        return base64_content(self.raw)

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.raw(self.raw)


def base64_content(raw: bytes) -> bytes | None:
    """The bytes that a base64 text stands for; `=` alone is none at all (RFC 4959). None where it is no base64."""
    if raw == b"=":
        return b""
    try:
        return binascii.a2b_base64(raw, strict_mode=True)
    except binascii.Error:
        return None


def login(c: Cursor) -> Login:
    """The command login."""
    c.sp()
    user = c.astring()
    c.sp()
    return Login(user, c.astring())


def authenticate(c: Cursor) -> Authenticate:
    """The command authenticate."""
    c.sp()
    mechanism = _word(c, _MECHANISM, "a mechanism").upper()
    initial = _word(c, _RESPONSE, "base64") if c.more() else None
    return Authenticate(mechanism, initial)


def _word(c: Cursor, pattern: re.Pattern[bytes], expected: str) -> bytes:
    """A word of the pattern; as a string, it is a quirk."""
    start = c.pos
    if not (c.at(b'"') or c.at(b"{")):
        return c.take(pattern, expected)[0]
    word = c.string()
    if not isinstance(word, bytes) or pattern.fullmatch(word) is None:
        c.stop(expected, start)
    c.note(Quirk.STRING_FOR_ATOM, start)
    return word


def sasl_line(c: Cursor) -> SaslLine:
    """A whole line."""
    return SaslLine(c.text())
