"""Whether what was recorded is what went by, while it goes by: sessions are paired with the tee's connections.

A pair that holds is forgotten at once, so a soak of hours needs no more memory than one of minutes. What is stored is
read with SQL, as docs/schema.md has it: by nothing that imaptap itself reads with.
"""

from __future__ import annotations

import base64
import binascii
import re
import sqlite3
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.end_to_end.kept import Kept, Session, begin_alike, equal, kept_of
from tests.end_to_end.pairing import pairs
from tests.servers.streams import difference

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.servers.tee import Tee, Wire

ACCOUNT = re.compile(rb"soak\d\d")
HELD = 30
"""Seconds at most that records have waited before a gap begins: it says when they were let go, not when they came."""
NEAR = 60
"""Seconds at most between a client's connection and the one to the server that is made for it."""
EARLY = 0.1
"""Seconds by which a connection may seem to have come before the client that it was made for: two clocks are read."""
LATE = 15
"""Seconds that the tee may be behind, on a busy machine, when it takes notice of a connection that is over already."""
ANOTHER = 1.0
"""Seconds that a pair which is equal in every byte may lie farther apart than one which only begins alike."""
BESIDE = 40
"""Sessions before and after a connection that has none, of which is told what connection they have."""
TWINS = 2
"""Seconds that may lie between two connections which said the same: which of them is missing cannot be told."""
ENDED = ("closed by client", "closed by server")
"""How sessions end of which nothing is missing that no gap tells of."""

SESSIONS = """SELECT id, number, wall, at_end, ending, reason, client_bytes, server_bytes FROM session
    WHERE recording_id = ? AND ending IS NOT NULL ORDER BY number"""
GAPS = "SELECT text FROM event WHERE recording_id = ? AND session_id IS NULL AND kind = 'gap'"
NUMBERS = "SELECT coalesce(max(number), 0) - count(*) FROM session WHERE recording_id = ?"
DIALLED = "SELECT 1 FROM event WHERE session_id = ? AND (kind = 'gap' OR kind = 'tls' AND direction = 1)"
"""Whether a server was dialled, or may have been."""
_WHOLE = re.compile(r"and (\d+) whole sessions were not recorded")


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
        self._paired: dict[int, str] = {}
        self._gaps: list[str] = []
        self._streams: dict[int, Kept] = {}

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
            if stored.like_anything or not session.client_bytes:
                continue  # many are like it: they choose together, when all others have chosen
            match = self._nearest(session, alike, lambda gone, stored=stored: equal(stored, gone))
            if match and not self._may_come_nearer(session, match):
                alike.remove(match)
                self._settle(match, session, stored)
                self.tally.equal += 1
        return len(self._gone)

    def finish(self, *, killed: bool = False) -> Tally:
        """All is over: what is left must have a reason. `killed`: so were workers, with sessions that nobody counted.

        Each session has had a connection, but not each connection has a session: so it is they who choose, all at once.
        Where there are too few connections, those have one of whom most is known.
        """
        self.look()
        left = self._open_questions()
        self._streams = {session.number: self._stored(session) for session in left}
        left.sort(key=lambda session: -self._streams[session.number].known)
        matches = pairs({session: self._candidates(session) for session in left})
        for session in left:
            match = matches.get(session)
            if match and equal(self._streams[session.number], match):
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

    def _candidates(self, session: Session) -> dict[Gone, float]:
        """The connections that may be this session's, and what speaks against each, in seconds."""
        stored = self._streams[session.number]
        return {
            gone: _distance(session, gone) + ANOTHER * (not equal(stored, gone))
            for gone in self._gone
            if self._may_be(session, gone)
        }

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
        near = sorted((gone for gone in among if _in_time(session, gone)), key=lambda gone: _distance(session, gone))
        return next(filter(fits, near), None)

    def _may_come_nearer(self, session: Session, gone: Gone) -> bool:
        """Whether the session's own connection may be one that was open just now; another only said the same."""
        began = session.wall / 1e6
        late = (wire for wire in list(self._tee.wires) if wire.open or wire not in self._taken)
        return any(abs(began - wire.came) < _apart(session, gone) for wire in late)

    def _may_be(self, session: Session, gone: Gone) -> bool:
        """Whether this could be the session of that connection, cut short: perhaps before the server's first byte."""
        if not _in_time(session, gone) and not self._twins(session, gone):
            return False
        if "without a greeting" in (session.reason or "") and gone.streams[1] and not session.client_bytes:
            return False  # else a reset may have taken the greeting away
        known = self._streams[session.number]
        if len(known.stored.streams["server"]) > len(gone.streams[1]):
            return False
        whole = session.ending in ENDED and not known.gap_bytes  # all that its client has said is there
        if whole and len(gone.streams[0]) > len(known.stored.sent_on("client")[0]):
            return False
        dialled = (
            not any(gone.streams)  # it may have been dialled all the same, and nobody is the wiser
            or session.server_bytes
            or session.ending == "cut"
            or self._database.execute(DIALLED, (session.id,)).fetchone()
        )
        return bool(dialled) and begin_alike(self._streams[session.number], gone)

    def _twins(self, session: Session, gone: Gone) -> bool:
        """Whether it said just the same: it may be that of another session, which has this one's."""
        known = self._streams[session.number]
        return _apart(session, gone) < NEAR and not known.like_anything and equal(known, gone)

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
        about += ", torn" if gone.wire.torn else ""
        others = [text for number, text in self._paired.items() if near and abs(number - near[0].number) < BESIDE]
        about += f"; the nearest: {reasons}; who has which: {', '.join(others)}"
        self.tally.problems.append(f"no session has the connection with {about}")

    def _settle(self, gone: Gone, session: Session, stored: Kept) -> None:
        self._gone.remove(gone)
        self._tee.forget(gone.wire)
        self._taken.discard(gone.wire)
        said = "+".join(str(len(each)) for each in gone.streams)
        self._paired[session.number] = f"{session.number} ({session.client_bytes}+{session.server_bytes}) {said}"
        self.tally.bytes += len(gone.streams[0]) + len(gone.streams[1])
        self.tally.gap_bytes += stored.gap_bytes
        self.tally.with_gap += bool(stored.gap_bytes)

    def _open_questions(self) -> list[Session]:
        found = map(Session._make, self._database.execute(SESSIONS, (self._recording,)))
        return [session for session in found if session.number not in self._paired]

    def _stored(self, session: Session) -> Kept:
        return kept_of(self._database, session)


def _apart(session: Session, gone: Gone) -> float:
    """Seconds between the beginnings of the two."""
    return abs(session.wall / 1e6 - gone.wire.came)


def _distance(session: Session, gone: Gone) -> float:
    """Seconds between the beginnings of the two and between their ends, where both are known."""
    if session.at_end is None or gone.wire.went is None:
        return _apart(session, gone)
    return _apart(session, gone) + abs((session.wall + session.at_end) / 1e6 - gone.wire.went)


def _in_time(session: Session, gone: Gone) -> bool:
    """Whether the connection came while the session lasted: imaptap dials when a client has come, until it has gone."""
    since = gone.wire.came - session.wall / 1e6
    lasted = NEAR if session.at_end is None or session.ending == "cut" else session.at_end / 1e6
    return -EARLY < since < min(NEAR, lasted + LATE)


def _within(gap: str, came: float) -> bool:
    """Whether a connection came in the time that a gap of the recording tells of."""
    found = re.search(r"From (\d+) to (\d+) \(microseconds", gap)
    return bool(found) and int(found[1]) / 1e6 - HELD <= came <= int(found[2]) / 1e6 + TWINS
