"""Sessions told as scripts, and what the linter finds in them: no store, no files.

C: a NOOP          the client says this line; CRLF is added. S: for the server
C> a «0d»          exact bytes, «…» in hex
wait 30            so many minutes pass; else each line comes a millisecond after the last
tls / plain        how what follows is protected
end server         who closes the connection in the end (client, where nothing is said; `end -`: nobody knows)
proxy p STARTTLS   imaptap itself sends this command to the server
answer a OK        imaptap itself answers the client's command with this tag
rewrite OLD / NEW  in the server's next line, imaptap sends NEW on in place of OLD
lose               what follows is not read
"""

from __future__ import annotations

import heapq
import re
from bisect import bisect_right
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from proxy.imap.conversation import Conversation
from proxy.imap.cutter import UnitCutter
from proxy.imap.lint import Finding, Linter, Said
from proxy.imap.transcript import Direction, Ending, Event, EventKind, Exchange, Layer, Piece, Record, Span

if TYPE_CHECKING:
    from collections.abc import Iterator

T = TypeVar("T")
C, S = Direction.CLIENT, Direction.SERVER
STEP = 1000
MINUTE = 60_000_000

CAPABILITIES = (
    "IMAP4rev1 IDLE NAMESPACE ID ENABLE LITERAL+ SASL-IR UNSELECT UIDPLUS MOVE ESEARCH SEARCHRES CONDSTORE QRESYNC "
    "LIST-EXTENDED LIST-STATUS SPECIAL-USE SORT ESORT THREAD=REFS BINARY MULTIAPPEND CATENATE URLAUTH WITHIN QUOTA "
    "ACL METADATA STATUS=SIZE PREVIEW OBJECTID SAVEDATE COMPRESS=DEFLATE NOTIFY CREATE-SPECIAL-USE AUTH=XOAUTH2 "
    "UTF8=ACCEPT"
)
"""What the server of most rows can do."""

_LINE = re.compile(r"([CS])([:>]) ?(.*)", re.DOTALL)
_HEX = re.compile(r"«([0-9a-f ]*)»")


def hello(capabilities: str = CAPABILITIES) -> str:
    """A greeting."""
    return f"S: * OK [CAPABILITY {capabilities}] hello\n"


def logged_in(capabilities: str = CAPABILITIES) -> str:
    """A greeting and a login."""
    return f"{hello(capabilities)}C: l LOGIN bob secret\nS: l OK [CAPABILITY {capabilities}] in\n"


def selected(capabilities: str = CAPABILITIES, count: int = 3) -> str:
    """A login, and INBOX selected."""
    return logged_in(capabilities) + select("s", "INBOX", count)


def select(tag: str, mailbox: str, count: int = 3, *, leave_out: str = "", closed: bool = False) -> str:
    """A SELECT with all that belongs into its answer, but for lines with the words `leave_out`."""
    answer = [
        *(["* OK [CLOSED] the old one"] if closed else []),
        "* FLAGS (\\Seen \\Deleted)",
        "* OK [PERMANENTFLAGS (\\Seen \\Deleted \\*)] these",
        f"* {count} EXISTS",
        "* 0 RECENT",
        "* OK [UIDVALIDITY 7] ids",
        "* OK [UIDNEXT 100] next",
        "* OK [HIGHESTMODSEQ 9] highest",
        f"{tag} OK [READ-WRITE] done",
    ]
    kept = [line for line in answer if not leave_out or leave_out not in line]
    return "".join((f"C: {tag} SELECT {mailbox}\n", *(f"S: {line}\n" for line in kept)))


@dataclass
class _Telling:
    """A script being played into a conversation."""

    conversation: Conversation = field(default_factory=lambda: Conversation(1))
    at: int = 0
    layer: Layer = Layer.TLS
    ending: Ending | None = Ending.CLIENT
    sent: dict[Direction, int] = field(default_factory=lambda: dict.fromkeys(Direction, 0))
    times: dict[Direction, list[tuple[int, int]]] = field(default_factory=lambda: {side: [] for side in Direction})
    rewrite: tuple[bytes, bytes] | None = None

    def line(self, line: str) -> None:
        if match := _LINE.fullmatch(line):
            data = _HEX.sub(lambda x: bytes.fromhex(x[1]).decode("latin-1"), match[3]).encode("latin-1")
            self.say(C if match[1] == "C" else S, data + (b"\r\n" if match[2] == ":" else b""))
            return
        word, _, rest = line.partition(" ")
        getattr(self, f"on_{word}")(rest)

    def say(self, side: Direction, data: bytes) -> None:
        self.at += STEP
        if side is S and self.rewrite:
            old, new = self.rewrite
            place = (S, self.sent[S] + data.index(old), len(old))
            self.conversation.event(Event(1, self.at, EventKind.REWRITE, "capability", "", *place, old, new))
            self.rewrite = None
        self.times[side].append((self.sent[side], self.at))
        self.sent[side] += len(data)
        self.conversation.receive(side, data, self.at, self.layer)

    def on_wait(self, minutes: str) -> None:
        self.at += int(minutes) * MINUTE

    def on_tls(self, _: str) -> None:
        self.layer = Layer.TLS

    def on_plain(self, _: str) -> None:
        self.layer = Layer.PLAIN

    def on_end(self, who: str) -> None:
        self.ending = {"server": Ending.SERVER, "-": None}[who]

    def on_proxy(self, line: str) -> None:
        self.conversation.proxy_command(line.encode(), self.at)

    def on_answer(self, line: str) -> None:
        tag, status = line.split(" ")
        self.conversation.answer(tag.encode(), status, "", self.at)

    def on_rewrite(self, words: str) -> None:
        old, _, new = words.partition(" / ")
        self.rewrite = (old.encode(), new.encode())

    def on_lose(self, _: str) -> None:
        self.conversation.give_up(self.at, "it was told so")


def lint(script: str) -> list[Finding]:
    """What the linter finds in a script."""
    telling = _Telling()
    for line in script.strip("\n").split("\n"):
        telling.line(line)
    telling.conversation.close(telling.at + STEP, telling.ending or Ending.CUT, "")
    records = telling.conversation.take()
    linter = Linter()
    found: list[Finding] = []
    lost = [(event.at, None) for event in _of(records, Event) if event.kind is EventKind.RAW]
    said = (_heard(records, side, telling.times[side]) for side in Direction)
    for _, each in heapq.merge(*said, lost, key=lambda pair: pair[0]):
        if each is None:
            linter.lose()
        else:
            found += linter.said(each)
    return [*found, *linter.end(telling.ending)]


def rules(script: str) -> list[str]:
    """The ids of the rules that are broken in a script, in order."""
    return [finding.rule.id for finding in lint(script)]


def _heard(records: list[Record], side: Direction, times: list[tuple[int, int]]) -> Iterator[tuple[int, Said]]:
    stream = b"".join(bytes(piece.data) for piece in _of(records, Piece) if piece.direction is side)
    exchanges = {exchange.number: exchange for exchange in _of(records, Exchange)}
    events = [event for event in _of(records, Event) if event.direction is side and event.offset is not None]
    starts = [start for start, _ in times]

    def time_of(offset: int) -> int:
        return times[bisect_right(starts, offset) - 1][1]

    for span in sorted((span for span in _of(records, Span) if span.direction is side), key=lambda span: span.start):
        cutter = UnitCutter(side, span.start)
        for cut in (*cutter.feed(span.start, stream[span.start : span.end], time_of), *cutter.flush()):
            unit = cut.unit
            inside = [event for event in events if unit.start <= (event.offset or 0) < unit.end]
            masked = [
                (event.offset or 0, (event.offset or 0) + (event.length or 0))
                for event in inside
                if event.kind is EventKind.SECRET
            ]
            rewritten = next((event.sent for event in inside if event.kind is EventKind.REWRITE), None)
            layer = next(
                piece.layer
                for piece in _of(records, Piece)
                if piece.direction is side and piece.offset <= unit.start < piece.offset + len(piece.data)
            )
            exchange = exchanges.get(span.exchange or 0)
            said = Said(
                side,
                unit,
                cut.at,
                cut.ended,
                layer,
                exchange,
                span.certainty,
                cut.literals_at,
                tuple(masked),
                rewritten,
            )
            yield (cut.ended if side is S else cut.at), said


def _of(records: list[Record], kind: type[T]) -> list[T]:
    return [record for record in records if isinstance(record, kind)]
