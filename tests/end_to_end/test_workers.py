"""`imaptap record --workers 3`: one recording by several processes, whichever of them is killed."""

from __future__ import annotations

import json
import os
import signal
import socket
import ssl
import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.end_to_end.jobs import CLIENTS, Outcome, Place
from tests.servers.line import line_up
from tests.servers.recorder import Recorder, environment, program
from tests.servers.scripted import OffScriptError, Player, ScriptedServer, dial
from tests.servers.wait import until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.servers.certificates import Identity
    from tests.servers.dovecot import Dovecot
    from tests.servers.postgresql import PostgreSQL
    from tests.servers.tee import Mode

WORKERS = ("--workers", "3")
JOBS: tuple[tuple[str, Mode], ...] = (
    ("imapclient", "implicit"),
    ("imapclient", "starttls"),
    ("imapclient", "plain"),
    ("aioimaplib", "implicit"),
    ("aioimaplib", "plain"),
    ("openssl", "starttls"),
)
"""Those that change nothing on the server: they run side by side."""

CLIENTS_AT_ONCE = 40
"""So many that each of three workers gets some, but for once in ten million times."""

HELLO = "S: * OK ready\nC: a NOOP\nS: a OK done\n"
MORE = "C: b NOOP\nS: b OK done\n"


@pytest.fixture(params=["sqlite", "postgresql"])
def db(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a new database may be made."""
    if request.param == "sqlite":
        return str(tmp_path / "workers.db")
    server: PostgreSQL = request.getfixturevalue("postgresql")
    return server.new_database()


def workers_of(recorder: Recorder) -> list[int]:
    """The process numbers of its workers."""
    found = subprocess.run(["pgrep", "-P", str(recorder.process.pid)], capture_output=True, text=True, check=False)
    return [int(word) for word in found.stdout.split()]


def is_alive(pid: int) -> bool:
    # What has ended and was not waited for, as by an init that does not, is there but for its name.
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z"


class Patient(ScriptedServer):
    """A server that does not mind when a client goes in the middle of a script."""

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        super().__exit__(kind or Exception, *rest)


@contextmanager
def crowd(
    folder: Path, identity: Identity, *words: str, code: int = 0, db: str | None = None
) -> Iterator[tuple[Recorder, Callable[[], list[Player]]]]:
    """A recorder before a server that answers two commands; and what lets forty clients in, who have said the first."""
    listen = ("--listen", "imap+insecure://127.0.0.1:0")
    with (
        ExitStack() as stack,
        Patient(HELLO + MORE + "EOF", identity.server_context()) as server,
        Recorder(folder, f"imap+insecure://127.0.0.1:{server.port}", *listen, *words, code=code, db=db) as recorder,
    ):

        def let_in() -> list[Player]:
            players = [dial(recorder.port("plain"), identity.client_context()) for _ in range(CLIENTS_AT_ONCE)]
            for player in players:
                stack.callback(player.close)
                player.play(HELLO)
            return players

        yield recorder, let_in


def goes_on(player: Player) -> bool:
    try:
        player.play(MORE)
    except (OffScriptError, OSError):
        return False
    return True


def exchanges(recorder: Recorder) -> set[tuple[int, int]]:
    """Session and number of every exchange of the recording."""
    shown = recorder.json("show", recorder.recording)
    return {(session["session"], each["exchange"]) for session in shown["sessions"] for each in session["exchanges"]}


def test_a_busy_mixed_load_is_recorded_once_and_whole(
    dovecot: Dovecot, identity: Identity, tmp_path: Path, db: str
) -> None:
    """Clients' jobs end as with one process, every stream is what the tee saw, and nothing is there twice."""
    with line_up(tmp_path / "tap", "implicit", dovecot, identity, *WORKERS, db=db) as line:
        recorder = line.recorder
        assert len(workers_of(recorder)) == 3
        tail = subprocess.Popen(
            [program(), "tail", recorder.recording, "--db", recorder.db, "-n", "1000000", "--json"],
            stdout=subprocess.PIPE, env=environment(tmp_path),
        )  # fmt: skip
        context = ssl.create_default_context(cafile=recorder.ca)

        def job(number: int) -> tuple[str, Outcome]:
            name, mode = JOBS[number % len(JOBS)]
            work = tmp_path / str(number)
            work.mkdir()
            return name, CLIENTS[name][0](Place(mode, recorder.port(mode), recorder.ca, context, work))

        with ThreadPoolExecutor(6) as pool:
            outcomes = list(pool.map(job, range(4 * len(JOBS))))
        for name, outcome in outcomes:
            assert outcome == dict(outcomes)[name]
        numbers = line.check()
        assert numbers == list(range(1, len(outcomes) + 1))
        recorder.run("check", recorder.recording)
        everything = exchanges(recorder)
        [listed] = recorder.json("ls")["recordings"]
        sessions = recorder.sessions()
        assert listed["session_count"] == len(numbers)
        assert listed["exchange_count"] == len(everything)
        assert listed["server_bytes"] == sum(session["server_bytes"] for session in sessions)
        assert recorder.stop() == 0
        followed = [json.loads(each) for each in tail.communicate(timeout=20)[0].splitlines()]
    assert sorted((each["session"], each["exchange"]) for each in followed) == sorted(everything)


def test_a_worker_that_is_killed_takes_its_own_sessions_only(identity: Identity, tmp_path: Path, db: str) -> None:
    """They are cut and told of at once; all others go on, and another worker takes its place."""
    with crowd(tmp_path / "tap", identity, *WORKERS, code=1, db=db) as (recorder, let_in):
        players = let_in()
        until(lambda: len(exchanges(recorder)) == CLIENTS_AT_ONCE, "forty exchanges on disk")
        victim = workers_of(recorder)[1]
        os.kill(victim, signal.SIGKILL)
        until(lambda: f"(process {victim}) was ended by SIGKILL" in recorder.log(), "to be told", explain=recorder.log)
        living = sum(map(goes_on, players))
        assert 0 < living < CLIENTS_AT_ONCE
        sessions = recorder.sessions()
        cut = [session for session in sessions if session["ending"]]
        assert len(cut) == CLIENTS_AT_ONCE - living
        assert {session["ending"] for session in cut} == {"cut"}
        assert all(f"process {victim}" in session["reason"] for session in cut)
        assert [listed["state"] for listed in recorder.json("ls")["recordings"]] == ["live"]
        [event] = recorder.json("show", recorder.recording)["events"]
        assert (event["kind"], event["name"]) == ("fault", "worker died")
        until(lambda: len(workers_of(recorder)) == 3, "another worker", explain=recorder.log)
        assert all(map(goes_on, let_in())), "those too that came to the socket of the dead one"
        until(lambda: len(recorder.sessions()) == 2 * CLIENTS_AT_ONCE, "all of them on disk", explain=recorder.log)
        assert [session["session"] for session in recorder.sessions()] == list(range(1, 2 * CLIENTS_AT_ONCE + 1))
        assert recorder.stop() == 1
        assert recorder.log().count("was ended by SIGKILL") == 1
        recorder.run("check", recorder.recording)
        assert len(exchanges(recorder)) == 2 * CLIENTS_AT_ONCE + living + CLIENTS_AT_ONCE


def test_no_process_outlives_a_killed_parent(identity: Identity, tmp_path: Path) -> None:
    """The workers end what they have and write it down; only the recording's own end is missing."""
    with crowd(tmp_path / "tap", identity, *WORKERS, "-q", "--transport", "asyncio", code=-signal.SIGKILL) as (
        recorder,
        let_in,
    ):
        players = let_in()
        workers = workers_of(recorder)
        assert len(workers) == 3
        recorder.process.kill()
        recorder.process.wait(10)
        until(lambda: not any(map(is_alive, workers)), "the workers to end")
        assert [player.rest() for player in players] == [b""] * CLIENTS_AT_ONCE
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", recorder.port("plain")), timeout=5)
        sessions = recorder.sessions()
        assert [(session["ending"], session["reason"]) for session in sessions] == [
            ("cut", "imaptap was stopped")
        ] * CLIENTS_AT_ONCE
        assert len(exchanges(recorder)) == CLIENTS_AT_ONCE
        assert [listed["state"] for listed in recorder.json("ls")["recordings"]] == ["interrupted"]
        recorder.run("check", recorder.recording)


def test_a_signal_to_the_whole_group_ends_it_in_order(identity: Identity, tmp_path: Path) -> None:
    """As a terminal sends it: workers leave it to their parent, which has them end all sessions and then itself."""
    with crowd(tmp_path / "tap", identity, *WORKERS) as (recorder, let_in):
        players = let_in()
        for pid in workers_of(recorder):
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                os.kill(pid, number)
        assert all(map(goes_on, players)), "what only workers were told ends nothing"
        for pid in [*workers_of(recorder), recorder.process.pid]:
            os.kill(pid, signal.SIGINT)
        assert recorder.process.wait(20) == 0
        assert [player.rest() for player in players] == [b""] * CLIENTS_AT_ONCE
        assert {session["reason"] for session in recorder.sessions()} == {"imaptap was stopped"}
        assert len(exchanges(recorder)) == 2 * CLIENTS_AT_ONCE
        lines = (recorder.folder / "stdout.log").read_text()
        assert lines.count(" NOOP ") + _more(lines) >= 2 * CLIENTS_AT_ONCE
        assert "died" not in recorder.log()
        assert [listed["state"] for listed in recorder.json("ls")["recordings"]] == ["ended"]


def _more(lines: str) -> int:
    """How many more there were than lines of them."""
    return sum(int(line.split()[2]) for line in lines.splitlines() if line.startswith("… and"))
