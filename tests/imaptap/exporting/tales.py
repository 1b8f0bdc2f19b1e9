"""Sessions of everything that a round trip may lose, each opened at a time of its own."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from proxy.imap.conversation import Conversation
from proxy.imap.transcript import Ending, EventKind, Layer, SessionOpened
from tests.imaptap.exporting.exported import hostile
from tests.imaptap.telling import LETTER, WALL, C, S, Tale, typed_session

if TYPE_CHECKING:
    from proxy.imap.transcript import Direction, Record

HOUR = 3_600_000_000
LONG = 70_000
"""More than any reader takes in at once: 64 KiB."""


class Wire:
    """A session in chunks of both sides and in their layers, a quarter of a second each."""

    def __init__(self, upstream: str = "imaps://mail.example.org:993") -> None:
        self._conversation = Conversation(1)
        self._upstream = upstream
        self._at = 0
        self._deflate = {side: zlib.compressobj(wbits=-15) for side in (C, S)}

    def send(self, direction: Direction, data: bytes, layer: Layer = Layer.TLS) -> Wire:
        self._at += 250_000
        self._conversation.receive(direction, data, self._at, layer)
        return self

    def deflated(self, direction: Direction, data: bytes) -> Wire:
        packer = self._deflate[direction]
        return self.send(direction, packer.compress(data) + packer.flush(zlib.Z_SYNC_FLUSH))

    def end(self) -> list[Record]:
        self._conversation.close(self._at + 1, Ending.SERVER, "end of stream")
        opened = SessionOpened(1, WALL, "127.0.0.1:50001", "imap://localhost:1143", self._upstream)
        return [opened, *self._conversation.take()]


def _literals() -> list[Record]:
    """Both ways, waited for and not; an empty one, one within a line, one of 4 KiB and more, of bytes of all kinds."""
    tale = Tale().say("S: * PREAUTH hi\nC: a APPEND x {6}\nS: + go").send(C, b"a\nb\r\n \r\n").say("S: a OK")
    tale.send(C, b"b SEARCH FROM {0+}\r\n TO {3+}\r\nab\n\r\n").say("S: * SEARCH\nS: b OK\nC: c FETCH 1 BODY[]")
    every = bytes(range(256)) * 20
    tale.send(S, b"* 1 FETCH (BODY[] {%d}\r\n" % len(every), every[:3000], every[3000:] + b" UID 7)\r\nc OK\r\n")
    return tale.say("C: d LOGOUT\nS: * BYE\nS: d OK").end()


def _odd_lines() -> list[Record]:
    """NUL, LF alone, CR alone, 8-bit, UTF-8 and half of it, blanks at ends, a very long line, what looks like a log."""
    tale = Tale().say("S: * OK hi").send(C, b"a NOOP \0\r\n").send(S, b"* OK \xff\xc3\n* OK \xc3\xbc\ra \r\na OK  \r\n")
    tale.say("C: b XY\\{login 3}\nS: * OK C: c NOOP\nS: * OK 1700000000.000000 I: x\nS: b BAD \\").say("C: c NOOP")
    tale.send(S, b"* OK " + b"x" * LONG + b"\r\nc OK\r\n").send(C, b"\r\n").say("C: d LOGOUT\nS: * BYE\nS: d OK")
    return tale.end(Ending.SERVER)


def _secrets() -> list[Record]:
    """Of LOGIN as words and as literals, of SASL, in a command that nobody knows."""
    tale = Tale().say("S: * OK hi\nC: a LOGIN bob wrong\nS: a NO no\nC: b LOGIN {3}\nS: +").send(C, b"bob {6}\r\n")
    tale.say("S: +").send(C, b"secret\r\n").say(
        "S: b NO no\nC: c AUTHENTICATE PLAIN\nS: +\nC: AGJvYgBzZWNyZXQ=\nS: c OK"
    )
    return tale.say("C: d SETPASSWORD hunter2 xxxx\nS: d BAD no\nC: e LOGOUT\nS: * BYE\nS: e OK").end()


def _pipelined() -> list[Record]:
    """Commands in flight together, a COPYUID, an IDLE with news, the same tag twice."""
    tale = Tale().say(
        'S: * PREAUTH hi\nC: a SELECT INBOX\nC: b UID COPY 1:2 "a b"\nS: * 2 EXISTS\nS: a OK [READ-WRITE] d'
    )
    tale.say("S: b OK [COPYUID 38505 1:2 3956:3957] done\nC: c IDLE\nS: + idling\nS: * 3 EXISTS\nC: DONE\nS: c OK")
    return tale.say("C: . NOOP\nC: . NOOP\nS: . OK\nS: * 4 EXISTS\nS: . OK").end(Ending.CLIENT)


def _starttls() -> list[Record]:
    """From clear to TLS, with a command of imaptap's own and a rewrite."""
    wire = Wire("imap://mail.example.org:143").send(S, b"* OK [CAPABILITY IMAP4rev1 STARTTLS] hi\r\n", Layer.PLAIN)
    wire.send(C, b"a STARTTLS\r\n", Layer.PLAIN).send(S, b"a OK go\r\n", Layer.PLAIN)
    return (
        wire.send(C, b"b LOGIN bob secret\r\n")
        .send(S, b"b OK in\r\n")
        .send(C, b"c NOOP\r\n")
        .send(S, b"c OK\r\n")
        .end()
    )


def _compressed() -> list[Record]:
    wire = Wire().send(S, b"* PREAUTH hi\r\n").send(C, b"a COMPRESS DEFLATE\r\n").send(S, b"a OK go\r\n")
    wire.deflated(C, b"b FETCH 1 BODY[]\r\n").deflated(
        S, b"* 1 FETCH (BODY[] {%d}\r\n" % len(LETTER) + LETTER + b")\r\n"
    )
    return wire.deflated(S, b"b OK\r\n").deflated(C, b"c NOOP\r\n").deflated(S, b"c OK\r\n").end()


def _changed() -> list[Record]:
    """What imaptap itself did: a rewrite, a command, an event."""
    tale = Tale().say("S: * OK [CAPABILITY IMAP4rev1 STARTTLS] hi").rewrite(S, 26, b" STARTTLS", b"")
    tale.ask("x1 CAPABILITY").say("S: * CAPABILITY IMAP4rev1\nS: x1 OK\nC: b NOOP\nS: b OK")
    return tale.happen(EventKind.SECURITY, "odd", "a\nb").end()


def _cut_in_a_line() -> list[Record]:
    return Tale().say("S: * OK hi\nC: a NOOP").send(S, b"* 3 EX").end(Ending.CUT, "the recorder was killed")


def _cut_in_a_literal() -> list[Record]:
    tale = (
        Tale()
        .say("S: * PREAUTH hi\nC: a FETCH 1 BODY[]")
        .send(S, b"* 1 FETCH (BODY[] {9000}\r\nSubject: x\r\n\r\nto be")
    )
    return tale.end(Ending.FAILED, "reset by peer")


TALES = {
    "typed": typed_session(),
    "literals": _literals(),
    "odd lines": _odd_lines(),
    "secrets": _secrets(),
    "pipelined": _pipelined(),
    "STARTTLS": _starttls(),
    "COMPRESS": _compressed(),
    "imaptap's own": _changed(),
    "cut in a line": _cut_in_a_line(),
    "cut in a literal": _cut_in_a_literal(),
    "hostile": hostile(),
    "a greeting": Tale().say("S: * BYE go away").end(Ending.SERVER),
    "silence": Tale().end(Ending.FAILED, "refused"),
}
"""By name."""


def numbered() -> list[list[Record]]:
    """All of them as the sessions of one recording, an hour apart, each from an address of its own."""
    tales: list[list[Record]] = []
    for number, tale in enumerate(TALES.values(), 1):
        mine = [record._replace(session=number) for record in tale]
        first = mine[0]
        assert isinstance(first, SessionOpened)
        mine[0] = first._replace(wall=WALL + number * HOUR, client=f"198.51.100.{number}:{50000 + number}")
        tales.append(mine)
    return tales
