"""A large recording for the filter benchmark: sessions as mail clients have them, invented, and told to a real writer.

Nothing is parsed and nothing goes over a socket, so a million exchanges take a minute. What is asked for in
`bench.filter` is in it as often as in life: most is common, little is refused, hardly anything is over quota. The
generator is seeded: the same number gives the same recording.
"""

from __future__ import annotations

import random
import threading
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
from storage import Writer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proxy.imap.transcript import Record
    from storage import Store

SESSION_EXCHANGES = 40
RECORDINGS = 4
WALL = 1_780_000_000_000_000
"""When the first session began; one follows the other every second."""

_WORDS = (
    "invoice meeting report draft budget holiday project review contract offer question answer update release "
    "schedule travel lunch feedback minutes agenda summary proposal reminder welcome newsletter receipt order"
).split()
_MAILBOXES = ["INBOX", "Sent", "Drafts", "Trash", "Archive/2025", "Archive/2026", *(f"Work/{word}" for word in _WORDS)]
_FLAGS = ["", r"\Seen", r"\Seen \Answered", r"\Seen \Flagged", r"\Seen $Forwarded", r"\Deleted", "$Junk"]
_CAPABILITIES = "IMAP4rev1 IDLE NAMESPACE UIDPLUS CONDSTORE QRESYNC ENABLE MOVE SPECIAL-USE"
_LETTER = b"From: a@example.org\r\n\r\n" + b"Nothing but a line of a letter, again and again.\r\n" * 21_000


def record(store: Store, exchanges: int, name: str = "bench") -> None:
    """Record about so many exchanges into `store`, as several recordings."""
    sessions = exchanges // SESSION_EXCHANGES
    for number in range(RECORDINGS):
        writer = Writer(store, f"{name}-{number + 1}", version="bench", settings="invented")
        for session in range(sessions * number // RECORDINGS, sessions * (number + 1) // RECORDINGS):
            writer.put(*Session(session).records())
            if writer.full:
                drained = threading.Event()
                writer.when_drained(drained.set)
                drained.wait()
        writer.close()


@dataclass
class Session:
    """One session, put together from its number."""

    seed: int
    offsets: list[int] = field(default_factory=lambda: [0, 0])
    at: int = 0
    mailbox: str = ""
    uid: int = 1
    said: int = 0
    tag: str = "a"
    user: str = "user"
    length: int = SESSION_EXCHANGES

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)  # noqa: S311  nobody's secret
        self.number = self.seed + 1

    def records(self) -> Iterator[Record]:
        address = f"10.0.{self.seed % 40}.{self.seed % 199}:{20000 + self.seed % 40000}"
        yield SessionOpened(
            self.number, WALL + self.seed * 1_000_000, address, "imaps://localhost:1993",
            f"imaps://mail{self.seed % 3}.example.org:993",
        )  # fmt: skip
        yield from self._say(Direction.SERVER, None, f"* OK [CAPABILITY {_CAPABILITIES}] ready\r\n".encode())
        for number in range(1, self.length + 1):
            yield from self._exchange(number)
        yield SessionClosed(self.number, self.at, Ending.CLIENT, "end of stream", *self.offsets)

    def _exchange(self, number: int) -> Iterator[Record]:
        command, arguments, untagged, status, code, text = self.invented(number)
        if self.leaves_out(command):
            return
        self.said = number = self.said + 1
        tag, started, before = f"{self.tag}{number:04}", self.at, list(self.offsets)
        marks = ("tag reused",) if self.chance.random() < 0.0005 else ()
        yield from self._say(Direction.CLIENT, number, f"{tag} {command} {arguments}".strip().encode() + b"\r\n")
        self.at += int(self.chance.expovariate(1 / (60_000 if self.chance.random() < 0.05 else 2000)))
        if self.chance.random() < 0.002:
            news = f"* {self.uid} EXISTS\r\n".encode()
            yield from self._say(Direction.SERVER, number, news, certainty=Certainty.UNSOLICITED)
            untagged = {**untagged, "EXISTS": ""}
        yield from self._letter(number)
        lines = "".join(filter(None, untagged.values()))
        coded = f"[{code}] " if code else ""
        yield from self._say(Direction.SERVER, number, f"{lines}{tag} {status} {coded}{text}\r\n".encode())
        if self.chance.random() < 0.0002:
            yield Event(self.number, self.at, EventKind.SECURITY, "invented", "for the benchmark")
        counts = tuple((kind, max(1, lines.count("\r\n"))) for kind, lines in sorted(untagged.items()))
        sizes = [after - first for first, after in zip(before, self.offsets, strict=True)]
        line = arguments.partition("\r\n")[0]
        yield Exchange(
            self.number, number, tag, command, line, self.mailbox or None, Origin.CLIENT, Outcome.COMPLETED,
            status, code or None, text, started, self.at, sizes[0], sizes[1], counts, marks,
        )  # fmt: skip
        self.at += 1000

    def _letter(self, number: int) -> Iterator[Record]:
        if self.chance.random() < 0.0002:
            announced = f"* {number} FETCH (UID {self.uid} BODY[] {{{len(_LETTER)}}}\r\n".encode()
            yield from self._say(Direction.SERVER, number, announced)
            yield from self._say(Direction.SERVER, number, _LETTER, literal=LiteralPart(self.offsets[1], len(_LETTER)))
            yield from self._say(Direction.SERVER, number, b")\r\n")

    def leaves_out(self, command: str) -> bool:  # noqa: ARG002  for those that do
        """Whether a command is not said."""
        return False

    def invented(self, number: int) -> tuple[str, str, dict[str, str], str, str, str]:
        """Command, arguments, untagged lines by kind, status, code, text."""
        if number == 1:
            return "LOGIN", f'"{self.user}" "xxxxxxxx"', {}, "OK", f"CAPABILITY {_CAPABILITIES}", "Logged in"
        if number == 2:
            client = f'("name" "Client{self.seed % 5}" "version" "{self.seed % 9}.0")'
            return "ID", client, {"ID": '* ID ("name" "Server")\r\n'}, "OK", "", "ID completed."
        if number == 3 or self.chance.random() < 0.05:
            self.mailbox = self.chance.choice(_MAILBOXES)
            return "SELECT", f'"{self.mailbox}"', self.selected(), "OK", "READ-WRITE", "Select completed"
        if number == self.length:
            return "LOGOUT", "", {"BYE": "* BYE Logging out\r\n"}, "OK", "", "Logout completed."
        return self.chance.choices(
            (self._fetch, self._noop, self._store, self._search, self._copy, self._append, self._broken),
            (50, 25, 10, 10, 4.4, 0.5, 0.1),
        )[0]()

    def selected(self) -> dict[str, str]:
        """What a SELECT tells."""
        self.uid = self.chance.randrange(1, 200_000)
        return {
            "FLAGS": "* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft)\r\n",
            "EXISTS": f"* {self.uid % 5000} EXISTS\r\n",
        }

    def place(self, uid: int, said: int | None = None) -> int:
        """The message number of a UID: `said`, or the same."""
        return uid if said is None else said

    def _fetch(self) -> tuple[str, str, dict[str, str], str, str, str]:
        messages = self.chance.randrange(1, 4)
        first = self.uid
        self.uid += messages
        dated = self.chance.random() < 0.3
        lines = "".join(
            f"* {self.place(uid)} FETCH (UID {uid} FLAGS ({self.chance.choice(_FLAGS)})"
            f" RFC822.SIZE {self.chance.randrange(90000)}"
            f"{f' INTERNALDATE {self._date()}' if dated else ''}"
            f" ENVELOPE {self.envelope(uid)})\r\n"
            for uid in range(first, self.uid)
        )
        arguments = f"{first}:{self.uid - 1} (UID FLAGS RFC822.SIZE{' INTERNALDATE' if dated else ''} ENVELOPE)"
        return "UID FETCH", arguments, {"FETCH": lines}, "OK", "", "Fetch completed (0.001 + 0.000 secs)."

    def envelope(self, uid: int) -> str:
        """What stands there for the head of a letter."""
        return f'(NIL "{self.chance.choice(_WORDS)} {self.chance.choice(_WORDS)} {uid}"{self._rest()})'

    def _rest(self) -> str:
        """Of an envelope; some servers leave out fields at its end, which is a quirk."""
        return " NIL" * (8 if self.chance.random() < 0.999 else 7)

    def _date(self) -> str:
        chosen = self.chance.randrange
        month = self.chance.choice(("Jan", "Mar", "May", "Jul", "Sep", "Nov"))
        zone = self.chance.choice(("+0000", "+0200", "-0730"))
        year = chosen(2020, 2027)
        return f'"{chosen(1, 31):2}-{month}-{year} {chosen(24):02}:{chosen(60):02}:{chosen(60):02} {zone}"'

    def _append(self) -> tuple[str, str, dict[str, str], str, str, str]:
        letter = f"Subject: {self.chance.choice(_WORDS)}\r\n\r\nWith greetings"
        code = f"APPENDUID 1700000000 {self.chance.randrange(1, 99999)}"
        arguments = f'"Sent" (\\Seen) {self._date()} {{{len(letter)}+}}\r\n{letter}'
        return "APPEND", arguments, {}, "OK", code, "Append completed."

    def _noop(self) -> tuple[str, str, dict[str, str], str, str, str]:
        return "NOOP", "", {}, "OK", "", "NOOP completed."

    def _store(self) -> tuple[str, str, dict[str, str], str, str, str]:
        flags = self.chance.choice(_FLAGS)
        lines = f"* {self.place(self.uid, 7)} FETCH (UID {self.uid} FLAGS ({flags}))\r\n"
        return "UID STORE", f"{self.uid} +FLAGS ({flags})", {"FETCH": lines}, "OK", "", "Store completed."

    def _search(self) -> tuple[str, str, dict[str, str], str, str, str]:
        found = " ".join(str(self.uid + each) for each in range(self.chance.randrange(6)))
        words = f'SUBJECT "{self.chance.choice(_WORDS)}"'
        return "UID SEARCH", words, {"SEARCH": f"* SEARCH {found}\r\n"}, "OK", "", "Search completed."

    def _copy(self) -> tuple[str, str, dict[str, str], str, str, str]:
        target = self.chance.choice(_MAILBOXES)
        if self.chance.random() < 0.01:
            return "UID COPY", f'{self.uid} "{target}/new"', {}, "NO", "TRYCREATE", "Mailbox doesn't exist"
        if self.chance.random() < 0.002:
            return "UID COPY", f'{self.uid} "{target}"', {}, "NO", "OVERQUOTA", "Quota exceeded: you are over quota"
        code = f"COPYUID 1700000000 {self.uid} {self.chance.randrange(1, 99999)}"
        return "UID COPY", f'{self.uid} "{target}"', {}, "OK", code, "Copy completed."

    def _broken(self) -> tuple[str, str, dict[str, str], str, str, str]:
        return "XYZZY", "", {}, "BAD", "", "Error in IMAP command XYZZY: Unknown command."

    def _say(
        self, direction: Direction, exchange: int | None, data: bytes, *,
        certainty: Certainty = Certainty.SURE, literal: LiteralPart | None = None,
    ) -> Iterator[Record]:  # fmt: skip
        start = self.offsets[direction]
        self.offsets[direction] = end = start + len(data)
        self.at += 50
        yield Piece(self.number, direction, start, self.at, Layer.TLS, data, (), literal)
        yield Span(self.number, exchange, direction, start, end, self.at, self.at, 1, certainty)
