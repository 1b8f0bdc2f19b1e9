"""Sessions told as scripts and recorded into a store, for the commands to read. Time goes by a step a line."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from proxy.imap.conversation import Conversation
from proxy.imap.transcript import (
    Direction,
    Ending,
    Event,
    EventKind,
    Layer,
    Record,
    SessionClosed,
    SessionOpened,
)
from storage import Recording, Writer, open_store

if TYPE_CHECKING:
    from pathlib import Path

C, S = Direction.CLIENT, Direction.SERVER
WALL = 1_700_000_000_000_000
"""2023-11-14T22:13:20Z"""
STEP = 1000


@dataclass
class Tale:
    """One session. `say` takes lines such as "C: a NOOP"; each gets its CRLF and comes a millisecond after the last."""

    number: int = 1
    records: list[Record] = field(default_factory=list[Record])
    at: int = 0

    def __post_init__(self) -> None:
        self._conversation = Conversation(self.number)
        address = f"127.0.0.1:{50000 + self.number}"
        opened = SessionOpened(self.number, WALL, address, "imaps://localhost:1993", "imaps://mail.example.org:993")
        self.records.append(opened)

    def say(self, script: str) -> Tale:
        """Lines with C: or S: in front; characters up to U+00FF are bytes."""
        for line in script.strip("\n").split("\n"):
            self.send(C if line.startswith("C: ") else S, line[3:].encode("latin-1") + b"\r\n")
        return self

    def send(self, direction: Direction, *chunks: bytes) -> Tale:
        """Exact bytes."""
        for chunk in chunks:
            self.at += STEP
            self._conversation.receive(direction, chunk, self.at, Layer.TLS)
        return self

    def ask(self, line: str) -> Tale:
        """A command of imaptap's own."""
        self.at += STEP
        self._conversation.proxy_command(line.encode() + b"\r\n", self.at)
        return self

    def happen(
        self,
        kind: EventKind,
        name: str,
        text: str = "",
        direction: Direction | None = None,
        place: tuple[int | None, int | None] = (None, None),
    ) -> Tale:
        """Something that is not in the bytes, or about those at `place`: an offset and a length."""
        self.at += STEP
        self._conversation.event(Event(self.number, self.at, kind, name, text, direction, *place))
        return self

    def rewrite(self, direction: Direction, offset: int, received: bytes, sent: bytes) -> Tale:
        """Bytes that were changed on the way."""
        place = (direction, offset, len(received))
        self._conversation.event(
            Event(self.number, self.at, EventKind.REWRITE, "capability", "", *place, received, sent)
        )
        return self

    def end(self, ending: Ending = Ending.CLIENT, reason: str = "end of stream") -> list[Record]:
        """All records, the session's end included."""
        self._conversation.close(self.at + STEP, ending, reason)
        return self.so_far()

    def so_far(self) -> list[Record]:
        """The records up to now, the session open."""
        self.records += self._conversation.take()
        assert all(not isinstance(record, SessionClosed) for record in self.records[:-1])
        return self.records


def recorded(db: Path, *tales: list[Record], name: str | None = None, max_literal: int | None = None) -> Recording:
    """Record sessions into the store `db`."""
    with open_store(db, create=True) as store:
        settings = "imaps://mail.example.org on imaps://localhost:1993"
        writer = Writer(store, name, version="0.1.0", settings=settings, max_literal=max_literal)
        for tale in tales:
            for record in tale:
                writer.put(record)
        writer.close()
        assert not writer.failed
        return writer.recording


def torn_off(db: Path, tale: list[Record]) -> Recording:
    """Record a session whose recorder is killed in the midst of it."""
    recording = recorded(db, tale)
    with closing(sqlite3.connect(db)) as database, database:
        database.execute("UPDATE recording SET ended = NULL, seen = 0, pid = 0, host = 'elsewhere'")
        database.execute("UPDATE session SET ending = NULL, at_end = NULL")
        database.execute("UPDATE exchange SET outcome = 'open' WHERE outcome = 'incomplete'")
    return recording


LETTER = b"".join(b"Line %d of a letter.\r\n" % number for number in range(400))

TYPED = f"""
S: * OK ready
C: . login bob "open sesame"
S: . OK done
C: . select Drafts
S: * 4 EXISTS
S: * OK [UIDVALIDITY 3516] valid
S: . OK [READ-WRITE] done
C: . fetch 4 rfc822
S: * 4 FETCH (RFC822 {{{len(LETTER)}}}
"""


def typed_session(number: int = 1) -> list[Record]:
    """As a person types it: the same tag every time, a large letter, a goodbye."""
    tale = Tale(number).say(TYPED)
    tale.send(S, LETTER[:5000], LETTER[5000:])
    tale.say(r"S:  FLAGS (\Seen))" + "\nS: . OK done\nS: * 5 EXISTS\nC: . logout\nS: * BYE see you\nS: . OK done")
    return tale.end()
