"""OK, NO, BAD, BYE and PREAUTH, tagged or not, and `+` (RFC 9051 section 7.1, 7.6)."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

from proxy.imap.grammar.codes import AnyCode
from proxy.imap.grammar.quirks import Quirk
from proxy.imap.grammar.resp_text_code import resp_text_code

if TYPE_CHECKING:
    from proxy.imap.grammar.cursor import Cursor
    from proxy.imap.grammar.writer import Writer


class Condition(enum.Enum):
    """The status word."""

    OK = b"OK"
    NO = b"NO"
    BAD = b"BAD"
    BYE = b"BYE"
    PREAUTH = b"PREAUTH"


CONDITIONS = {condition.value: condition for condition in Condition}
"""Word in capitals -> condition."""


@dataclass(frozen=True, slots=True)
class Status:
    """resp-cond-state, resp-cond-auth, resp-cond-bye: the condition, the code in brackets, the text for people."""

    condition: Condition
    code: AnyCode | None
    text: bytes

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.raw(self.condition.value)
        write_resp_text(w, self.code, self.text)


@dataclass(frozen=True, slots=True)
class BareCode:
    """A line that is only a response code and text: the status word is missing (M 11.3)."""

    code: AnyCode
    text: bytes

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.raw(b"[")
        self.code.write(w)
        w.raw(b"]")
        if self.text:
            w.raw(b" " + self.text)


@dataclass(frozen=True, slots=True)
class Continuation:
    """continue-req: `+`, a code or None, and text or base64 (RFC 9051 section 7.6)."""

    code: AnyCode | None
    text: bytes

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.raw(b"+")
        write_resp_text(w, self.code, self.text)


def write_resp_text(w: Writer, code: AnyCode | None, text: bytes) -> None:
    """A space and resp-text."""
    w.sp()
    if code is not None:
        w.raw(b"[")
        code.write(w)
        w.raw(b"]")
        if text:
            w.sp()
    w.raw(text)


def resp_text(c: Cursor) -> tuple[AnyCode | None, bytes]:
    """resp-text, perhaps none: "[" opens a code right here only (M 2.5)."""
    if c.at_end():
        c.note(Quirk.NO_TEXT, c.pos)
        return None, b""
    c.sp()
    code = resp_text_code(c) if c.at(b"[") else None
    if code is not None:
        c.accept(b" ")
    return code, c.text()


def status(c: Cursor, condition: Condition) -> Status:
    """What follows the status word."""
    return Status(condition, *resp_text(c))


def continue_req(c: Cursor) -> Continuation:
    """What follows "+"."""
    if c.at_end():
        c.note(Quirk.NO_TEXT, c.pos)
        return Continuation(None, b"")
    if not c.accept(b" "):
        c.note(Quirk.MISSING_SPACE, c.pos)
    code = resp_text_code(c) if c.at(b"[") else None
    if code is not None:
        c.accept(b" ")
    return Continuation(code, c.text())


def bare_code(c: Cursor) -> BareCode:
    """A line that starts with a response code."""
    start = c.pos
    code = resp_text_code(c)
    if code is None:
        c.stop("a status", start)
    c.note(Quirk.NO_STATUS, start)
    c.accept(b" ")
    return BareCode(code, c.text())
