"""What can happen to a database while it is recorded into: each fault strikes when told to, and is mended again."""

from __future__ import annotations

import contextlib
import os
import resource
import shutil
import sqlite3
import subprocess
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.need import absent, need

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.servers.postgresql import PostgreSQL


@dataclass(frozen=True)
class Fault:
    """`strike(process number of the recorder)` breaks the database at `db`, `mend` makes it work again.

    A recorder says `words` then. What `mend` cannot bring back is `lost`.
    """

    db: str
    strike: Callable[[int], object]
    mend: Callable[[], object]
    words: str
    lost: bool = False


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    """A disk of that size at `folder`. Only root may mount one, and not everywhere."""
    mount = need("mount")
    folder.mkdir(exist_ok=True)
    size = f"size={megabytes}m"
    if subprocess.run([mount, "-t", "tmpfs", "-o", size, "tmpfs", folder], capture_output=True, check=False).returncode:
        absent("mount (as root)")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def fill(disk: Path) -> None:
    """Leave no room on it, until `filler` is removed."""
    with (disk / "filler").open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(bytes(4096)):
            pass


@contextmanager
def disk_full(folder: Path) -> Iterator[Fault]:
    """No room is left on the database's disk, nor in its log, which would be written over from its beginning."""
    with small_disk(folder / "disk", 16) as disk:
        db = disk / "record.db"

        def strike(_: int) -> None:
            with contextlib.suppress(sqlite3.OperationalError), closing(sqlite3.connect(db, timeout=2)) as database:
                database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            fill(disk)

        fault = Fault(
            str(db),
            strike,
            (disk / "filler").unlink,
            "There is no room left on the disk of",
        )
        yield fault


@contextmanager
def files_limited(folder: Path) -> Iterator[Fault]:
    """No file of the recorder may grow (RLIMIT_FSIZE): also where no disk can be mounted."""
    db, process = folder / "record.db", list[int]()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

    def strike(pid: int) -> None:
        process.append(pid)
        size = db.with_name("record.db-wal").stat().st_size
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, hard))

    def mend() -> None:
        resource.prlimit(process[0], resource.RLIMIT_FSIZE, (soft, hard))

    yield Fault(str(db), strike, mend, "Reading or writing")


@contextmanager
def locked(folder: Path) -> Iterator[Fault]:
    """Another process, this one, has begun to write and does not end."""
    db = folder / "record.db"
    others: list[sqlite3.Connection] = []

    def strike(_: int) -> None:
        others.append(sqlite3.connect(db, isolation_level=None, check_same_thread=False))
        others[0].execute("PRAGMA busy_timeout = 20000")
        others[0].execute("BEGIN IMMEDIATE")

    def mend() -> None:
        others.pop().close()

    yield Fault(str(db), strike, mend, "is locked by another program")
    if others:
        mend()


@contextmanager
def moved(folder: Path) -> Iterator[Fault]:
    """The file is no longer where it was, and comes back."""
    db, away = folder / "record.db", folder / "away.db"
    yield Fault(str(db), lambda _: db.rename(away), lambda: away.rename(db), "was deleted or replaced")


@contextmanager
def deleted(folder: Path) -> Iterator[Fault]:
    """The file is no more."""
    db = folder / "record.db"

    def strike(_: int) -> None:
        for name in ("record.db", "record.db-wal", "record.db-shm"):
            (folder / name).unlink()

    yield Fault(str(db), strike, lambda: None, "was deleted or replaced", lost=True)


@contextmanager
def read_only(folder: Path) -> Iterator[Fault]:
    """Nobody may write to the files any more, not even root, who opened them when it was allowed."""
    files = [folder / "record.db", folder / "record.db-wal"]
    probe = folder / "probe"
    probe.touch()
    if shutil.which("chattr") is None or _chattr("+i", probe):
        absent("chattr +i (as root)")
    _chattr("-i", probe)
    yield Fault(
        str(files[0]), lambda _: _chattr("+i", *files), lambda: _chattr("-i", *files), "it has become read-only"
    )
    _chattr("-i", *files)


def _chattr(change: str, *files: Path) -> int:
    command = ["chattr", change, *filter(os.path.exists, files)]
    return subprocess.run(command, capture_output=True, check=False).returncode


@contextmanager
def server_gone(server: PostgreSQL) -> Iterator[Fault]:
    """The server is stopped without a goodbye, and started again."""
    yield Fault(server.new_database(), lambda _: server.stop(), server.start, "No database server answers at")


@contextmanager
def server_read_only(server: PostgreSQL) -> Iterator[Fault]:
    """The server takes no more writes: a standby, as far as a client can tell."""

    def switch(word: str) -> None:
        server.sql(f"ALTER SYSTEM SET default_transaction_read_only = {word}", "SELECT pg_reload_conf()")

    yield Fault(server.new_database(), lambda _: switch("on"), lambda: switch("off"), "the server is read-only")
