"""How much longer a replay takes than a plain loop with the same commands: `python -m bench.replay`.

A client says `--commands` commands to a Dovecot through `imaptap record`. Then, in turn, the same loop says them to
the Dovecot itself, and `imaptap replay` does, as fast as answers come. Prints medians: of the loop, and of the replay
from its first command to its last one, as its own recording has it, and as a whole command.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import resource
import socket
import sqlite3
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from bench.ground import Certificates, free_ports, make_certificates
from bench.processes import Program
from bench.upstreams import start_dovecot

if TYPE_CHECKING:
    from collections.abc import Iterator

MESSAGES = 834
WITHIN = "SELECT max(ended) - min(started) FROM exchange WHERE session_id = (SELECT max(id) FROM session)"
PROGRAM = (sys.executable, "-m", "imaptap")


class Took(NamedTuple):
    """Seconds by the clock, and of CPU of the client's process."""

    seconds: float
    cpu: float


def commands(count: int) -> Iterator[str]:
    """What a client says that looks after a mailbox: much of it small, each command once its answer has come."""
    kinds = (
        "NOOP", "UID FETCH {0} (FLAGS)", "UID FETCH {0} (UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE)",
        "UID SEARCH UID {0}:{1}", "UID FETCH {0}:{1} (FLAGS)", "UID STORE {0} +FLAGS (\\Seen)",
        "UID FETCH {0} (BODY.PEEK[HEADER.FIELDS (FROM SUBJECT DATE)])", "STATUS big (MESSAGES UNSEEN)",
    )  # fmt: skip
    yield from ("LOGIN bench secret", "SELECT small")
    for number in range(count - 3):
        uid = number * 7 % (MESSAGES - 10) + 1
        yield kinds[number % len(kinds)].format(uid, uid + 5)
    yield "LOGOUT"


def converse(port: int, ca: Path, said: list[bytes]) -> Took:
    """Say each command and read to the line with its tag."""
    context = ssl.create_default_context(cafile=str(ca))
    with socket.create_connection(("localhost", port)) as plain:
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with context.wrap_socket(plain, server_hostname="localhost") as sock, sock.makefile("rb") as answers:
            answers.readline()
            begun, cpu = time.perf_counter(), time.process_time()
            for command in said:
                sock.sendall(command)
                tag = command[: command.index(b" ") + 1]
                while not (line := answers.readline()).startswith(tag):
                    if not line:
                        raise SystemExit(f"the server closed after {command!r}")
            return Took(time.perf_counter() - begun, time.process_time() - cpu)


def main() -> None:
    """Record, then measure both in turn."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--commands", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    said = [f"a{number} {command}\r\n".encode() for number, command in enumerate(commands(asked.commands), 1)]
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        certificates, port = make_certificates(work), free_ports(1)
        servers = start_dovecot(work, certificates, port)
        try:
            record(work, certificates, port, said)
            rounds = [
                (converse(port, certificates.ca, said), *replay(work, certificates, port)) for _ in range(asked.rounds)
            ]
        finally:
            for server in servers:
                server.stop()
    print_rows(len(said), rounds)


def record(work: Path, certificates: Certificates, port: int, said: list[bytes]) -> None:
    """The client through a recorder."""
    ready = work / "ready.json"
    words = (
        "record",
        f"imaps://localhost:{port}",
        "--upstream-ca",
        str(certificates.ca),
        "--name",
        "old",
        "--db",
        str(work / "x.db"),
    )
    listen = ("--listen", "imaps://localhost:0", "--ready-file", str(ready), "--quiet")
    recorder = Program("record", [*PROGRAM, *words, *listen], work / "record.log", {"XDG_DATA_HOME": str(work)})
    while not ready.exists():
        if recorder.process.poll() is not None:
            raise SystemExit((work / "record.log").read_text())
        time.sleep(0.05)
    facts = json.loads(ready.read_text())
    converse(int(facts["listen"][0]["url"].rpartition(":")[2]), Path(facts["ca"]), said)
    recorder.stop()


def replay(work: Path, certificates: Certificates, port: int) -> tuple[Took, Took]:
    """From the first command to the last, and the whole of `imaptap replay`."""
    password = work / "password"
    password.write_text("secret\n")
    password.chmod(0o600)
    words = (
        "replay",
        "old",
        "--to",
        f"imaps://localhost:{port}",
        "--upstream-ca",
        str(certificates.ca),
        "--write",
        "--json",
    )
    command = [*PROGRAM, *words, "--password-file", str(password), "--db", str(work / "x.db"), "--quiet"]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begun = time.perf_counter()
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, "XDG_DATA_HOME": str(work)}
    )
    seconds = time.perf_counter() - begun
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        raise SystemExit(done.stdout + done.stderr)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    with contextlib.closing(sqlite3.connect(work / "x.db")) as database:
        (within,) = database.execute(WITHIN).fetchone()
    return Took(within / 1e6, cpu), Took(seconds, cpu)


def print_rows(count: int, rounds: list[tuple[Took, Took, Took]]) -> None:
    """A table of medians."""
    sys.stdout.write(f"| {count} commands | seconds | CPU s of the client | of the loop's time |\n|---|---|---|---|\n")
    for place, name in enumerate(("plain loop", "replay, first to last command", "`imaptap replay`, all of it")):
        seconds = statistics.median(each[place].seconds for each in rounds)
        cpu = statistics.median(each[place].cpu for each in rounds)
        ratio = statistics.median(each[place].seconds / each[0].seconds for each in rounds)
        sys.stdout.write(f"| {name} | {seconds:.2f} | {cpu:.2f} | {ratio:.2f} |\n")


if __name__ == "__main__":
    main()
