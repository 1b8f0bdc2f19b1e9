"""Recordings of many different exchanges, told at random, for filters to choose from."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from proxy.imap.transcript import (
    Certainty,
    Direction,
    Ending,
    Event,
    EventKind,
    Exchange,
    Layer,
    LiteralPart,
    Origin,
    Outcome,
    Piece,
    SessionClosed,
    SessionOpened,
    Span,
)
from tests.storage.scenes import WALL

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proxy.imap.transcript import Record

COMMANDS = ("FETCH", "UID FETCH", "NOOP", "UID STORE", "ID", "XYZZY", "", "SELECT", "ÄÖ", "UID", "APPEND")
MAILBOXES = (None, "INBOX", "inbox", "Work/Müll", "Work/100%", "a_b", "ẞ", "", "Entw&APw-rfe")
STATUSES = (None, "OK", "NO", "BAD", "BYE")
CODES = (None, "TRYCREATE", "COPYUID 1 2 3", "UNKNOWN-CTE", "X%Y_Z!")
FLAGS = ("", r"\Seen", r"\Seen $Junk", r"\Deleted \Flagged", "Ünread")
MARKS = ((), ("tag reused",), ("tag reused", "illegal tag"))
TAGS = ("a1", "A1", "a10", "%", "_", "!", ".", "tag")
SAID = ("over quota", "Over-Quota!", "quota over", "übermorgen", "an invoice of 語", "x" * 70, "1 2 3", "''':*|&")
CAPS = ("IMAP4rev1 IDLE", "IMAP4rev1 CONDSTORE X=Y", "")
CLIENTS = ("127.0.0.1:50000", "[::1]:993", "10.0.0.7:5%5", "unknown")
NAMES = ("Thunderbird", "iPhone Mail", "")
UPSTREAMS = ("imaps://mail.example.org:993", "imap://mail2.example.org", "unknown")
DATES = (
    "01-Nov-2026 10:05:06 +0000",
    " 1-Nov-2026 12:05:06 +0100",
    "14-Nov-2023 22:13:20 +0000",
    "17-Jul-1969 00:00:00 -0700",
)
KINDS = (EventKind.REWRITE, EventKind.SECURITY)


@dataclass
class Tale:
    """One session; in one that goes on, the last exchange may be open."""

    seed: int
    goes_on: bool = False
    at: int = 0
    ends: list[int] = field(default_factory=lambda: [0, 0])

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)  # noqa: S311
        self.number = self.seed % 100
        self.caps, self.name = CAPS[self.seed % len(CAPS)], NAMES[self.seed % len(NAMES)]

    def records(self, exchanges: int) -> Iterator[Record]:
        client, upstream = CLIENTS[self.seed % len(CLIENTS)], UPSTREAMS[self.seed % len(UPSTREAMS)]
        yield SessionOpened(self.number, WALL + self.seed * 10**9, client, "imaps://x:1", upstream)
        yield from self._say(Direction.SERVER, None, f"* OK [CAPABILITY {self.caps}] hello\r\n")
        for number in range(1, exchanges + 1):
            yield from self._exchange(number, last=number == exchanges)
        if not self.goes_on:
            yield SessionClosed(self.number, self.at, Ending.CLIENT, "end of stream", *self.ends)

    def _exchange(self, number: int, *, last: bool) -> Iterator[Record]:
        pick = self.chance.choice
        command, started, before = pick(COMMANDS), self.at, list(self.ends)
        arguments = self._arguments(command)
        message = "hello\r\n" if command == "APPEND" else ""
        yield from self._say(Direction.CLIENT, number, f"{number} {command} {arguments}\r\n{message}")
        if self.chance.random() < 0.2:
            yield Event(self.number, self.at, pick(KINDS), "told")
        self.at += pick((1, 999, 1000, 500_000, 3_000_000))
        for line in self._answers():
            yield from self._say(Direction.SERVER, number, line, pick(list(Certainty)))
        if self.chance.random() < 0.1:
            yield from self._letter(number)
        is_open = last and self.goes_on
        ended = None if is_open or self.chance.random() < 0.1 else self.at
        outcome = Outcome.OPEN if is_open else pick([each for each in Outcome if each is not Outcome.OPEN])
        sizes = [after - first for first, after in zip(before, self.ends, strict=True)]
        yield Exchange(
            self.number, number, pick(TAGS), command, arguments, pick(MAILBOXES), pick(list(Origin)), outcome,
            pick(STATUSES), pick(CODES), pick(SAID), started, ended, sizes[0], sizes[1],
            pick(((), (("FETCH", 2),), (("EXISTS", 1), ("FETCH", 1)))), pick(MARKS),
        )  # fmt: skip
        self.at += 10

    def _arguments(self, command: str) -> str:
        uids = self.chance.choice(("1", "5:7,9", "4:*", "7"))
        return {
            "UID FETCH": f"{uids} (FLAGS)",
            "UID STORE": f"{uids} +FLAGS ({self.chance.choice(FLAGS)})",
            "ID": f'("name" "{self.name}")',
            "APPEND": f'INBOX ({self.chance.choice(FLAGS)}) "{self.chance.choice(DATES)}" {{5}}',
        }.get(command, self.chance.choice(SAID))

    def _answers(self) -> Iterator[str]:
        for _ in range(self.chance.randrange(3)):
            uid, flags, said = self.chance.randrange(12), self.chance.choice(FLAGS), self.chance.choice(SAID)
            date = self.chance.choice((*DATES, "31-Feb-2026 10:00:00 +0000"))
            yield self.chance.choice((
                f'* 3 FETCH (FLAGS ({flags}) INTERNALDATE "{date}")\r\n',
                f"* {uid}  EXISTS\r\n",
                f"* 1 FETCH (UID {uid} FLAGS ({flags}))\r\n",
                f'* 2 FETCH (ENVELOPE ("{said}") UID {uid})\r\n',
                f"* OK {said}\r\n",
                f"* CAPABILITY {self.caps} MORE{self.chance.randrange(5)}\r\n",
            ))  # fmt: skip

    def _letter(self, number: int) -> Iterator[Record]:
        text = "a letter that nobody finds\r\n" * 200
        yield from self._say(Direction.SERVER, number, f"* 3 FETCH (BODY[] {{{len(text)}}}\r\n")
        yield from self._say(Direction.SERVER, number, text, literal=True)
        yield from self._say(Direction.SERVER, number, " UID 11)\r\n")

    def _say(
        self, direction: Direction, exchange: int | None, text: str, certainty: Certainty = Certainty.SURE, *,
        literal: bool = False,
    ) -> Iterator[Record]:  # fmt: skip
        data = text.encode()
        start, self.ends[direction] = self.ends[direction], self.ends[direction] + len(data)
        self.at += 1
        part = LiteralPart(start, len(data)) if literal else None
        yield Piece(self.number, direction, start, self.at, Layer.TLS, data, (), part)
        end = self.ends[direction]
        yield Span(self.number, exchange, direction, start, end, self.at, self.at, 1, certainty)
