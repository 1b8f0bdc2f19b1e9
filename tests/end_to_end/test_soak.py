"""Real clients at work through one long-running recorder while all kinds of things go wrong: `make soak`.

For a few seconds with a few clients in `make test`; with `--soak` for `--minutes` with all of them. At the end every
job that nobody harmed has the right result, every stored stream is what the tee in front of the server saw, but for
what a gap or a torn connection explains, and memory and open files are what they were.
"""

from __future__ import annotations

import shutil
import ssl
import subprocess
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.end_to_end.crowd import Crowd, Lane, own_clients, wide_clients
from tests.end_to_end.faults import WORKER_KILLED, Faults
from tests.end_to_end.proof import Gone, Proof, Tally, account
from tests.end_to_end.rests import Rest, Rests
from tests.end_to_end.ticker import Ticker
from tests.need import shared
from tests.servers.background import Background
from tests.servers.dovecot import Dovecot
from tests.servers.line import line_up
from tests.servers.mail import mailbox, write_maildir
from tests.servers.meter import Meter

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.servers.certificates import Identity
    from tests.servers.line import Line

OFTEN = ["client killed", "client stopped for a moment", "reset by client", "reset by server", "hostile clients"]
LOCKS = ["database locked", "disk full", "database locked for long", "disk full for long"]
CROWDED = "default_process_limit = 1000\ndefault_client_limit = 4000\nmail_max_userip_connections = 1000\n"
SHORT = 5.0
"""Seconds of the short form."""
REST = 25.0
"""Seconds that a rest lasts: at the end of it memory has been given back twice (`imaptap.memory`)."""
STILL = 12.0
"""Seconds at its end in which memory is looked at."""
FILES = 6
"""As many more may be open at the end, in each process: a pool has up to four connections to SQLite, two files each."""
LOOK = 5.0
"""Seconds between two looks at what has been recorded."""


@dataclass(frozen=True)
class Plan:
    """How long, with whom, and what goes wrong."""

    seconds: float
    lanes: list[Lane]
    often: list[str]
    once: list[str]
    rest: float
    workers: int
    seed: int


def short_plan(workers: int, seed: int) -> Plan:
    """A few quick clients, two faults and a worker killed, where there is one to spare."""
    clients = [client for client in own_clients() if client.name in ("imaplib", "imapclient", "curl")]
    lanes = [Lane(f"soak{number:02}", clients) for number in range(2)]
    return Plan(
        SHORT, lanes, OFTEN[:2], ["reset by server", *(["worker killed"] if workers > 1 else [])], 0.5, workers, seed
    )


def long_plan(seconds: float, workers: int, seed: int) -> Plan:
    """Every client that there is."""
    folder = shared()
    lanes = [Lane(f"soak{number:02}", own_clients()) for number in range(2 if folder else 6)]
    if folder:
        wide = wide_clients(folder / "testbed")
        lanes += [Lane(f"soak{number:02}", wide) for number in range(10, 14)]
    killed = ["worker killed"] if workers > 1 else []
    once = [*killed, *LOCKS[:3], "rest", LOCKS[3], "server restarted", "rest", *LOCKS[:2], "rest"]
    return Plan(seconds, lanes, OFTEN, once, 2.0, workers, seed)


def seed_mail(templates: Path) -> Callable[[str, Path], None]:
    """What lays down the mail of an account: the testbed's where its clients use it, else ours."""

    def seed(user: str, root: Path) -> None:
        folder = shared()
        if folder is None or not user.startswith("soak1"):
            write_maildir(root, mailbox())
            return
        template = templates / "wide"
        if not template.exists():
            subprocess.run([sys.executable, str(folder / "testbed" / "corpus.py"), "maildir", "--root", str(template)],
                           check=True, capture_output=True)  # fmt: skip
            folders = sorted(each.name[1:] for each in template.iterdir() if each.name.startswith("."))
            (template / "subscriptions").write_text("".join(f"{name}\n" for name in folders))
        shutil.copytree(template, root)

    return seed


@pytest.mark.parametrize("workers", [1, 2])
def test_clients_do_their_jobs_whatever_goes_wrong(
    workers: int, identity: Identity, tmp_path: Path, soak: bool, minutes: float, seed: int
) -> None:
    """Two thirds of the time with one process, one third with two workers."""
    seconds = minutes * 60 * (2 if workers == 1 else 1) / 3
    plan = long_plan(seconds, workers, seed) if soak else short_plan(workers, seed)
    users = dict.fromkeys(("bob", Ticker.ACCOUNT, *(lane.account for lane in plan.lanes)), "secret")
    words = ("--quiet", *(("--workers", str(workers)) if workers > 1 else ()))
    code = int(workers > 1 or any("long" in kind for kind in plan.once))
    with (
        Dovecot(users=users, extra=CROWDED, seed=seed_mail(tmp_path)) as dovecot,
        line_up(tmp_path / "tap", "implicit", dovecot, identity, *words, code=code, cold=True) as line,
    ):
        run = Run(plan, line, dovecot)
        try:
            run.play()
            line.recorder.stop()  # nothing is on its way to the disk any more
            run.finish()
        finally:
            run.proof.close()
        line.recorder.run("check", line.recorder.recording)
        problems = run.problems()
        sys.stdout.write(run.table() + "".join(f"PROBLEM: {each:.2000}\n" for each in problems[:100]))
    assert problems == []


class Run:
    """One soak: the plan carried out, and what came of it."""

    def __init__(self, plan: Plan, line: Line, dovecot: Dovecot) -> None:
        self.plan, self.line, self.dovecot = plan, line, dovecot
        self.recorder, self.tee = line.recorder, line.tee
        trust = ssl.create_default_context(cafile=self.recorder.ca)
        self.crowd = Crowd(plan.lanes, dovecot, self.recorder, lambda: self.tee.wires, self.open_accounts, plan.seed)
        self.faults = Faults(
            self.crowd, self.recorder, dovecot, self.tee, trust, self.pids, account, self.rest, plan.seed
        )
        self.tickers = [Ticker(self.recorder, mode) for mode in ("implicit", "plain")]
        self.proof = Proof(self.recorder.db, self.recorder.recording, self.tee, self.excused, self.unwritten)
        self.meter = Meter(self.pids)
        self.looks: list[str] = []
        self.rests = Rests(plan.workers)

    def pids(self) -> list[int]:
        """The recorder's processes, the parent first."""
        parent = self.recorder.process.pid
        children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
        return [parent, *map(int, children)]

    def open_accounts(self) -> set[str]:
        """Who has a connection to the server."""
        return {account(wire.client) for wire in list(self.tee.wires) if wire.open}

    def excused(self, gone: Gone) -> bool:
        """Whether harm was done to this connection, or may have been."""
        if gone.account == Ticker.ACCOUNT:
            return any(moment.began - 60 <= self._clock(gone) <= moment.ended for moment in self.crowd.moments)
        return not gone.account or self.crowd.harmed(gone.account, self._clock(gone))

    def unwritten(self, gone: Gone) -> bool:
        """Whether it came so shortly before a worker was killed that not even its beginning was on the disk."""
        killed = (moment for moment in self.crowd.moments if moment.harm == WORKER_KILLED)
        return any(moment.began - 2 <= self._clock(gone) <= moment.ended for moment in killed)

    def play(self) -> None:
        """All of it; at its end every connection is over."""
        self.tickers[0].visit()  # what is opened with the first session stays
        self.recorder.ended(1)
        self.files_before = self.meter.look().files
        with self.meter:
            with ExitStack() as tickers, self.crowd:
                for ticker in self.tickers:
                    tickers.enter_context(ticker)
                looker = Looker(self.proof)
                with looker:
                    self.faults.play(self.plan.often, self.plan.once, self.plan.seconds, self.plan.rest)
            if self.rests.kib:
                self._look_at_rest()  # the last one: now they are gone for good
        self.looks = looker.problems
        self.tee.finished(0)
        self.recorder.ended(1)
        self.files_after = self.meter.look().files

    def rest(self) -> None:
        """Nobody comes, who is there goes; what memory is left then stays."""
        with ExitStack() as doors:
            doors.enter_context(self.crowd.rest())
            for ticker in self.tickers:
                doors.enter_context(ticker.door)
            self._look_at_rest()

    def _look_at_rest(self) -> None:
        time.sleep(REST)
        visits = len(self.crowd.visits()) + sum(ticker.visits for ticker in self.tickers)
        self.rests.add(Rest(self.meter.least(STILL), visits))

    def finish(self) -> None:
        """What was proved of it, when the recorder has ended."""
        self.tally: Tally = self.proof.finish(killed=bool(self.faults.counts["worker killed"]))

    def _clock(self, gone: Gone) -> float:
        return gone.wire.came - time.time() + time.monotonic()

    def problems(self) -> list[str]:
        """All that should not be."""
        found = [*self.crowd.problems, *self.faults.problems, *self.looks]
        found += [
            f"{visit.client.name} ({visit.client.mode}) ended with {visit.code}: {visit.output[-600:]}"
            for visit in self.crowd.visits()
            if not (visit.right or visit.harm or visit.again)
        ]
        for ticker in self.tickers:
            for began, ended, words in ticker.failures:
                if not any(moment.began <= ended and began <= moment.ended for moment in self.crowd.moments):
                    found.append(f"a visit ({ticker.mode}): {words}")
        found += self.tally.problems
        log = (self.recorder.folder / "stderr.log").read_text(errors="replace")
        found += [line for line in log.splitlines() if "report" in line.lower() or "Traceback" in line]
        if self.files_after > self.files_before + FILES * self.plan.workers:
            found.append(f"{self.files_after} open files at the end, {self.files_before} at the beginning")
        found += [f"never happened: {kind}" for kind in self.plan.once if not self.faults.counts[kind]]
        return found + self.rests.growth()

    def table(self) -> str:
        """What was done, for people."""
        visits, tally = self.crowd.visits(), self.tally
        totals = self.recorder.json("ls", self.recorder.recording)
        sound = [visit for visit in visits if not (visit.harm or visit.again)]
        harmed = [visit for visit in visits if visit.harm]
        rows: list[tuple[str, object]] = [
            ("seconds", round(self.meter.samples[-1].at) if self.meter.samples else 0),
            ("jobs", len(visits)),
            ("  not harmed", f"{len(sound)}, right {sum(visit.right for visit in sound)}"),
            ("  harmed", f"{len(harmed)}, right all the same {sum(visit.right for visit in harmed)}"),
            ("  too slow, and done again", sum(visit.again for visit in visits)),
            ("  not installed", ", ".join(sorted(self.crowd.absent)) or "-"),
            (
                "short visits",
                f"{sum(t.visits for t in self.tickers)}, failed {sum(len(t.failures) for t in self.tickers)}",
            ),
            ("sessions", totals["session_count"]),
            ("exchanges", totals["exchange_count"]),
            ("bytes", totals["client_bytes"] + totals["server_bytes"]),
            ("streams equal", tally.equal),
            ("  cut short", f"{tally.cut_short} ({tally.unread} bytes not read, {tally.unsent} not sent on)"),
            ("  with a gap", f"{tally.with_gap} ({tally.gap_bytes} bytes)"),
            ("gaps", tally.gaps),
            ("  sessions wholly in one", f"{tally.missing}, of {tally.wholly_lost} of them the server knows"),
            ("  gone with a worker", tally.unwritten),
            ("  without a server", tally.unseen),
            ("open files", f"{self.files_before} before, {self.files_after} after"),
            *(("fault: " + kind, count) for kind, count in sorted(self.faults.counts.items())),
        ]
        if len(self.meter.samples) > 30:
            most = max(s.kib for s in self.meter.samples)
            rows.append(("KiB at each rest", f"{self.rests.kib}, most {most}"))
            rows += self.rests.shown()
            every = self.meter.samples[:: max(1, len(self.meter.samples) // 15)]
            rows.append(("KiB over time", " ".join(f"{s.at:.0f}s:{s.kib}" for s in every)))
            long = [f"{at:.0f}s {kind} ({lasted:.0f} s)" for at, lasted, kind in self.faults.times if lasted > 2.5]
            rows.append(("long faults", "; ".join(long)))
            rows.append(("files over time", " ".join(str(s.files) for s in every)))
        width = max(len(name) for name, _ in rows)
        return "\n" + "".join(f"{name:{width}}  {value}\n" for name, value in rows)


class Looker(Background):
    """Looks at what has been recorded while it is being recorded."""

    def __init__(self, proof: Proof) -> None:
        super().__init__("looker", LOOK)
        self.problems: list[str] = []
        self._proof = proof

    def again(self) -> None:
        """One more look."""
        try:
            self._proof.look()
        except Exception as error:  # noqa: BLE001 - to be told of at the end
            self.problems.append(f"look: {error!r}")
