"""Literals and what asks for them (RFC 9051 sections 4.3 and 7.6, RFC 7888, RFC 3516)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from proxy.imap.grammar import Raw
from proxy.imap.grammar.append import Append, Replace, Whole
from proxy.imap.lint.heard import Kind
from proxy.imap.lint.rules import ERROR, NOTE, WARNING, Family, Finding
from proxy.imap.transcript import Direction

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from proxy.imap.grammar.append import AppendMessage
    from proxy.imap.lint.heard import FromClient, FromServer, Heard, Said
    from proxy.imap.lint.known import Known
    from proxy.imap.lint.rules import Rule
    from proxy.imap.units import Literal

LITERAL_MINUS = 4096
"""The largest literal that LITERAL- lets a client send unasked (RFC 7888 section 5)."""

FAMILY = Family("literals")
C, S = Direction.CLIENT, Direction.SERVER

UNANNOUNCED = FAMILY.rule(
    "literal-plus-unannounced", C, ERROR, "7888 3",
    "A literal is sent without waiting, though the server says neither LITERAL+ nor LITERAL-.",
)  # fmt: skip
TOO_LARGE = FAMILY.rule(
    "literal-minus-too-large", C, ERROR, "7888 5",
    f"A literal of more than {LITERAL_MINUS} bytes is sent without waiting, and the server says LITERAL- only.",
)  # fmt: skip
NOT_WAITED = FAMILY.rule(
    "literal-not-waited-for", C, ERROR, "9051 4.3", "A literal is sent before the server's go-ahead."
)
BINARY_UNANNOUNCED = FAMILY.rule(
    "literal8-unannounced",
    C,
    ERROR,
    "3516 4.4",
    "A literal with ~ is sent, and the server says neither BINARY nor UTF8."
)  # fmt: skip
WRONG_COUNT = FAMILY.rule(
    "literal-count", None, ERROR, "9051 4.3", "What follows a literal cannot: its count of bytes must be wrong."
)
LEADING_ZERO = FAMILY.rule("literal-leading-zero", None, WARNING, "9051 9", "The size of a literal begins with 0.")
SERVER_NONSYNC = FAMILY.rule(
    "server-literal-plus", S, ERROR, "7888 3", "A server's literal is announced with +, which only clients may do."
)
SERVER_BINARY = FAMILY.rule(
    "literal8-unasked", S, ERROR, "9051 4.3.1", "A server's literal with ~ stands outside of BINARY data."
)
APPEND_EMPTY = FAMILY.rule("append-empty", C, WARNING, "9051 6.3.12", "An APPEND has a message of no bytes.")
UNASKED_CONTINUATION = FAMILY.rule(
    "continuation-unasked", S, ERROR, "9051 7.6", "The server says + and no command waits for it."
)
REFUSED_SENT = FAMILY.rule(
    "literal-refused", S, NOTE, "9051 4.3", "The server refuses a command before its literal was sent."
)
BARE_PLUS = FAMILY.rule("bare-plus", S, NOTE, "9051 7.6", "A + has no blank behind it.")

_SIZE = re.compile(rb"~?\{(0[0-9]+)\+?\}\r?\n\Z")
_BINARY = frozenset({"METADATA", "URLFETCH"})
"""Data whose values may be binary too (RFC 5464, RFC 5524)."""
_AFTER = frozenset(b" )]\r\n>")


def client(heard: FromClient, known: Known) -> Iterator[Finding]:
    """What is wrong with a client's literals."""
    if heard.kind is not Kind.COMMAND:
        return
    said = heard.said
    yield from _either(heard)
    literals = said.unit.literals
    eager = [literal for literal in literals if not literal.synchronising]
    yield from _first(
        said, BINARY_UNANNOUNCED, (each for each in literals if each.binary), known, "BINARY", "UTF8=ACCEPT"
    )
    yield from _first(said, UNANNOUNCED, eager, known, "LITERAL+", "LITERAL-")
    if known.offers("LITERAL-"):
        large = (each for each in eager if each.size > LITERAL_MINUS)
        yield from _first(said, TOO_LARGE, large, known, "LITERAL+")
    for message in _messages(heard):
        if isinstance(message.data, Whole) and message.data.data == b"":
            yield said.found(APPEND_EMPTY)


def server(heard: FromServer, known: Known) -> Iterator[Finding]:
    """What is wrong with a server's literals and its go-aheads."""
    said = heard.said
    yield from _either(heard)
    eager = next((each for each in said.unit.literals if not each.synchronising), None)
    if eager is not None:
        yield said.found(SERVER_NONSYNC, eager.start)
    may_be = heard.head.kind in _BINARY or any(b"BINARY" in text.upper() for text in said.unit.texts)
    if not may_be and any(each.binary for each in said.unit.literals):
        yield said.found(SERVER_BINARY)
    if heard.head.kind == "+":
        yield from _continuation(heard, known)
    elif heard.head.tag is not None and said.exchange and "literal refused" in said.exchange.marks:
        yield said.found(REFUSED_SENT)


def _first(said: Said, rule: Rule, literals: Iterable[Literal], known: Known, *capabilities: str) -> Iterator[Finding]:
    """The first of these literals, where the server has said that it has none of the capabilities."""
    literal = next(iter(literals), None)
    if literal is not None and known.offers(*capabilities) is False:
        yield said.found(rule, literal.start, f"{literal.size} bytes")


def _continuation(heard: FromServer, known: Known) -> Iterator[Finding]:
    said = heard.said
    flight = known.flight(said.exchange)
    if said.line == b"+":
        yield said.found(BARE_PLUS)
    if said.exchange is None:
        yield said.found(UNASKED_CONTINUATION)
    elif flight is not None and flight.continued < len(flight.awaited):
        came, start = flight.awaited[flight.continued]
        if came is not None and came < said.at:
            # The client's fault, and seen only now.
            yield Finding(NOT_WAITED, C, flight.number, came, start, b"")


def _either(heard: Heard) -> Iterator[Finding]:
    said = heard.said
    place = said.unit.start
    for text, literal in zip(said.unit.texts, said.unit.literals, strict=False):
        if match := _SIZE.search(text):
            yield said.found(LEADING_ZERO, place + match.start())
            break
        place = literal.start + literal.size
    miscounted = miscounted_literal(heard)
    if miscounted is not None:
        yield said.found(WRONG_COUNT, miscounted.start + miscounted.size, f"after {miscounted.size} bytes")


def miscounted_literal(heard: Heard) -> Literal | None:
    """The literal behind which something comes that cannot: by its first byte, or because the grammar stops there."""
    said = heard.said
    for literal, text in zip(said.unit.literals, said.unit.texts[1:], strict=False):
        if text and text[0] not in _AFTER:
            return literal
    raw = heard.parsed.value if heard.parsed and said.whole else None
    stopped = said.unit.start + raw.at if isinstance(raw, Raw) else None
    return next((each for each in said.unit.literals if each.start + each.size == stopped), None)


def _messages(heard: FromClient) -> tuple[AppendMessage, ...]:
    body = heard.body
    if isinstance(body, Append):
        # Of several, an empty one at the end cancels the command (RFC 3502).
        return body.messages[:1] if len(body.messages) == 1 else ()
    return (body.message,) if isinstance(body, Replace) else ()
