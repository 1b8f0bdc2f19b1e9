"""Whether what was recorded is what went by, while it goes by: sessions are paired with the tee's connections.

A pair that holds is forgotten at once, so a soak of hours needs no more memory than one of minutes. What is stored is
read with SQL, as docs/schema.md has it: by nothing that imaptap itself reads with.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import sqlite3
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

from tests.servers.streams import MASK, Rewrite, Stored, _blank, difference

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tests.servers.tee import Tee, Wire

ACCOUNT = re.compile(rb"soak\d\d")
HELD = 1
"""Seconds at most by which a gap may seem to begin too late: two programs look at the clock."""
REWRITTEN = 64
"""Bytes at most that a rewrite which a gap has lost may have added or taken away: a STARTTLS."""
NEAR = 60
"""Seconds at most between a client's connection and the one to the server that is made for it."""
SIDES = ("client", "server")

SESSIONS = """SELECT id, number, wall, ending, reason, client_bytes, server_bytes FROM session
    WHERE recording_id = ? AND ending IS NOT NULL ORDER BY number"""
PIECES = """SELECT direction, piece."offset", piece.length,
    coalesce(piece.data, substr(extent.data, body."offset" + 1, body.length)) FROM piece
    LEFT JOIN body ON body.id = body_id LEFT JOIN extent ON extent.id = body.extent_id
    WHERE session_id = ? ORDER BY direction, piece."offset\""""
EVENTS = """SELECT kind, direction, "offset", length, received, sent FROM event
    WHERE session_id = ? AND kind IN ('gap', 'rewrite', 'secret') AND direction IS NOT NULL ORDER BY number"""
GAPS = "SELECT text FROM event WHERE recording_id = ? AND session_id IS NULL AND kind = 'gap'"
NUMBERS = "SELECT count(*), coalesce(max(number), 0) FROM session WHERE recording_id = ?"
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
        self._alike: dict[_Likeness, list[float]] = {}
        """When connections came that are explained, by what was said on them, secrets aside."""
        self._streams: dict[int, _WithGaps] = {}

    def close(self) -> None:
        self._database.close()

    def look(self) -> int:
        """Pair what has ended since; how many connections have ended and are not explained yet."""
        for wire in [wire for wire in self._tee.wires if not wire.open and wire not in self._taken]:
            self._taken.add(wire)
            self._gone.append(Gone.of(wire))
        by_length: dict[int, list[Session]] = {}
        for session in self._open_questions():
            by_length.setdefault(session.server_bytes or 0, []).append(session)
        for gone in list(self._gone):
            candidates = by_length.get(len(gone.streams[1]), [])
            candidates.sort(key=lambda session: _apart(session, gone))
            for session in candidates:
                stored = self._stored(session)
                if difference(stored.fitted(len(gone.streams[0])), gone) is None:  # type: ignore[arg-type]
                    candidates.remove(session)
                    self._settle(gone, session, stored)
                    self.tally.equal += 1
                    break
        return len(self._gone)

    def finish(self) -> Tally:
        """All is over: what is left must have a reason."""
        self.look()
        left = {session.number: session for session in self._open_questions()}
        self._gaps = [text for (text,) in self._database.execute(GAPS, (self._recording,))]
        self.tally.gaps = len(self._gaps)
        self._streams = {number: self._stored(session) for number, session in left.items()}
        for gone in sorted(self._gone, key=lambda gone: -len(gone.streams[1])):
            near = [session for session in left.values() if _apart(session, gone) < NEAR]
            near.sort(key=lambda session: _apart(session, gone))
            match = next((session for session in near if self._may_be(session, gone)), None)
            if match is None:
                self._lost_or_wrong(gone, near)
                continue
            del left[match.number]
            self._cut_short(gone, match)
        for session in left.values():
            if session.server_bytes:
                self.tally.problems.append(f"no connection at the tee explains session {session.number}")
            self.tally.unseen += 1
        told = sum(int(found[1]) for text in self._gaps for found in _WHOLE.finditer(text))
        if self.tally.wholly_lost > told:
            self.tally.problems.append(f"{self.tally.wholly_lost} sessions are missing, and gaps tell of {told}")
        numbers, last = self._database.execute(NUMBERS, (self._recording,)).fetchone()
        if last - numbers != told and not self.tally.unwritten:
            self.tally.problems.append(f"{last - numbers} numbers of sessions are missing, and gaps tell of {told}")
        return self.tally

    def _may_be(self, session: Session, gone: Gone) -> bool:
        """Whether this could be the session of that connection, cut short. Without a byte it must have been cut off."""
        if not session.server_bytes and gone.streams[1]:
            return session.ending == "cut"
        return begin_alike(self._streams[session.number].stored, gone)

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
        # Which of several connections that said the same is the one that is missing cannot be told.
        alike = [times for likeness, times in self._alike.items() if likeness.fits(gone.streams)]
        for times in ([gone.wire.came], *alike):
            for came in times:
                if any(_within(text, came) for text in self._gaps):
                    self.tally.wholly_lost += 1
                    times.remove(came)
                    return
        reasons = [f"{s.number}: {difference(self._streams[s.number].stored, gone)}" for s in near[:2]]  # type: ignore[arg-type]
        about = f"{len(gone.streams[0])}+{len(gone.streams[1])} bytes of {gone.account or 'nobody'}"
        self.tally.problems.append(f"no session has the connection with {about}; the nearest: {reasons}")

    def _settle(self, gone: Gone, session: Session, stored: _WithGaps) -> None:
        self._gone.remove(gone)
        self._tee.forget(gone.wire)
        self._taken.discard(gone.wire)
        self._paired.add(session.number)
        self._alike.setdefault(_Likeness.of(gone.streams, stored), []).append(gone.wire.came)
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


class _Likeness(NamedTuple):
    """What was said on a connection, but for what is masked on record: two users' logins may look the same there."""

    lengths: tuple[int, int]
    hidden: tuple[tuple[tuple[int, int], ...], tuple[tuple[int, int], ...]]
    """Masked spans of either side, as the tee saw it: where they begin and end."""
    digest: bytes

    @classmethod
    def of(cls, streams: tuple[bytes, bytes], stored: _WithGaps) -> _Likeness:
        whole = stored.fitted(len(streams[0]))
        server = Stored({"server": whole.streams["server"]}, whole.secrets, ())
        hidden = (_spans(whole.sent_on("client")[1]), _spans(server.sent_on("server")[1]))
        return cls((len(streams[0]), len(streams[1])), hidden, _digest(streams, hidden))

    def fits(self, streams: tuple[bytes, bytes]) -> bool:
        """Whether these would be the same on record."""
        return self.lengths == (len(streams[0]), len(streams[1])) and self.digest == _digest(streams, self.hidden)


def _spans(hidden: bytes) -> tuple[tuple[int, int], ...]:
    return tuple(found.span() for found in re.finditer(b"\1+", hidden))


def _digest(streams: tuple[bytes, bytes], hidden: Iterable[Iterable[tuple[int, int]]]) -> bytes:
    digest = hashlib.sha256()
    for stream, spans in zip(streams, hidden, strict=True):
        blanked = bytearray(stream)
        for start, end in spans:
            blanked[start:end] = bytes([MASK]) * (min(end, len(stream)) - start)
        digest.update(blanked)
    return digest.digest()


def _apart(session: Session, gone: Gone) -> float:
    """Seconds between the beginnings of the two."""
    return abs(session.wall / 1e6 - gone.wire.came)


def _within(gap: str, came: float) -> bool:
    """Whether a connection came in the time that a gap of the recording tells of."""
    found = re.search(r"From (\d+) to (\d+) \(microseconds", gap)
    return bool(found) and int(found[1]) / 1e6 - HELD <= came <= int(found[2]) / 1e6
