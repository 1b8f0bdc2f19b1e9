"""Two recordings of the same clients at two servers, for the diff benchmark: invented, and told to a real writer.

The sessions are those of `bench.filter_data`, spread over USERS users or as many as are asked for, so that there is
work for every core. The second server answers like the first, but for what servers may do as they like (tags of
clients, words, UIDVALIDITY) and for one answer in DIFFERENT, whose flags it lost; one command in LEFT_OUT was not said
to it at all.
"""

from __future__ import annotations

import random
import threading
from typing import TYPE_CHECKING

from bench.filter_data import Session
from proxy.imap.transcript import Exchange, Piece, SessionOpened
from storage import Writer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proxy.imap.transcript import Record
    from storage import Store

LENGTH = 100
"""Commands of a session."""
TICK = 10
"""Exchanges that come within one."""
USERS = 40
_ALWAYS = frozenset({"LOGIN", "SELECT", "LOGOUT"})
DIFFERENT = 50
LEFT_OUT = 400
MESSAGES = 5000
UIDS_APART = 1_000_000


def record_twice(store: Store, exchanges: int, users: int) -> None:
    """Record about so many exchanges of so many users into `store`, as "old" and as "new"."""
    for name, server in (("old", 0), ("new", 1)):
        writer = Writer(store, name, version="bench", settings=f"invented server {server}")
        for number in range(exchanges // LENGTH):
            writer.put(*At(number, server, users).records())
            if writer.full:
                drained = threading.Event()
                writer.when_drained(drained.set)
                drained.wait()
        writer.close()


def _merged(records: list[Record]) -> Iterator[Record]:
    """The same records, pieces of text that follow each other as one, in front of what is told of them."""
    pieces: list[Piece] = []
    others: list[Record] = []
    for record in records:
        if not isinstance(record, Piece):
            others.append(record)
            continue
        near = next((each for each in reversed(pieces) if each.direction is record.direction), None)
        if near is None or near.literal is not None or record.literal is not None:
            pieces.append(record)
            continue
        chunks = near.chunks or ((len(near.data), near.at),)
        joined = bytes(near.data) + bytes(record.data)
        pieces[pieces.index(near)] = near._replace(data=joined, chunks=(*chunks, (len(record.data), record.at)))
    opened = [each for each in others if isinstance(each, SessionOpened)]
    yield from (*opened, *pieces, *(each for each in others if not isinstance(each, SessionOpened)))


class At(Session):
    """A session as one of the two servers had it."""

    def __init__(self, seed: int, server: int, users: int) -> None:
        super().__init__(seed, tag="ab"[server], user=f"user{seed % users}", length=LENGTH)
        self._server = server
        self._own = random.Random(-seed)  # noqa: S311  the other one has to say the same for both servers

    def records(self) -> Iterator[Record]:
        """As a recorder tells them: what came within a tick, in pieces of many chunks (`proxy.live.tap`)."""
        told: list[Record] = []
        for record in super().records():
            told.append(record)
            if isinstance(record, Exchange) and record.number % TICK == 0:
                yield from _merged(told)
                told.clear()
        yield from _merged(told)

    def leaves_out(self, command: str) -> bool:
        """The second client does not say everything."""
        return self._server == 1 and command not in _ALWAYS and self._own.randrange(LEFT_OUT) == 0

    def invented(self, number: int) -> tuple[str, str, dict[str, str], str, str, str]:
        """With words of its own, and now and then without a flag."""
        # Anew for each, or what one of them leaves out would change all that follows.
        self.chance = random.Random(self.seed * 1000 + number)  # noqa: S311
        command, arguments, untagged, status, code, text = super().invented(number)
        if self._server == 1:
            code = code.replace("COPYUID 1700000000", "COPYUID 1700000001")
            text = f"Done in {self._own.random():.3f} s."
            if self._own.randrange(DIFFERENT) == 0:
                untagged = {kind: lines.replace("\\Seen", "") for kind, lines in untagged.items()}
        return command, arguments, untagged, status, code, text

    def selected(self) -> dict[str, str]:
        """The same mailbox, with UIDs of its own."""
        super().selected()
        self.uid += UIDS_APART * self._server
        return {
            "FLAGS": "* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft)\r\n",
            "EXISTS": f"* {MESSAGES} EXISTS\r\n",
            "OK": f"* OK [UIDVALIDITY {1_700_000_000 + self._server}] valid\r\n",
        }

    def place(self, uid: int, said: int | None = None) -> int:  # noqa: ARG002
        """Somewhere in the mailbox, at both servers alike."""
        return uid % MESSAGES + 1

    def envelope(self, uid: int) -> str:
        """Of the same letter at both servers."""
        letter = uid % UIDS_APART
        who = f'(("User {letter % 97}" NIL "user{letter % 97}" "example.org"))'
        date = f'"Mon, {1 + letter % 28} Sep 2026 10:{letter % 60:02}:00 +0000"'
        return f'({date} "Letter {letter}" {who} {who} {who} {who} NIL NIL NIL "<{letter}@example.org>")'
