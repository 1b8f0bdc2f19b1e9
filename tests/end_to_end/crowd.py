"""A crowd of real mail clients that do their jobs again and again, each lane of them with an account of its own.

Whoever does harm to one of them says so first (`harm`): of all others the job must end well.
"""

from __future__ import annotations

import contextlib
import math
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Self

from tests.end_to_end.jobs import CLIENTS as OWN
from tests.end_to_end.testbed import CANNOT, HURRIED, TRIES, UNSUPPORTED, environment
from tests.end_to_end.testbed import CLIENTS as WIDE
from tests.need import ROOT
from tests.servers.wait import until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.servers.dovecot import Dovecot
    from tests.servers.recorder import Recorder
    from tests.servers.tee import Mode, Wire

MODES: tuple[Mode, ...] = ("implicit", "starttls", "plain")
LIMIT = 150
"""Seconds that a job may take before it ends itself: many run at once, and some are made to stand still."""


@dataclass(frozen=True)
class Client:
    """A client in one TLS mode. `script` is its job in the testbed; without, it is one of `tests.end_to_end.jobs`."""

    name: str
    mode: Mode
    script: Path | None = None

    def command(self, port: int, ca: Path, user: str, work: Path) -> list[str]:
        """How its job is called."""
        if self.script:
            return [str(self.script), "localhost", str(port), self.mode, str(ca), user, "secret", str(work)]
        job = (self.name, self.mode, str(port), str(ca), user, str(work))
        return [sys.executable, "-m", "tests.end_to_end.jobs", *job]


def own_clients() -> list[Client]:
    """Those that any machine with the tests' programs has."""
    return [Client(name, mode) for name, (_, modes) in OWN.items() for mode in modes]


def wide_clients(testbed: Path) -> list[Client]:
    """Those of the testbed beside the repository."""
    scripts = ((name, mode, testbed / "clients" / f"{name}.sh") for mode in MODES for name in WIDE)
    return [Client(*each) for each in scripts if each[0] not in UNSUPPORTED[each[1]]]


@dataclass
class Visit:
    """One run of a client's job."""

    client: Client
    account: str
    work: Path
    process: subprocess.Popen[str]
    began: float
    ended: float = math.inf
    harm: str = ""
    """What was done to it, by whom it may fail."""
    code: int | None = None
    output: str = ""
    right: bool = False
    again: bool = False
    """Whether it came to nothing for want of time, perhaps, and is done again at once."""


class Moment(NamedTuple):
    """When connections were cut off, from and to (time.monotonic): who was there then may fail."""

    began: float
    ended: float
    harm: str


@dataclass
class Lane:
    """One account, and the clients that use it one after the other."""

    account: str
    clients: list[Client]
    visits: list[Visit] = field(default_factory=list)
    now: Visit | None = None
    expected: dict[str, str] = field(default_factory=dict)
    """What each client's job gives without imaptap, since the account's mail was put there last: UIDs may differ."""


class Crowd:
    """`with Crowd(...) as crowd:` runs all lanes until the block ends; then waits for what is running."""

    def __init__(self, lanes: list[Lane], dovecot: Dovecot, recorder: Recorder, wires: Callable[[], list[Wire]],
                 open_accounts: Callable[[], set[str]], seed: int) -> None:  # fmt: skip
        self.lanes, self.dovecot, self.recorder = lanes, dovecot, recorder
        self.wires, self.open_accounts = wires, open_accounts
        self.moments: list[Moment] = []
        self.problems: list[str] = []
        self.absent: set[str] = set()
        self._dice = random.Random(seed)  # noqa: S311 - no secret
        self._door = threading.Lock()
        self._ended = threading.Event()
        # Not pytest's own folder: interimap's job starts a server in it, whose user must be able to walk in.
        self._work = Path(tempfile.mkdtemp(prefix="soak-"))
        self._work.chmod(0o755)
        self._threads = [threading.Thread(target=self._run, args=(lane,), name=lane.account) for lane in lanes]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()
        shutil.rmtree(self._work, ignore_errors=True)

    @property
    def running(self) -> list[Visit]:
        """The jobs that are under way."""
        return [visit for lane in self.lanes if (visit := lane.now) is not None]

    def visits(self) -> list[Visit]:
        """All that have ended."""
        return [visit for lane in self.lanes for visit in lane.visits]

    @contextlib.contextmanager
    def rest(self) -> Iterator[None]:
        """While this lasts nobody is at work: who is now may end what he does, and nobody new begins."""
        with self._door:
            until(lambda: not self.running, "the clients to end their jobs", seconds=2 * LIMIT)
            yield

    @contextlib.contextmanager
    def moment(self, harm: str) -> Iterator[None]:
        """While this lasts nobody new begins, and whoever is there may fail."""
        with self._door:
            began = time.monotonic()
            for visit in self.running:
                visit.harm = harm
            try:
                yield
            finally:
                self.moments.append(Moment(began, time.monotonic(), harm))

    def harmed(self, name: str, at: float) -> bool:
        """Whether harm was done to the job that this account had at work at a time (time.monotonic)."""
        visits = (visit for lane in self.lanes if lane.account == name for visit in lane.visits if visit.harm)
        return any(visit.began - 1 <= at <= visit.ended + 1 for visit in visits)

    def _run(self, lane: Lane) -> None:
        number = 0
        clients: list[Client] = []
        tries = 0
        try:
            while not self._ended.is_set() or tries:
                if not clients:
                    clients = self._dice.sample(lane.clients, len(lane.clients))
                client = clients.pop()
                if client.name not in self.absent:
                    number += 1
                    visit = self._visit(lane, client, self._work / f"{lane.account}-{number}")
                    tries += 1
                    visit.again = not (visit.right or visit.harm) and client.name in HURRIED and tries < TRIES
                    if visit.again:
                        clients.append(client)
                    else:
                        tries = 0
        except Exception as error:  # noqa: BLE001 - a lane that stands still must be told of
            self.problems.append(f"lane {lane.account}: {error!r}")

    def _visit(self, lane: Lane, client: Client, work: Path) -> Visit:
        work.mkdir()
        with self._door:
            visit = lane.now = self._begin(lane, client, work)
        visit.output = visit.process.communicate()[0][-3000:]
        visit.code = visit.process.returncode
        visit.ended = time.monotonic()
        lane.now = None
        if visit.code == CANNOT:
            self.absent.add(client.name)
        else:
            visit.right = self._is_right(lane, visit)
            lane.visits.append(visit)
        if visit.harm or not visit.right:
            self._clear_up(visit)
            lane.expected.clear()
        shutil.rmtree(work, ignore_errors=True)
        return visit

    def _begin(self, lane: Lane, client: Client, work: Path) -> Visit:
        port, ca = self.recorder.port(client.mode), self.recorder.ca
        # What prepares a folder for the client or looks into it afterwards goes past imaptap, straight to the server.
        side = f"localhost {self.dovecot.tls_port} implicit {self.dovecot.ca}"
        process = subprocess.Popen(
            client.command(port, ca, lane.account, work),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
            cwd=ROOT, start_new_session=True,
            env={**environment(client.name), "TB_SIDE": side, "TB_TIMEOUT": str(LIMIT)},
        )  # fmt: skip
        return Visit(client, lane.account, work, process, time.monotonic())

    def _is_right(self, lane: Lane, visit: Visit) -> bool:
        """A job of the testbed looks itself; what came of one of ours must be what comes of it direct."""
        if visit.code != 0 or visit.client.script:
            return visit.code == 0
        expected = self._expected(lane, visit.client.name)
        if visit.output.split(maxsplit=1)[:1] == expected.split(maxsplit=1)[:1]:
            return True
        visit.output += f"direct: {expected}"
        return False

    def _expected(self, lane: Lane, name: str) -> str:
        if name not in lane.expected:
            work = self._work / f"{lane.account}-direct-{name}"
            work.mkdir()
            direct = Client(name, "implicit").command(self.dovecot.tls_port, self.dovecot.ca, lane.account, work)
            with self._door:  # whoever restarts the server waits: nothing must go wrong with what is compared with
                done = subprocess.run(direct, capture_output=True, text=True, check=True, cwd=ROOT)
            lane.expected[name] = done.stdout.strip()
            shutil.rmtree(work)
        return lane.expected[name]

    def _clear_up(self, visit: Visit) -> None:
        """Nothing of a job that was torn off may get into the next one's way: neither processes nor letters."""
        for pid in stragglers(visit.work):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        until(
            lambda: visit.account not in self.open_accounts(), f"the connections of {visit.account} to end", seconds=60
        )
        self.dovecot.reseed(visit.account)


def stragglers(work: Path) -> list[int]:
    """The processes that a job has left: those that know its folder."""
    mark = str(work).encode()
    found: list[int] = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and int(folder.name) != os.getpid():
            with contextlib.suppress(OSError):
                if any(
                    mark + end in (folder / file).read_bytes()
                    for file in ("cmdline", "environ")
                    for end in (b"/", b"\0")
                ):
                    found.append(int(folder.name))
    return found
