"""What goes wrong while the crowd is at work: one fault after the other, drawn from a seed, counted by kind."""

from __future__ import annotations

import contextlib
import os
import random
import resource
import signal
import socket
import sqlite3
import struct
import threading
import time
from collections import Counter
from typing import TYPE_CHECKING

from tests.servers.attacks import ATTACKS, Session, Target
from tests.servers.wait import until

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterator

    from tests.end_to_end.crowd import Crowd, Visit
    from tests.servers.dovecot import Dovecot
    from tests.servers.recorder import Recorder
    from tests.servers.tee import Tee, Wire

HOSTILE = (
    *("clients that send nothing", "clients with half a ClientHello", "an endless line", "an endless tag"),
    *("a literal of 2^63-1 bytes", "nonsense", "TLS garbage", "TLS on the plain port"),
)
"""The attacks that need no server which helps them."""

TAKE_IT_ILL = frozenset(("interimap",))
"""Clients that give up when a read was interrupted, as SIGCONT does (EINTR): "read: Interrupted system call"."""
WORKER_KILLED = "a worker was killed"
SHORT, LONG = 3.0, 12.0
"""Seconds for which the database cannot be written: less and more than the recorder waits until it begins to lose."""
TINY = 64 * 1024
"""As large as files may be while the disk is "full": less than a log that is in use."""


class Remembering(Target):
    """Closes in the end what an attack that was cut off has left open."""

    def dial(self, *, tls: bool = False) -> socket.socket:
        self.held.append(sock := super().dial(tls=tls))
        return sock


class Faults:
    """Does harm, with `play`, to a crowd and to what lies between it and its server."""

    def __init__(self, crowd: Crowd, recorder: Recorder, dovecot: Dovecot, tee: Tee, trust: ssl.SSLContext,
                 pids: Callable[[], list[int]], account_of: Callable[[bytes], str], take_rest: Callable[[], None],
                 seed: int) -> None:  # fmt: skip
        self.crowd, self.recorder, self.dovecot, self.tee, self.pids = crowd, recorder, dovecot, tee, pids
        self._take_rest = take_rest
        self.account_of = account_of
        self.counts: Counter[str] = Counter()
        self.problems: list[str] = []
        self.times: list[tuple[float, float, str]] = []
        """When each began, for how long it lasted (seconds), and what it was."""
        self.target = Remembering(recorder.port("plain"), recorder.port("implicit"), trust)
        self._dice = random.Random(seed)  # noqa: S311 - no secret
        self._ended = threading.Event()

    def play(self, often: list[str], once: list[str], seconds: float, rest: float) -> None:
        """For so long. `often` are drawn from, `once` come in order; between two lie `rest` seconds on the average."""
        began = time.monotonic()
        due = [(began + seconds * (number + 1) / (len(once) + 1), kind) for number, kind in enumerate(once)]
        while (now := time.monotonic()) < began + seconds or due:
            kind = due.pop(0)[1] if due and min(due[0][0], began + seconds) <= now else self._dice.choice(often)
            at = time.monotonic()
            try:
                if getattr(self, kind.replace(" ", "_"))():
                    self.counts[kind] += 1
            except Exception as error:  # noqa: BLE001 - the soak goes on, and tells of it at its end
                self.problems.append(f"{kind}: {error!r}")
            self.times.append((at - began, time.monotonic() - at, kind))
            left = began + seconds - time.monotonic()
            self._ended.wait(max(0, min(left, self._dice.uniform(0, 2 * rest))))

    def rest(self) -> bool:
        """Nothing goes wrong, and nothing goes on."""
        self._take_rest()
        return True

    # --- clients ------------------------------------------------------------------------------------------------------

    def _victim(self) -> Visit | None:
        running = [visit for visit in self.crowd.running if not visit.harm]
        return self._dice.choice(running) if running else None

    def client_killed(self) -> bool:
        """A real client, in the middle of whatever it does."""
        visit = self._victim()
        if visit is None:
            return False
        visit.harm = "killed"
        with contextlib.suppress(ProcessLookupError):
            os.killpg(visit.process.pid, signal.SIGKILL)
        return True

    def client_stopped_for_a_moment(self) -> bool:
        """SIGSTOP, and SIGCONT: its job must end well all the same."""
        visit = self._victim()
        if visit is None:
            return False
        if visit.client.name in TAKE_IT_ILL:
            visit.harm = "stopped"
        with contextlib.suppress(ProcessLookupError):
            os.killpg(visit.process.pid, signal.SIGSTOP)
            try:
                self._ended.wait(self._dice.uniform(0.5, 2))
            finally:
                os.killpg(visit.process.pid, signal.SIGCONT)
            return True
        return False

    def reset_by_client(self) -> bool:
        """In the middle of an answer that it has asked for."""
        session = Session(self.target.dial(tls=self._dice.random() < 0.5))
        with contextlib.suppress(OSError):
            session.until(b"\n")
            session.ask(b"l LOGIN bob secret\r\n", b"l OK")
            session.sock.sendall(b"a SELECT INBOX\r\nb FETCH 1:* BODY.PEEK[]\r\n")
            session.until(b"b OK" if self._dice.random() < 0.2 else b"FETCH")
        session.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.target.release()
        return True

    def reset_by_server(self) -> bool:
        """The connection of a real client, behind imaptap."""

        def targets() -> list[tuple[Wire, Visit]]:
            running = {visit.account: visit for visit in self.crowd.running}
            wires = [(wire, self.account_of(wire.client)) for wire in list(self.tee.wires) if wire.open]
            return [(wire, running[name]) for wire, name in wires if name in running]

        wire, visit = self._dice.choice(until(targets, "a client to have logged in"))
        visit.harm = "reset by the server"
        self.tee.reset(wire)
        return True

    def hostile_clients(self) -> bool:
        """One of the attacks of `tests.servers.attacks`."""
        with contextlib.suppress(OSError):
            ATTACKS[self._dice.choice(HOSTILE)](self.target)
        self.target.release()
        return True

    # --- the database -------------------------------------------------------------------------------------------------

    def database_locked(self) -> bool:
        """By another program, for longer than SQLite waits: nothing may be lost."""
        with self._lock():
            self._ended.wait(SHORT)
        return True

    def database_locked_for_long(self) -> bool:
        """So long that traffic goes on unrecorded: a gap."""
        with self._lock():
            self._ended.wait(LONG)
        return True

    def disk_full(self) -> bool:
        """As far as the recorder can see: its files may not grow. For a moment."""
        with self._full():
            self._ended.wait(SHORT)
        return True

    def disk_full_for_long(self) -> bool:
        """So long that traffic goes on unrecorded: a gap."""
        with self._full():
            self._ended.wait(LONG)
        return True

    @contextlib.contextmanager
    def _lock(self) -> Iterator[None]:
        database = sqlite3.connect(self.recorder.db, isolation_level=None, timeout=60)
        try:
            database.execute("BEGIN IMMEDIATE")
            yield
            database.execute("ROLLBACK")
        finally:
            database.close()

    @contextlib.contextmanager
    def _full(self) -> Iterator[None]:
        before = {pid: resource.prlimit(pid, resource.RLIMIT_FSIZE) for pid in self.pids()}
        try:
            for pid, (_, hard) in before.items():
                resource.prlimit(pid, resource.RLIMIT_FSIZE, (TINY, hard))
            yield
        finally:
            for pid, limits in before.items():
                resource.prlimit(pid, resource.RLIMIT_FSIZE, limits)

    # --- all at once --------------------------------------------------------------------------------------------------

    def server_restarted(self) -> bool:
        """Dovecot goes with all its connections, and comes back."""
        with self.crowd.moment("the server was restarted"):
            self.dovecot.restart()
        return True

    def worker_killed(self) -> bool:
        """One of the recorder's processes; another takes its place."""
        workers = self.pids()[1:]
        with self.crowd.moment(WORKER_KILLED):
            os.kill(self._dice.choice(workers), signal.SIGKILL)
            until(
                lambda: len(self.pids()) == len(workers) + 1 and set(self.pids()[1:]) != set(workers), "another worker"
            )
        return True
