"""How long `imaptap diff` takes, and how much memory: `python -m bench.diff --db /tmp/diff.db` (see bench/README.md).

Makes two recordings of `--exchanges` exchanges each where there are none yet (`bench.diff_data`), then runs the command
and prints seconds, seconds of CPU, and the most memory that its processes had together (Linux).
"""

from __future__ import annotations

import argparse
import contextlib
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.diff_data import USERS, record_twice
from storage import StorageError, open_store

EVERY = 0.05


def main() -> None:
    """Make the recordings, compare them, print a row."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--db", required=True, help="a SQLite file, made if need be")
    parser.add_argument("--exchanges", type=int, default=100_000, help="of either recording")
    parser.add_argument("--users", type=int, default=USERS, help="whose sessions they are, when they are made")
    parser.add_argument("--cores", type=int, default=0, help="how many to use at most; 0: all")
    asked = parser.parse_args()
    with open_store(asked.db, create=True) as store:
        if not store.recordings():
            record_twice(store, asked.exchanges, asked.users)
        sizes = [store.totals(recording).exchanges for recording in store.recordings()]
    if asked.cores:
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: asked.cores])
    command = [sys.executable, "-m", "imaptap", "diff", "old", "new", "--db", asked.db, "-o"]
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.txt")
        begin, most = time.perf_counter(), 0
        with subprocess.Popen([*command, str(report)]) as process:
            while process.poll() is None:
                most = max(most, _memory(process.pid))
                time.sleep(EVERY)
        taken = time.perf_counter() - begin
        differences = report.read_text().splitlines()[-1].split()[0]
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    cores = len(os.sched_getaffinity(0))
    print("| exchanges | cores | seconds | CPU | most memory, MiB | differences |\n|---|---|---|---|---|---|")
    cpu = usage.ru_utime + usage.ru_stime
    print(f"| {' + '.join(map(str, sizes))} | {cores} | {taken:.1f} | {cpu:.1f} | {most / 2**20:.0f} | {differences} |")


def _memory(pid: int) -> int:
    """Bytes that a process and its children have to themselves, and their share of the rest (PSS, proc(5))."""
    total = 0
    with contextlib.suppress(OSError):  # it has ended meanwhile
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
        total += next(int(line.split()[1]) * 1024 for line in rollup.splitlines() if line.startswith("Pss:"))
        for task in Path(f"/proc/{pid}/task").iterdir():
            total += sum(map(_memory, map(int, (task / "children").read_text().split())))
    return total


if __name__ == "__main__":
    try:
        main()
    except StorageError as error:
        sys.exit(f"{error} {error.hint}")
