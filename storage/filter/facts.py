"""The facts that a filter can ask for: one table for the parser, the index, the documentation and the shell.

Each exchange has words (none, one or several of a fact), numbers (ranges of whole numbers) and what was said in it.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Final


class Kind(enum.Enum):
    """What a fact is compared with."""

    WORD = "word"
    TEXT = "text"
    NUMBER = "number"
    DURATION = "duration"
    SIZE = "size"
    TIME = "time"


class Place(enum.Enum):
    """Where the index keeps a fact (docs/schema.md, `filter_row`)."""

    EXCHANGE = "exchange"
    MAILBOX = "mailbox"
    FLAGS = "flags"
    SESSION = "session"
    RECORDING = "recording"
    ROW = "row"
    UID = "uid"
    DATE = "date"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Fact:
    """`meaning` and `example` are for people."""

    name: str
    kind: Kind
    place: Place
    meaning: str
    example: str


FACTS: Final = {
    fact.name: fact
    for fact in (
        Fact("cmd", Kind.WORD, Place.EXCHANGE, "the command; with `UID` in front it has both names", "cmd:FETCH"),
        Fact("tag", Kind.WORD, Place.ROW, "its tag", "tag:a0*"),
        Fact("mailbox", Kind.WORD, Place.MAILBOX, "the mailbox it names or works on", 'mailbox:"Work/*"'),
        Fact("status", Kind.WORD, Place.EXCHANGE, "of the tagged answer; `not status:*`: none", "status:NO"),
        Fact("code", Kind.WORD, Place.EXCHANGE, "name of its response code", "code:TRYCREATE"),
        Fact("outcome", Kind.WORD, Place.EXCHANGE, "how it stands or ended", 'outcome:"ended by BYE"'),
        Fact("origin", Kind.WORD, Place.EXCHANGE, "who sent it: `client`, or imaptap as `proxy`", "origin:proxy"),
        Fact("response", Kind.WORD, Place.EXCHANGE, "kinds of untagged responses", "response:EXPUNGE"),
        Fact("mark", Kind.WORD, Place.EXCHANGE, "remarks on what was odd", 'mark:"tag reused"'),
        Fact("quirk", Kind.WORD, Place.EXCHANGE, "departures from the RFCs: docs/grammar.md", "quirk:DOUBLED_SPACE"),
        Fact("certainty", Kind.WORD, Place.EXCHANGE, "how surely its responses belong to it", "certainty:likely"),
        Fact("event", Kind.WORD, Place.EXCHANGE, "kinds of events in its session while it was open", "event:security"),
        Fact("flag", Kind.WORD, Place.FLAGS, "flags in STORE, APPEND and FETCH responses", "flag:\\Deleted"),
        Fact("uid", Kind.NUMBER, Place.UID, "UIDs in UID commands and in FETCH responses", "uid:4711"),
        Fact("internaldate", Kind.TIME, Place.DATE, "dates in FETCH responses and APPEND", "internaldate>2026-11-01"),
        Fact("text", Kind.TEXT, Place.TEXT, "words that were said, in this order", 'text:"over quota"'),
        Fact("ms", Kind.DURATION, Place.ROW, "how long it took", "ms>500"),
        Fact("bytes", Kind.SIZE, Place.ROW, "bytes of both sides", "bytes>1MB"),
        Fact("client_bytes", Kind.SIZE, Place.ROW, "bytes of the client", "client_bytes>=30KB"),
        Fact("server_bytes", Kind.SIZE, Place.ROW, "bytes of the server", "server_bytes=0"),
        Fact("at", Kind.TIME, Place.ROW, "when it began", "at>2026-11-01T10:00"),
        Fact("recording", Kind.WORD, Place.RECORDING, "name of the recording", "recording:nightly*"),
        Fact("session", Kind.NUMBER, Place.SESSION, "number of the session", "session:3"),
        Fact("client", Kind.WORD, Place.SESSION, "its address, or its name or version in ID", "client:Thunderbird"),
        Fact("server", Kind.WORD, Place.SESSION, "the server: URL, host with port, host", "server:mail.example.org"),
        Fact("cap", Kind.WORD, Place.SESSION, "capabilities that its server announced", "cap:CONDSTORE"),
    )
}  # fmt: skip
"""By name, in the order in which they are documented."""


@dataclass(frozen=True, slots=True)
class Short:
    """A word that stands for a fact and its value."""

    name: str
    fact: str
    value: str


SHORTS: Final = {
    short.name: short
    for short in (
        Short("open", "outcome", "open"),
        Short("incomplete", "outcome", "incomplete"),
        Short("unsolicited", "certainty", "unsolicited"),
        Short("ambiguous", "certainty", "ambiguous"),
        Short("odd", "mark", "*"),
        Short("quirk", "quirk", "*"),
        Short("rewrite", "event", "rewrite"),
    )
}
"""Words that need no value."""

OPERATORS: Final = ("=", "!=", ">", ">=", "<", "<=")
"""`:` is another way to write `=`."""
