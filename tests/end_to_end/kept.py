"""What is stored of a session, with what gaps say is missing, and whether that is what a connection at the tee said."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from tests.servers.streams import MASK, Rewrite, Stored, _blank, difference

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

    from tests.end_to_end.proof import Gone

REWRITTEN = 64
"""Bytes at most that a rewrite which a gap has lost may have added or taken away: a STARTTLS."""
SIDES = ("client", "server")

PIECES = """SELECT direction, piece."offset", piece.length,
    coalesce(piece.data, substr(extent.data, body."offset" + 1, body.length)) FROM piece
    LEFT JOIN body ON body.id = body_id LEFT JOIN extent ON extent.id = body.extent_id
    WHERE session_id = ? ORDER BY direction, piece."offset\""""
EVENTS = """SELECT kind, direction, "offset", length, received, sent FROM event
    WHERE session_id = ? AND kind IN ('gap', 'rewrite', 'secret') AND direction IS NOT NULL ORDER BY number"""


class Session(NamedTuple):
    """A row of `session`."""

    id: int
    number: int
    wall: int
    at_end: int | None
    ending: str
    reason: str
    client_bytes: int
    server_bytes: int


@dataclass(frozen=True)
class Kept:
    stored: Stored
    gap_bytes: int
    gap: tuple[int, int] | None = None
    """Offset and length of the first one in the client's stream."""

    @property
    def known(self) -> int:
        """Bytes that are there as they were said: neither lost nor masked."""
        return sum(map(len, self.stored.streams.values())) - sum(length for _, _, length in self.stored.secrets)

    @property
    def like_anything(self) -> bool:
        """Whether all that the client said is masked: an endless tag may be a password."""
        hidden = sum(length for side, _, length in self.stored.secrets if side == "client")
        return 0 < len(self.stored.streams["client"]) == hidden

    def fitted(self, length: int) -> Stored:
        """With that gap as large as makes the client's stream `length` bytes long on the way to the server.

        What a gap has lost may have been a rewrite too: a STARTTLS of the client's that did not go on, or one of ours.
        """
        return self._moved(length - len(self.stored.sent_on("client")[0]))

    def all_fits(self) -> Iterator[Stored]:
        """As it is, and with that gap as large as each rewrite that it may have lost makes it."""
        yield self.stored
        if self.gap is not None:
            yield from (self._moved(more) for more in range(-REWRITTEN, REWRITTEN + 1) if more)

    def _moved(self, more: int) -> Stored:
        if self.gap is None or not more or abs(more) > REWRITTEN or self.gap[1] + more < 0:
            return self.stored
        offset, size = self.gap
        stream, end = self.stored.streams["client"], offset + size
        mine = [each for each in self.stored.secrets if each != ("client", offset, size)]
        secrets = [(side, at + more * (side == "client" and at >= end), n) for side, at, n in mine]
        rewrites = [
            replace(each, offset=each.offset + more * (each.direction == "client" and each.offset >= end))
            for each in self.stored.rewrites
        ]
        client = stream[:offset] + bytes([MASK]) * (size + more) + stream[end:]
        secrets.append(("client", offset, size + more))
        return Stored({**self.stored.streams, "client": client}, secrets, rewrites, self.stored.ending)


def kept_of(database: sqlite3.Connection, session: Session) -> Kept:
    """Both streams. What a gap says is missing stands there as if it were masked; all else must be there, once."""
    events = database.execute(EVENTS, (session.id,)).fetchall()
    spans: dict[str, list[tuple[str, int, int]]] = {"gap": [], "secret": []}
    rewrites: list[Rewrite] = []
    for kind, direction, offset, length, received, sent in events:
        if kind == "rewrite":
            rewrites.append(Rewrite(SIDES[direction], offset, received or b"", sent or b""))
        else:
            spans[kind].append((SIDES[direction], offset, length))
    parts = {
        side: [(at, at + n, bytes([MASK]) * n) for where, at, n in spans["gap"] if where == side] for side in SIDES
    }
    for direction, offset, length, data in database.execute(PIECES, (session.id,)):
        parts[SIDES[direction]].append((offset, offset + length, data))
    streams: dict[str, bytes] = {}
    for side, found in parts.items():
        found.sort(key=lambda part: part[:2])
        ends = [0, *(end for _, end, _ in found)]
        torn = [at for (at, _, _), before in zip(found, ends, strict=False) if at != before]
        assert not torn, f"session {session.number}: pieces and gaps of the {side} do not meet at {torn[:3]}"
        streams[side] = b"".join(data for _, _, data in found)
    stored = Stored(streams, spans["secret"] + spans["gap"], rewrites, session.ending)
    first = min(((at, length) for side, at, length in spans["gap"] if side == "client"), default=None)
    return Kept(stored, sum(length for _, _, length in spans["gap"]), first)


def begin_alike(kept: Kept, gone: Gone) -> bool:
    """Whether both directions of the two are the same as far as the shorter one goes.

    Of a connection that was torn off nobody knows how much longer it was, and so how large a gap.
    """
    return any(_begins_like(stored, gone) for stored in (kept.all_fits() if gone.wire.torn else (kept.stored,)))


def _begins_like(stored: Stored, gone: Gone) -> bool:
    unchanged = Stored({"server": stored.streams["server"]}, [s for s in stored.secrets if s[0] == "server"], ())
    both = ((stored.sent_on("client"), gone.streams[0]), (unchanged.sent_on("server"), gone.streams[1]))
    for (kept, hidden), seen in both:
        length = min(len(kept), len(seen))
        if _blank(kept[:length], hidden[:length]) != _blank(seen[:length], hidden[:length]):
            return False
    return True


def equal(stored: Kept, gone: Gone) -> bool:
    return difference(stored.fitted(len(gone.streams[0])), gone) is None  # type: ignore[arg-type]
