"""Lines and their bytes (RFC 9051 sections 2.2 and 4)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from proxy.imap.lint.heard import Kind
from proxy.imap.lint.rules import ERROR, NOTE, WARNING, Family
from proxy.imap.transcript import Direction

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proxy.imap.lint.heard import FromClient, FromServer, Said
    from proxy.imap.lint.known import Known
    from proxy.imap.lint.rules import Finding, Rule

LINE_MOST = 8192
"""Octets of a command line beyond which a server may refuse it (RFC 7162 section 4)."""

FAMILY = Family("framing")
C, S = Direction.CLIENT, Direction.SERVER

BARE_LF = FAMILY.rule("bare-lf", None, ERROR, "9051 2.2", "A line ends in LF without CR.")
BARE_CR = FAMILY.rule("bare-cr", None, ERROR, "9051 9", "A CR stands within a line.")
NUL = FAMILY.rule("nul", None, ERROR, "9051 4.3", "There is a NUL outside of binary literals.")
EIGHT_BIT = FAMILY.rule(
    "eight-bit", None, ERROR, "3501 4.3.1", "8-bit bytes stand outside of literals, though UTF-8 is not enabled."
)
TEXT_EIGHT_BIT = FAMILY.rule(
    "text-eight-bit", S, NOTE, "3501 9", "The text for people has 8-bit bytes, which IMAP4rev1 does not allow."
)
BLANK_LINE = FAMILY.rule("blank-line", None, WARNING, "9051 2.2", "A line has nothing in it.")
LONG_LINE = FAMILY.rule(
    "long-line", C, WARNING, "7162 4", f"A command's line is longer than {LINE_MOST} bytes; servers may refuse it."
)
LEADING_SPACE = FAMILY.rule("leading-space", None, ERROR, "9051 2.2", "A line begins with a blank.")
CUT = FAMILY.rule("cut", None, NOTE, "9051 2.2", "The session ends within a command or a response.")

_LF, _CR, _NUL = (re.compile(pattern) for pattern in (rb"(?<!\r)\n", rb"\r(?!\r?\n)", rb"\0"))
_HIGH = re.compile(rb"[\x80-\xff]")
_TEXT = re.compile(rb"(?:[^ \r\n]+ +(?:OK|NO|BAD|BYE|PREAUTH)\b|\+)", re.IGNORECASE)


def client(heard: FromClient, known: Known) -> Iterator[Finding]:
    """What is wrong with a client's lines."""
    said = heard.said
    yield from _either(said)
    if heard.kind is Kind.BLANK:
        yield said.found(BLANK_LINE)
    if heard.kind is Kind.COMMAND:
        yield from _lengths(said)
    if not known.utf8 and heard.kind is not Kind.SASL:
        yield from _first(said, _HIGH, EIGHT_BIT)


def server(heard: FromServer, known: Known) -> Iterator[Finding]:
    """What is wrong with a server's lines."""
    said = heard.said
    yield from _either(said)
    if not said.line:
        yield said.found(BLANK_LINE)
    if not known.utf8:
        rule = TEXT_EIGHT_BIT if _TEXT.match(said.line) else EIGHT_BIT
        yield from _first(said, _HIGH, rule)


def _either(said: Said) -> Iterator[Finding]:
    flaws = said.unit.flaws
    if "bare LF" in flaws:
        yield from _first(said, _LF, BARE_LF)
    if "bare CR" in flaws:
        yield from _first(said, _CR, BARE_CR)
    if "cut" in flaws and not (said.exchange and "literal refused" in said.exchange.marks):
        yield said.found(CUT)
    if said.line[:1] in {b" ", b"\t"}:
        yield said.found(LEADING_SPACE)
    yield from _first(said, _NUL, NUL)
    for literal in said.unit.literals:
        if not literal.binary and literal.content and b"\0" in literal.content:
            yield said.found(NUL, literal.start + literal.content.index(b"\0"), "in a literal")
            return


def _lengths(said: Said) -> Iterator[Finding]:
    place = said.unit.start
    for number, text in enumerate(said.unit.texts):
        if len(text) > LINE_MOST:
            yield said.found(LONG_LINE, place, f"{len(text)} bytes")
            return
        place += len(text) + (said.unit.literals[number].size if number < len(said.unit.literals) else 0)


def _first(said: Said, wanted: re.Pattern[bytes], rule: Rule) -> Iterator[Finding]:
    """The first place in the text that looks so."""
    place = said.unit.start
    for number, text in enumerate(said.unit.texts):
        if match := wanted.search(text):
            yield said.found(rule, place + match.start())
            return
        place += len(text) + (said.unit.literals[number].size if number < len(said.unit.literals) else 0)
