"""Whether what was recorded is what went by, while it goes by: sessions are paired with the tee's connections.

A pair that holds is forgotten at once, so a soak of hours needs no more memory than one of minutes. What is stored is
read with SQL, as docs/schema.md has it: by nothing that imaptap itself reads with.
"""

from __future__ import annotations

import base64
import binascii
import re
import sqlite3
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

from tests.servers.streams import MASK, Rewrite, Stored, _blank, difference

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.servers.tee import Tee, Wire

ACCOUNT = re.compile(rb"soak\d\d")
HELD = 30
"""Seconds at most that records have waited before a gap begins: it says when they were let go, not when they came."""
REWRITTEN = 64
"""Bytes at most that a rewrite which a gap has lost may have added or taken away: a STARTTLS."""
NEAR = 60
"""Seconds at most between a client's connection and the one to the server that is made for it."""
TWINS = 2
"""Seconds that may lie between two connections which said the same: which of them is missing cannot be told."""
SIDES = ("client", "server")
ENDED = ("closed by client", "closed by server")
"""How sessions end of which nothing is missing that no gap tells of."""

SESSIONS = """SELECT id, number, wall, ending, reason, client_bytes, server_bytes FROM session
    WHERE recording_id = ? AND ending IS NOT NULL ORDER BY number"""
PIECES = """SELECT direction, piece."offset", piece.length,
    coalesce(piece.data, substr(extent.data, body."offset" + 1, body.length)) FROM piece
    LEFT JOIN body ON body.id = body_id LEFT JOIN extent ON extent.id = body.extent_id
    WHERE session_id = ? ORDER BY direction, piece."offset\""""
EVENTS = """SELECT kind, direction, "offset", length, received, sent FROM event
    WHERE session_id = ? AND kind IN ('gap', 'rewrite', 'secret') AND direction IS NOT NULL ORDER BY number"""
GAPS = "SELECT text FROM event WHERE recording_id = ? AND session_id IS NULL AND kind = 'gap'"
NUMBERS = "SELECT coalesce(max(number), 0) - count(*) FROM session WHERE recording_id = ?"
DIALLED = "SELECT 1 FROM event WHERE session_id = ? AND (kind = 'gap' OR kind = 'tls' AND direction = 1)"
"""Whether a server was dialled, or may have been."""
_WHOLE = re.compile(r"and (\d+) whole sessions were not recorded")


class Session(NamedTuple):
    """A row of `session`."""

    id: int
    number: int
    wall: int
    ending: str
    reason: str
    client_bytes: int
    server_bytes: int


@dataclass(eq=False)
class Gone:
    """A connection at the tee that has ended."""

    wire: Wire
    streams: tuple[bytes, bytes]
    account: str

    @classmethod
    def of(cls, wire: Wire) -> Gone:
        streams = wire.inflated()
        return cls(wire, streams, account(streams[0]))

    def inflated(self) -> tuple[bytes, bytes]:
        return self.streams


def account(said: bytes) -> str:
    """Who has logged in, by what a client said: a name in clear or in base64; nobody."""
    head = said[:4096]
    if found := ACCOUNT.search(head):
        return found[0].decode()
    for word in re.findall(rb"[A-Za-z0-9+/]{8,}={0,2}", head):
        try:
            plain = base64.b64decode(word)
        except binascii.Error:
            continue
        if found := ACCOUNT.search(plain):
            return found[0].decode()
    return ""


@dataclass
class Tally:
    """What has been proved so far."""

    equal: int = 0
    cut_short: int = 0
    unread: int = 0
    """Bytes that the tee saw of sessions cut short, and imaptap did not: it was gone, or its peer was."""
    unsent: int = 0
    with_gap: int = 0
    gap_bytes: int = 0
    gaps: int = 0
    """Times in which nothing was recorded."""
    unseen: int = 0
    """Sessions that no server was dialled for."""
    missing: int = 0
    """Numbers of sessions that have no row."""
    wholly_lost: int = 0
    unwritten: int = 0
    """Sessions whose worker was killed before anything of them was written."""
    bytes: int = 0
    problems: list[str] = field(default_factory=list)


class Proof:
    """`look` again and again, and `finish` when all sessions and connections have ended."""

    def __init__(
        self, db: str, recording: str, tee: Tee, excused: Callable[[Gone], bool], unwritten: Callable[[Gone], bool]
    ) -> None:
        self.tally = Tally()
        self._database = sqlite3.connect(db, check_same_thread=False, timeout=60, isolation_level=None)
        self._recording = int(recording)
        self._tee, self._excused, self._unwritten = tee, excused, unwritten
        self._taken: set[Wire] = set()
        self._gone: list[Gone] = []
        self._paired: set[int] = set()
        self._gaps: list[str] = []
        self._streams: dict[int, _WithGaps] = {}

    def close(self) -> None:
        self._database.close()

    def look(self) -> int:
        """Pair what has ended since; how many connections have ended and are not explained yet."""
        for wire in [wire for wire in self._tee.wires if not wire.open and wire not in self._taken]:
            self._taken.add(wire)
            self._gone.append(Gone.of(wire))
        by_length: dict[int, list[Gone]] = {}
        for gone in self._gone:
            by_length.setdefault(len(gone.streams[1]), []).append(gone)
        for session in self._open_questions():
            alike = by_length.get(session.server_bytes or 0, [])
            if not alike:
                continue
            stored = self._stored(session)
            if stored.like_anything:
                continue  # it chooses when all others have chosen
            match = self._nearest(session, alike, lambda gone, stored=stored: _equal(stored, gone))
            if match and not self._may_come_nearer(session, match):
                alike.remove(match)
                self._settle(match, session, stored)
                self.tally.equal += 1
        return len(self._gone)

    def finish(self, *, killed: bool = False) -> Tally:
        """All is over: what is left must have a reason. `killed`: so were workers, with sessions that nobody counted.

        Each session has had a connection, but not each connection has a session: so it is they who choose, those first
        of whom most is known.
        """
        self.look()
        left = self._open_questions()
        self._streams = {session.number: self._stored(session) for session in left}
        left.sort(key=lambda session: -self._streams[session.number].known)
        for session in left:
            match = self._nearest(session, self._gone, lambda gone, session=session: self._may_be(session, gone))
            if match and _equal(self._streams[session.number], match):
                self._settle(match, session, self._streams[session.number])
                self.tally.equal += 1
                continue
            if match:
                self._cut_short(match, session)
                continue
            if session.server_bytes:
                self.tally.problems.append(f"no connection at the tee explains session {session.number}")
            self.tally.unseen += 1
        self._count(killed=killed)
        return self.tally

    def _count(self, *, killed: bool) -> None:
        """What has no session must be counted by the gaps, neither more nor less."""
        self._gaps = [text for (text,) in self._database.execute(GAPS, (self._recording,))]
        self.tally.gaps = len(self._gaps)
        left = self._open_questions()
        for gone in self._gone:
            self._lost_or_wrong(gone, [session for session in left if _apart(session, gone) < NEAR])
        told = sum(int(found[1]) for text in self._gaps for found in _WHOLE.finditer(text))
        (self.tally.missing,) = self._database.execute(NUMBERS, (self._recording,)).fetchone()
        if self.tally.missing != told and not (killed and self.tally.missing > told):
            self.tally.problems.append(f"{self.tally.missing} session numbers are missing, and gaps tell of {told}")
        if self.tally.wholly_lost > told:
            self.tally.problems.append(f"{self.tally.wholly_lost} connections have no session; gaps tell of {told}")

    def _nearest(self, session: Session, among: list[Gone], fits: Callable[[Gone], bool]) -> Gone | None:
        near = sorted((gone for gone in among if _apart(session, gone) < NEAR), key=lambda gone: _apart(session, gone))
        return next(filter(fits, near), None)

    def _may_come_nearer(self, session: Session, gone: Gone) -> bool:
        """Whether the session's own connection may be one that is still open, and another one only said the same."""
        began = session.wall / 1e6
        return any(wire.open and abs(began - wire.came) < _apart(session, gone) for wire in list(self._tee.wires))

    def _may_be(self, session: Session, gone: Gone) -> bool:
        """Whether this could be the session of that connection, cut short: perhaps before the server's first byte."""
        if "without a greeting" in (session.reason or "") and gone.streams[1] and not session.client_bytes:
            return False  # else a reset may have taken the greeting away
        known = self._streams[session.number]
        whole = session.ending in ENDED and not known.gap_bytes  # all that its client has said is there
        if whole and len(gone.streams[0]) > len(known.stored.sent_on("client")[0]):
            return False
        dialled = (
            session.server_bytes or session.ending == "cut" or self._database.execute(DIALLED, (session.id,)).fetchone()
        )
        return bool(dialled) and begin_alike(self._streams[session.number].stored, gone)

    def _cut_short(self, gone: Gone, session: Session) -> None:
        if not (self._excused(gone) or gone.wire.torn):
            problem = difference(self._streams[session.number].stored, gone)  # type: ignore[arg-type]
            about = f"session {session.number} of {gone.account} ({session.ending}: {session.reason}), not harmed"
            self.tally.problems.append(f"{about}: {problem}")
        client, server = gone.streams
        self.tally.unread += max(0, len(server) - (session.server_bytes or 0))
        self.tally.unsent += max(0, (session.client_bytes or 0) - len(client))
        self.tally.cut_short += 1
        self._settle(gone, session, self._streams[session.number])

    def _lost_or_wrong(self, gone: Gone, near: list[Session]) -> None:
        if self._unwritten(gone):
            self.tally.unwritten += 1
            return
        if any(_within(text, gone.wire.came) for text in self._gaps):
            self.tally.wholly_lost += 1
            return
        near.sort(key=lambda session: _apart(session, gone))
        reasons = [f"{s.number}: {difference(self._streams[s.number].stored, gone)}" for s in near[:2]]  # type: ignore[arg-type]
        about = f"{len(gone.streams[0])}+{len(gone.streams[1])} bytes of {gone.account or 'nobody'}"
        self.tally.problems.append(f"no session has the connection with {about}; the nearest: {reasons}")

    def _settle(self, gone: Gone, session: Session, stored: _WithGaps) -> None:
        self._gone.remove(gone)
        self._tee.forget(gone.wire)
        self._taken.discard(gone.wire)
        self._paired.add(session.number)
        self.tally.bytes += len(gone.streams[0]) + len(gone.streams[1])
        self.tally.gap_bytes += stored.gap_bytes
        self.tally.with_gap += bool(stored.gap_bytes)

    def _open_questions(self) -> list[Session]:
        found = map(Session._make, self._database.execute(SESSIONS, (self._recording,)))
        return [session for session in found if session.number not in self._paired]

    def _stored(self, session: Session) -> _WithGaps:
        return stored_with_gaps(self._database, session)


@dataclass(frozen=True)
class _WithGaps:
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
        more = length - len(self.stored.sent_on("client")[0])
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


def stored_with_gaps(database: sqlite3.Connection, session: Session) -> _WithGaps:
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
    return _WithGaps(stored, sum(length for _, _, length in spans["gap"]), first)


def begin_alike(stored: Stored, gone: Gone) -> bool:
    """Whether both directions of the two are the same as far as the shorter one goes."""
    unchanged = Stored({"server": stored.streams["server"]}, [s for s in stored.secrets if s[0] == "server"], ())
    pairs = ((stored.sent_on("client"), gone.streams[0]), (unchanged.sent_on("server"), gone.streams[1]))
    for (kept, hidden), seen in pairs:
        length = min(len(kept), len(seen))
        if _blank(kept[:length], hidden[:length]) != _blank(seen[:length], hidden[:length]):
            return False
    return True


def _equal(stored: _WithGaps, gone: Gone) -> bool:
    return difference(stored.fitted(len(gone.streams[0])), gone) is None  # type: ignore[arg-type]


def _apart(session: Session, gone: Gone) -> float:
    """Seconds between the beginnings of the two."""
    return abs(session.wall / 1e6 - gone.wire.came)


def _within(gap: str, came: float) -> bool:
    """Whether a connection came in the time that a gap of the recording tells of."""
    found = re.search(r"From (\d+) to (\d+) \(microseconds", gap)
    return bool(found) and int(found[1]) / 1e6 - HELD <= came <= int(found[2]) / 1e6 + TWINS
