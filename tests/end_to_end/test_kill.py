"""SIGKILL at random moments of a busy run: what was finished is there, the rest is told as unfinished, all is sound."""

from __future__ import annotations

import asyncio
import random
import signal
import ssl
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from proxy.imap.transcript import Direction, Ending, Outcome
from storage import Check, Session, Store, open_store
from tests.servers.busy import Seen, Talker, Upstream, work
from tests.servers.recorder import Recorder

if TYPE_CHECKING:
    from tests.servers.postgresql import PostgreSQL

CLIENTS = 4
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
                asyncio.get_running_loop().call_later(seconds, kill)
                talkers = await work(recorder.port("implicit"), trust, seed, CLIENTS, lambda: bool(killed))
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


def kill_often(folder: Path, db: str, seed: int, moments: int, longest: float, limit: float) -> None:
    """So many moments, each in a recording of its own, which the next recorder finds torn off."""
    dice = random.Random(seed)  # noqa: S311 - no secret
    print(f"seed {seed}")  # noqa: T201
    for number in range(moments):
        moment = kill_at(folder, db, dice.randrange(2**32), dice.uniform(0.02, longest))
        with open_store(db, create=False) as store:
            assert store.recording(moment.recording).interrupted
            ages = lost(store, moment)
        seen, oldest = sum(len(talker.seen) for talker in moment.talkers), max(ages, default=0)
        print(f"{number}: {seen} exchanges seen, {len(ages)} of them not there, the oldest {oldest:.3f} s")  # noqa: T201
        assert oldest < limit
    with open_store(db, create=False) as store:
        store.recover()
        assert list(Check(store).findings()) == []
        assert all(each.ending for recording in store.recordings() for each in store.sessions(recording))


def test_killed_at_random_moments_sqlite(tmp_path: Path, seed: int) -> None:
    kill_often(tmp_path, str(tmp_path / "record.db"), seed, 12, 1.0, 1.0)


def test_killed_at_random_moments_postgresql(tmp_path: Path, postgresql: PostgreSQL, seed: int) -> None:
    kill_often(tmp_path, postgresql.new_database(), seed, 4, 1.0, 1.0)
