"""The wider testbed beside the repository: its servers, its clients' jobs, and lanes in which they run side by side.

A job waits most of its time (for IDLE, for a poll), so several run at once. Each lane has a server, tee and recorder
of its own: one account is for one client at a time, and what a lane's tee saw belongs to the job that is running.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from tests.end_to_end.unhurried import copied
from tests.servers.line import Line, line_up
from tests.servers.memory import memory

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from tests.servers.certificates import Identity
    from tests.servers.tee import Mode

Kind = Literal["dovecot", "cyrus", "courier"]

CLIENTS = (
    *("aerc", "aioimaplib", "curl", "fetchmail", "getmail", "imap-tools", "imapclient", "imapfilter", "imaplib"),
    *("interimap", "mailutil", "mbsync", "mutt", "neomutt", "net-imap-simple", "node-imap", "offlineimap", "openssl"),
    "telnet",
)
UNSUPPORTED: dict[Mode, tuple[str, ...]] = {
    "implicit": ("telnet",),
    "starttls": ("aioimaplib", "getmail", "mailutil", "net-imap-simple", "offlineimap", "telnet"),
    "plain": ("openssl",),
}
"""What a client itself cannot do; the testbed's notes say so."""

WORDS = {("mutt", "cyrus"): ("--scram", "pass")}
"""What imaptap must be told for a client. Cyrus offers channel binding, so SCRAM is hidden, and mutt takes CRAM-MD5.

It then sends a blank behind that word and is refused: at a Cyrus without SCRAM it fails in just the same way, with
nothing in between.
"""

CANNOT = 77
"""A job's exit code when the client is not installed or has no such TLS mode."""

HURRIED = frozenset(("aerc", "mutt", "neomutt", "fetchmail"))
"""Clients whose job, even unhurried, may fail on a busy machine, direct as well, for what a helper of theirs does later
than it takes for granted. It is done again then; the streams of all tries must hold.
"""
TRIES = 3

MENDED = Path(__file__).with_name("mended")
"""Programs that run a client without a fault of its own that has nothing to do with IMAP, and are called as it is."""

AT_ONCE = 3 if "PYTEST_XDIST_WORKER" in os.environ else 6
"""Lanes: a few beside other tests, and many where nothing else is done meanwhile."""


@dataclass(frozen=True)
class Job:
    """One client against one kind of server, with the same TLS mode on both sides of imaptap."""

    kind: Kind
    mode: Mode
    client: str

    def __str__(self) -> str:
        return f"{self.client}-{self.mode}-{self.kind}"


JOBS = [
    Job(kind, mode, client)
    for kind, modes in (("cyrus", ("implicit",)), ("dovecot", ("implicit", "starttls", "plain")))
    for mode in modes
    for client in CLIENTS
    if client not in UNSUPPORTED[mode]
]
"""In the order in which they are begun, so that who waits for one after the other waits for none long."""


@dataclass(frozen=True)
class Result:
    """How a job ended, in the client's words, and what was wrong with the record of it."""

    code: int
    output: str
    problem: str | None = None
    findings: tuple[dict[str, Any], ...] = ()
    """What `imaptap lint` has to say of the job's sessions."""


@dataclass(frozen=True)
class Outside:
    """A server of the testbed, as its own program has started it."""

    plain_port: int
    tls_port: int
    ca: Path


class Testbed:
    """Runs all jobs in the background, a few lanes at once; `result` waits for one."""

    __test__ = False

    def __init__(self, folder: Path, jobs: list[Job], identity: Identity) -> None:
        self.identity = identity
        # Not pytest's own folder: interimap's job starts a server in it, whose user must be able to walk in.
        self.work = Path(tempfile.mkdtemp(prefix="tb-"))
        self.work.chmod(0o755)
        self.folder = copied(folder, self.work / "testbed")
        self.results: dict[Job, Future[Result]] = {job: Future() for job in jobs}
        self.halted = threading.Event()
        self.pool = ThreadPoolExecutor(AT_ONCE, "lane")
        for lane in _lanes(jobs):
            self.pool.submit(self._run_lane, lane)

    def result(self, job: Job) -> Result:
        """Of one job, as soon as it is there."""
        return self.results[job].result(400)

    def close(self) -> None:
        """No further jobs; waits for those that are running."""
        self.halted.set()
        self.pool.shutdown(cancel_futures=True)
        shutil.rmtree(self.work, ignore_errors=True)

    def direct(self, job: Job) -> Result:
        """The same job without imaptap, to tell a broken client from a broken proxy."""
        with server_of(self.folder, job.kind) as server:
            port = server.tls_port if job.mode == "implicit" else server.plain_port
            return self._run(job, port, server.ca, server, self.work / f"{job}-direct")

    def _run_lane(self, lane: list[Job]) -> None:
        first = lane[0]
        try:
            with ExitStack() as stack:
                server = stack.enter_context(server_of(self.folder, first.kind))
                folder = self.work / f"lane-{first}"
                line = stack.enter_context(line_up(folder, first.mode, server, self.identity, *_words(first)))
                for job in lane:
                    if not self.halted.is_set():
                        self.results[job].set_result(self._run_through(job, line, server))
        except BaseException as problem:
            for job in lane:
                if not self.results[job].done():
                    self.results[job].set_exception(problem)
            raise

    def _run_through(self, job: Job, line: Line, server: Outside) -> Result:
        recorder = line.recorder
        tries = TRIES if job.client in HURRIED else 1
        runs = (
            self._run(job, recorder.port(job.mode), recorder.ca, server, self.work / f"{job}-{number}")
            for number in range(tries)
        )
        result = next(runs)
        while result.code not in {0, CANNOT} and (again := next(runs, None)):
            result = again
        if result.code == CANNOT:
            return result
        try:
            numbers = line.check()
        except (AssertionError, TimeoutError) as problem:
            return Result(result.code, result.output, str(problem))
        linted = (recorder.json("lint", f"last/{number}", "--fail-on", "never") for number in numbers)
        return replace(result, findings=tuple(finding for each in linted for finding in each["findings"]))

    def _run(self, job: Job, port: int, ca: Path, server: Outside, work: Path) -> Result:
        # What prepares a folder for the client or looks into it afterwards goes past imaptap, straight to the server.
        done = run_job(self.folder, job.client, job.mode, port, ca, work, (server.tls_port, server.ca), seconds=100)
        return Result(done.returncode, done.stdout[-2000:])


def run_job(
    testbed: Path,
    client: str,
    mode: str,
    port: int,
    ca: Path,
    work: Path,
    side: tuple[int, Path],
    *,
    seconds: int = 150,
) -> subprocess.CompletedProcess[str]:
    """One job of a client, with TLS as `mode` says at `port`, whose certificate `ca` has signed.

    `side` is where its helpers go, with implicit TLS: port and CA. It ends itself after so many seconds.
    """
    return subprocess.run(
        [str(testbed / "clients" / f"{client}.sh"), "localhost", str(port), mode, str(ca), "bob", "secret", str(work)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
        env={**environment(client), "TB_SIDE": f"localhost {side[0]} implicit {side[1]}", "TB_TIMEOUT": str(seconds)},
    )


def environment(client: str) -> dict[str, str]:
    """Of a client's job: this process's own, where a client that is installed, and mended, is found mended."""
    path = os.environ.get("PATH", os.defpath)
    python = {"PYTHON": os.path.realpath(sys.executable)}  # not a program that looks which Python shall be started
    if (MENDED / client).exists() and shutil.which(client, path=path):
        path = os.pathsep.join([str(MENDED), path])
    return {**os.environ, **python, "PATH": path}


def chosen(words: argparse.ArgumentParser, clients: list[str]) -> list[str]:
    """The clients that were asked for, all where none was; ends in an error where there is no such one."""
    if strangers := set(clients) - set(CLIENTS):
        words.error(f"no such client: {', '.join(sorted(strangers))}")
    return clients or list(CLIENTS)


def _words(job: Job) -> tuple[str, ...]:
    return WORDS.get((job.client, job.kind), ())


def _lanes(jobs: list[Job]) -> list[list[Job]]:
    """Jobs of one server and mode are two lanes of about the same length."""
    groups: dict[tuple[Kind, Mode, tuple[str, ...]], list[Job]] = {}
    for job in jobs:
        groups.setdefault((job.kind, job.mode, _words(job)), []).append(job)
    return [lane for group in groups.values() for lane in (group[::2], group[1::2]) if lane]


@contextmanager
def server_of(testbed: Path, kind: Kind, *words: str) -> Iterator[Outside]:
    """Start one through its own program: its modules have names of ours, so they must stay out of this process.

    `words` are options of that program.
    """
    program = [sys.executable, str(testbed / f"{kind}.py")]
    # A name that is short, for socket paths, and a folder that the server's user may walk into.
    with tempfile.TemporaryDirectory(prefix=f"tb-{kind}-", dir=memory() if kind == "cyrus" else None) as folder:
        Path(folder).chmod(0o755)
        complaints = Path(folder) / "stderr"
        # To a file: a server may keep this open as long as it runs, and who reads from a pipe waits for its end.
        with complaints.open("w") as stderr:
            started = subprocess.run(
                [*program, "start", "--dir", folder, *words],
                stdout=subprocess.PIPE, stderr=stderr, text=True, check=False, timeout=120,
            )  # fmt: skip
        if started.returncode != 0:
            raise RuntimeError(f"{kind} did not start: {complaints.read_text()[-2000:]}")
        said = dict(line.split("=", 1) for line in started.stdout.splitlines())
        try:
            yield Outside(int(said["plain_port"]), int(said["tls_port"]), Path(said["ca"]))
        finally:
            subprocess.run([*program, "stop", "--dir", folder], check=True, capture_output=True)
