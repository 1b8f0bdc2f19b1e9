"""Started programs with all their descendants: what CPU time and memory they took, read from /proc (Linux only)."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

TICK = os.sysconf("SC_CLK_TCK")
FILES = 65536
"""Open files that a run with thousands of connections needs."""


def raise_limits() -> None:
    """As many open files as are allowed, for this process and those that it starts."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    wanted = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (FILES, FILES))
        return
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


class Program:
    """A program in a session of its own."""

    def __init__(self, name: str, command: Sequence[str], log: Path, env: Mapping[str, str] | None = None) -> None:
        self.name, self.log = name, log
        with log.open("ab") as out:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
                env={**os.environ, **(env or {})},
            )

    def pids(self) -> list[int]:
        """Its own, those of its session, and those of descendants that left the session."""
        parents = dict[int, tuple[int, int]]()
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit() and (fields := _stat(int(entry.name))):
                parents[int(entry.name)] = int(fields[1]), int(fields[3])
        own = self.process.pid
        found = {pid for pid, (_, session) in parents.items() if own in (pid, session)}
        while more := {pid for pid, (parent, _) in parents.items() if parent in found and pid not in found}:
            found |= more
        return sorted(found)

    def cpu(self) -> float:
        """CPU seconds so far, those of ended children included."""
        return sum(sum(map(int, fields[11:15])) for pid in self.pids() if (fields := _stat(pid))) / TICK

    def memory(self) -> int:
        """Proportional set size in bytes: shared pages are counted once.

        imaptap shows that to root only; elsewhere its resident set is taken, in which shared pages count in full.
        """
        total = 0
        for pid in self.pids():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                try:
                    total += _kibibytes(Path(f"/proc/{pid}/smaps_rollup"), "Pss:")
                except PermissionError:
                    total += _kibibytes(Path(f"/proc/{pid}/status"), "VmRSS:")
        return total * 1024

    def peak(self) -> int:
        """The most that was ever resident, in bytes; of several processes the sum."""
        total = 0
        for pid in self.pids():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                total += _kibibytes(Path(f"/proc/{pid}/status"), "VmHWM:")
        return total * 1024

    def wait_port(self, port: int, limit: float = 25) -> None:
        """Until it listens."""
        end = time.monotonic() + limit
        while time.monotonic() < end:
            if self.process.poll() is not None:
                said = self.log.read_text(errors="replace").strip()[-500:]
                raise RuntimeError(f"{self.name} ended with {self.process.returncode}: {said}")
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
            except OSError:
                time.sleep(0.05)
            else:
                return
        raise RuntimeError(f"{self.name} does not listen on {port}")

    def settle(self, quiet: int = 3, limit: float = 20) -> tuple[float, float]:
        """Until it uses no more CPU, so that recording behind the traffic is paid for too: CPU, seconds that took."""
        began = changed = time.monotonic()
        last, calm = self.cpu(), 0
        while calm < quiet and time.monotonic() - began < limit:
            time.sleep(0.1)
            now = self.cpu()
            # One tick is what merely looking at it costs.
            if now - last <= 1.1 / TICK:
                calm += 1
            else:
                calm, changed = 0, time.monotonic()
            last = now
        return last, changed - began

    def stop(self) -> None:
        """SIGTERM, then SIGKILL, to all of them."""
        pids = self.pids()
        for number, limit in ((signal.SIGTERM, 6.0), (signal.SIGKILL, 2.0)):
            for pid in pids:
                with contextlib.suppress(OSError):
                    os.kill(pid, number)
            end = time.monotonic() + limit
            while time.monotonic() < end:
                self.process.poll()
                if not any(Path(f"/proc/{pid}").exists() for pid in pids):
                    return
                time.sleep(0.05)


def _kibibytes(file: Path, field: str) -> int:
    """A field that /proc gives in kB."""
    return next((int(line.split()[1]) for line in file.read_text().splitlines() if line.startswith(field)), 0)


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat behind the name; none if it has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def disk(paths: Iterable[Path]) -> int:
    """Bytes in files and folders."""
    total = 0
    for path in paths:
        for file in path.rglob("*") if path.is_dir() else [path]:
            with contextlib.suppress(OSError):
                total += file.stat().st_size if file.is_file() else 0
    return total
