"""SIGKILL at random moments of a busy run: what was finished is there, the rest is told as unfinished, all is sound."""

from __future__ import annotations

import asyncio
import itertools
import random
import signal
import ssl
import statistics
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from proxy.imap.transcript import Direction, Ending, Outcome
from storage import Check, Session, Store, open_store
from tests.servers.busy import Seen, Talker, Upstream, work
from tests.servers.recorder import Recorder

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.servers.postgresql import PostgreSQL

CLIENTS = 4
LONGEST = 1.0
"""Seconds at most between the first client and the kill."""
LIMIT = 1.0
"""How old a finished exchange may be, in seconds, that is not there. The promise is 0.1, which only a machine that has
nothing else to do can be held to: `Tally` tells how it was."""
PER_DATABASE = 4
"""Kills into one database: all of it is looked through after each."""
LISTEN = ("--listen", "imaps://127.0.0.1:0", "--quiet")


@dataclass(frozen=True, slots=True)
class Moment:
    """One kill: what the clients saw, when it came (time.monotonic), and which recording it ended."""

    talkers: list[Talker]
    at: float
    recording: str


def kill_at(folder: Path, db: str, seed: int, seconds: float) -> Moment:
    """Run a busy recorder for so long, kill it, and tell what the clients had seen by then."""

    async def run() -> Moment:
        async with Upstream() as upstream:
            with Recorder(folder, f"imap+insecure://127.0.0.1:{upstream.port}", *LISTEN, db=db, code=-9) as recorder:
                killed: list[float] = []

                def kill() -> None:
                    killed.append(time.monotonic())
                    recorder.process.send_signal(signal.SIGKILL)

                trust = ssl.create_default_context(cafile=recorder.ca)
                # One session to begin with: on a machine with much else to do there might be none before the kill.
                port, first = recorder.port("implicit"), Talker(random.Random(seed))  # noqa: S311 - no secret
                await first.talk(port, trust, lambda: True)
                asyncio.get_running_loop().call_later(seconds, kill)
                talkers = [first, *await work(port, trust, seed, CLIENTS, lambda: bool(killed))]
                recorder.process.wait(20)
        return Moment(talkers, killed[0], recorder.recording)

    return asyncio.run(run())


def lost(store: Store, moment: Moment) -> list[float]:
    """Verify everything that was recorded before the kill. How old each finished exchange was that is not there."""
    assert list(Check(store).findings()) == []
    recording = store.recording(moment.recording)
    sessions = {int(each.client.rpartition(":")[2]): each for each in store.sessions(recording)}
    ages: list[float] = []
    for talker in moment.talkers:
        session = sessions.get(talker.port)
        there = exchanges_there(store, session, talker) if session else set[str]()
        ages += [moment.at - seen.at for seen in talker.seen if seen.tag not in there]
        if session:
            verify_streams(store, session, talker)
    return ages


def exchanges_there(store: Store, session: Session, talker: Talker) -> set[str]:
    """Tags of the exchanges of this session that are stored as the client saw them; the others must be incomplete."""
    seen = {each.tag: each for each in talker.seen}
    stored = [each.exchange for each in store.exchanges(session)]
    spent = dict.fromkeys(Direction, 0)
    there: set[str] = set()
    for exchange in stored:
        if exchange.outcome is Outcome.COMPLETED:
            expected = seen.get(exchange.tag)
            assert expected is None or same(expected, exchange.client_bytes, exchange.server_bytes, talker), exchange
            there.add(exchange.tag)
        else:
            assert exchange.outcome is Outcome.INCOMPLETE
            assert exchange.ended is None
        spent[Direction.CLIENT] += exchange.client_bytes
        spent[Direction.SERVER] += exchange.server_bytes
    greeting = len(b"* OK [CAPABILITY IMAP4rev1 LITERAL+] ready\r\n")
    assert spent[Direction.CLIENT] == session.client_bytes
    assert spent[Direction.SERVER] + min(greeting, session.server_bytes or 0) == session.server_bytes
    open_ones = [each for each in stored if each.outcome is Outcome.INCOMPLETE]
    assert not open_ones or session.ending is Ending.CUT
    return there


def same(seen: Seen, client_bytes: int, server_bytes: int, talker: Talker) -> bool:
    """Of commands that were sent together only the client's bytes are known one by one."""
    return seen.client_bytes == client_bytes and (talker.pipelined or seen.server_bytes == server_bytes)


def verify_streams(store: Store, session: Session, talker: Talker) -> None:
    """What is stored and what went by at the client begin alike, up to where the shorter one ends."""
    for direction, said in ((Direction.CLIENT, talker.sent), (Direction.SERVER, talker.received)):
        stored = b"".join(store.stream(session, direction))
        length = min(len(stored), len(said))
        assert stored[:length] == said[:length]


@dataclass
class Tally:
    """What became of all that was seen before some kills."""

    kills: int = 0
    sessions: int = 0
    seen: int = 0
    lost: list[float] = field(default_factory=list)
    """How old each finished exchange was that is not there, in seconds."""
    oldest: list[float] = field(default_factory=list)
    """The oldest of them, of each kill that cost any."""

    def add(self, moment: Moment, ages: list[float], sessions: int) -> None:
        self.kills += 1
        self.sessions += sessions
        self.seen += sum(len(talker.seen) for talker in moment.talkers)
        self.lost += ages
        self.oldest += [max(ages)] if ages else []

    def __str__(self) -> str:
        there, worst = self.seen - len(self.lost), max(self.oldest, default=0)
        late, middle = sum(age > 0.1 for age in self.oldest), statistics.median(self.oldest or [0])
        return (
            f"{self.kills} kills, {self.sessions} sessions, {self.seen} exchanges seen to their end, {there} of them "
            f"there; {len(self.oldest)} kills cost some, the oldest {worst * 1000:.0f} ms old (median of the oldest "
            f"{middle * 1000:.0f} ms), {late} of them some that were over 100 ms old"
        )


def kill_often(folder: Path, db: str, seed: int, moments: int, tally: Tally) -> None:
    """So many moments, each in a recording of its own, which the next recorder finds torn off."""
    dice = random.Random(seed)  # noqa: S311 - no secret
    for _ in range(moments):
        moment = kill_at(folder, db, dice.randrange(2**32), dice.uniform(0.02, LONGEST))
        with open_store(db, create=False) as store:
            recording = store.recording(moment.recording)
            assert recording.interrupted
            ages = lost(store, moment)
            tally.add(moment, ages, len(list(store.sessions(recording))))
        assert max(ages, default=0) < LIMIT
    with open_store(db, create=False) as store:
        store.recover()
        assert list(Check(store).findings()) == []
        assert all(each.ending for recording in store.recordings() for each in store.sessions(recording))


def kill_until(folder: Path, new_db: Callable[[], str], seed: int, moments: int) -> None:
    """So many moments, in databases that stay small enough to be looked through after each of them."""
    tally = Tally()
    print(f"seed {seed}")  # noqa: T201
    try:
        while tally.kills < moments:
            kill_often(folder, new_db(), seed + tally.kills, min(PER_DATABASE, moments - tally.kills), tally)
    finally:
        print(tally)  # noqa: T201


@pytest.mark.timeout(3600)
def test_killed_at_random_moments_sqlite(tmp_path: Path, seed: int, soak: bool) -> None:
    numbers = itertools.count()
    kill_until(tmp_path, lambda: str(tmp_path / f"record{next(numbers)}.db"), seed, 200 if soak else 12)


@pytest.mark.timeout(3600)
def test_killed_at_random_moments_postgresql(tmp_path: Path, postgresql: PostgreSQL, seed: int, soak: bool) -> None:
    kill_until(tmp_path, postgresql.new_database, seed, 200 if soak else 4)
