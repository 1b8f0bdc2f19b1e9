"""Stores to test with: a SQLite file, and a database on a PostgreSQL server that lives as long as the tests do."""

from __future__ import annotations

import contextlib
import itertools
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from storage import Store, open_store
from tests.need import need

if TYPE_CHECKING:
    from collections.abc import Iterator

_numbers = itertools.count(1)


class Server:
    """A private PostgreSQL server. It refuses to run as root, so root runs it as somebody else."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.user = _nobody() if os.geteuid() == 0 else None
        if self.user is not None:
            os.chown(folder, self.user, -1)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.run("initdb", "-D", str(self.data), "-U", "tester", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")

    def run(self, program: str, *arguments: str) -> None:
        command = [need(program), *arguments]
        log = self.folder / "commands.log"
        with log.open("ab") as out:
            subprocess.run(command, check=True, stdout=out, stderr=out, user=self.user, cwd=self.folder)

    def start(self) -> None:
        options = f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1 -c fsync=off -c shared_buffers=16MB"
        self.run("pg_ctl", "-D", str(self.data), "-l", str(self.folder / "log"), "-o", options, "-w", "start")

    def stop(self) -> None:
        self.run("pg_ctl", "-D", str(self.data), "-m", "immediate", "-w", "stop")

    def url(self, database: str) -> str:
        return f"postgresql://tester@127.0.0.1:{self.port}/{database}"

    def new_database(self) -> str:
        name = f"db{next(_numbers)}"
        self.run("createdb", "-h", str(self.folder), "-p", str(self.port), "-U", "tester", name)
        return self.url(name)


def _nobody() -> int:
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name).pw_uid
    return 65534


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    for program in ("initdb", "pg_ctl", "createdb"):
        need(program)
    folder = Path(tempfile.mkdtemp(prefix="imaptap-pg-", dir="/tmp"))
    running = Server(folder)
    running.start()
    yield running
    running.stop()
    shutil.rmtree(folder)


@pytest.fixture(params=["sqlite", "postgresql"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a new store may be made."""
    if request.param == "sqlite":
        return str(tmp_path / "recordings.db")
    server: Server = request.getfixturevalue("server")
    return server.new_database()


@pytest.fixture
def store(where: str) -> Iterator[Store]:
    with open_store(where, create=True) as opened:
        yield opened


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / "recordings.db", create=True) as opened:
        yield opened
