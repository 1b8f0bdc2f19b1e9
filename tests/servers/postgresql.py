"""A private PostgreSQL server on loopback, which can be stopped, frozen and started again while it is used."""

from __future__ import annotations

import contextlib
import itertools
import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Self

from tests.need import need
from tests.servers.wait import free_port

_numbers = itertools.count(1)


class PostgreSQL:
    """`with PostgreSQL() as server:` gives a running one. It refuses to be root; then it is somebody else."""

    def __enter__(self) -> Self:
        for program in ("initdb", "pg_ctl", "createdb"):
            need(program)
        self.folder = Path(tempfile.mkdtemp(prefix="imaptap-pg-", dir="/tmp"))
        self.data = self.folder / "data"
        self.user = _nobody() if os.geteuid() == 0 else None
        if self.user is not None:
            os.chown(self.folder, self.user, -1)
        self.port = free_port()
        self.run("initdb", "-D", str(self.data), "-U", "tester", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        shutil.rmtree(self.folder)

    def run(self, program: str, *arguments: str) -> None:
        """One of its own programs; it must succeed."""
        command = [need(program), *arguments]
        log = self.folder / "commands.log"
        with log.open("ab") as out:
            subprocess.run(command, check=True, stdout=out, stderr=out, user=self.user, cwd=self.folder)

    def start(self) -> None:
        """Begin to answer."""
        options = f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1 -c fsync=off -c shared_buffers=16MB"
        self.run("pg_ctl", "-D", str(self.data), "-l", str(self.folder / "log"), "-o", options, "-w", "start")

    def stop(self) -> None:
        """Go away at once, without a goodbye to anybody who is connected."""
        self.run("pg_ctl", "-D", str(self.data), "-m", "immediate", "-w", "stop")

    def sql(self, *statements: str) -> None:
        """Run these as the one who may do everything."""
        words = [word for statement in statements for word in ("-c", statement)]
        self.run("psql", "-h", str(self.folder), "-p", str(self.port), "-U", "tester", "-d", "postgres", *words)

    def url(self, database: str) -> str:
        """Where a database of it is."""
        return f"postgresql://tester@127.0.0.1:{self.port}/{database}"

    def new_database(self) -> str:
        """The URL of an empty database."""
        name = f"db{next(_numbers)}"
        self.run("createdb", "-h", str(self.folder), "-p", str(self.port), "-U", "tester", name)
        return self.url(name)


def _nobody() -> int:
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name).pw_uid
    return 65534
