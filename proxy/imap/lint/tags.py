"""Tags and their answers (RFC 9051 sections 2.2.1, 2.2.2 and 5.5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.imap.grammar.quirks import Quirk
from proxy.imap.lint.heard import Kind
from proxy.imap.lint.rules import ERROR, NOTE, WARNING, Family
from proxy.imap.transcript import Direction, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proxy.imap.lint.heard import FromClient, FromServer
    from proxy.imap.lint.known import Known
    from proxy.imap.lint.rules import Finding

FAMILY = Family("tags")
C, S = Direction.CLIENT, Direction.SERVER

TAG_IN_FLIGHT = FAMILY.rule(
    "tag-in-flight", C, ERROR, "9051 2.2.1", "The tag is that of a command which has not been answered yet."
)
TAG_REUSED = FAMILY.rule(
    "tag-reused", C, WARNING, "9051 2.2.1", "The tag has been used in this session before; told once a session."
)
ILLEGAL_TAG = FAMILY.rule(
    "illegal-tag", C, ERROR, "9051 9", "The tag has characters that tags may not hold: no server can answer it."
)
NO_COMMAND = FAMILY.rule("no-command", C, ERROR, "9051 2.2.1", "A line has a tag, or less, and no command.")
UNKNOWN_TAG = FAMILY.rule(
    "unknown-tag", S, ERROR, "9051 2.2.2", "A tagged response has a tag that the client never used."
)
ANSWERED_TWICE = FAMILY.rule("answered-twice", S, ERROR, "9051 2.2.2", "A command gets a second tagged response.")
TAG_OF_ANOTHER_CASE = FAMILY.rule(
    "tag-case", S, ERROR, "9051 2.2.1", "A tagged response spells the command's tag in another case."
)
TAGGED_BYE = FAMILY.rule("tagged-bye", S, ERROR, "9051 7.1.5", "A BYE has a tag, and is always untagged.")
TAGGED_PREAUTH = FAMILY.rule("tagged-preauth", S, ERROR, "9051 7.1.4", "A PREAUTH has a tag.")
UNTAGGED_BAD = FAMILY.rule(
    "refused-untagged", S, NOTE, "9051 7.1.3", "A command whose tag cannot be read is refused with an untagged BAD."
)


def client(heard: FromClient, known: Known) -> Iterator[Finding]:
    """What is wrong with a client's tags."""
    if heard.kind is not Kind.COMMAND:
        return
    said, tag = heard.said, heard.head.tag
    if not heard.head.name:
        if tag.upper() != b"DONE":  # told by done-without-idle
            yield said.found(NO_COMMAND)
    elif not heard.head.legal:
        yield said.found(ILLEGAL_TAG)
    elif known.flights.has_tag(tag):
        yield said.found(TAG_IN_FLIGHT)
    elif tag in known.tags and known.first_time("tag-reused"):
        yield said.found(TAG_REUSED)


def server(heard: FromServer, known: Known) -> Iterator[Finding]:
    """What is wrong with a server's answers."""
    said, head = heard.said, heard.head
    names = heard.parsed.names
    if head.tag is None or not head.status:
        if head.status == "BAD" and said.exchange and said.exchange.outcome is Outcome.RULE:
            yield said.found(UNTAGGED_BAD)
        return
    if Quirk.TAGGED_BYE in names:
        yield said.found(TAGGED_BYE)
    if head.status == "PREAUTH":
        yield said.found(TAGGED_PREAUTH)
    if said.exchange is not None:
        return
    if head.tag in known.tags:
        yield said.found(ANSWERED_TWICE)
    elif known.flights.has_tag(head.tag, any_case=True):
        yield said.found(TAG_OF_ANOTHER_CASE)
    else:
        yield said.found(UNKNOWN_TAG)
