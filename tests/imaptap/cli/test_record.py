"""`imaptap record`: starts that fail leave nothing behind, and what ends it."""

from __future__ import annotations

import signal
import socket
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from imaptap.cli import ready_file
from tests.servers.recorder import Recorder
from tests.servers.wait import free_port, until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.imaptap.cli.conftest import Program

UPSTREAM = "imap+insecure://127.0.0.1:1"
LISTEN = ("--listen", "imap+insecure://127.0.0.1:0")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMAPTAP_HOME", str(tmp_path / "home"))


@pytest.fixture
def port() -> Iterator[int]:
    """A port that somebody else has."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        yield taken.getsockname()[1]


def welcome(recorder: Recorder) -> str:
    """What it says when it begins, once it has: the ready file comes before."""
    file = recorder.folder / "stderr.log"
    return until(lambda: said if (said := file.read_text()).endswith("Stop with Ctrl-C.\n") else "", "the welcome")


def recordings(program: Program) -> list[str]:
    with closing(sqlite3.connect(program.db)) as database:
        return [name for (name,) in database.execute("SELECT name FROM recording ORDER BY id")]


def test_a_port_that_is_taken_leaves_no_recording(two: Program, port: int) -> None:
    said = two.refused("record", UPSTREAM, "--listen", f"imap+insecure://127.0.0.1:{port}")
    assert f"Cannot listen on imap+insecure://127.0.0.1:{port}" in said
    assert recordings(two) == ["typed", "short"]


def test_a_ca_file_that_is_missing_leaves_no_recording(two: Program, tmp_path: Path) -> None:
    two.refused("record", "imaps://localhost", *LISTEN, "--upstream-ca", str(tmp_path / "missing.pem"))
    assert recordings(two) == ["typed", "short"]


def test_a_name_that_is_taken_leaves_no_socket(two: Program) -> None:
    port = free_port()
    said = two.refused("record", UPSTREAM, "--listen", f"imap+insecure://127.0.0.1:{port}", "--name", "typed")
    assert "named 'typed' already" in said
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=5)


def test_a_ready_file_without_a_folder_is_found_first(program: Program, tmp_path: Path) -> None:
    said = program.refused("record", UPSTREAM, *LISTEN, "--ready-file", str(tmp_path / "missing" / "ready.json"))
    assert f"there is no folder {tmp_path / 'missing'}" in said
    assert not program.db.exists()


def test_a_ready_file_in_a_folder_that_takes_none(
    program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Root may write anywhere, so the system's answer is made up.
    monkeypatch.setattr(ready_file.os, "access", lambda *_: False)
    said = program.refused("record", UPSTREAM, *LISTEN, "--ready-file", str(tmp_path / "ready.json"))
    assert f"nothing may be put into {tmp_path}" in said
    assert not program.db.exists()


def test_a_ready_file_that_fails_after_all_leaves_no_recording(two: Program, tmp_path: Path) -> None:
    (tmp_path / "ready.json.new").mkdir()
    said = two.refused("record", UPSTREAM, *LISTEN, "--ready-file", str(tmp_path / "ready.json"))
    assert "Listening" not in said
    assert recordings(two) == ["typed", "short"]


def test_a_ready_file_follows_no_link(tmp_path: Path) -> None:
    """Somebody may have put one where the draft will be; an old draft is no obstacle. The file is its owner's only."""
    folder = tmp_path / "tap"
    folder.mkdir()
    (folder / "ready.json.new").symlink_to(tmp_path / "victim")
    (tmp_path / "victim").write_text("precious")
    with Recorder(folder, UPSTREAM, *LISTEN):
        assert (tmp_path / "victim").read_text() == "precious"
        assert (folder / "ready.json").stat().st_mode & 0o777 == 0o600
        assert not (folder / "ready.json").is_symlink()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--listen", "imap+insecure://127.0.0.1:{port}"), "Cannot listen on imap+insecure://127.0.0.1:{port}"),
        ((*LISTEN, "--upstream-ca", "{folder}/missing.pem"), "{folder}/missing.pem"),
        ((*LISTEN, "--ready-file", "{folder}/ready.json"), "The ready file {folder}/ready.json cannot be written"),
        ((*LISTEN, "--name", "typed"), "named 'typed' already"),
        ((*LISTEN, "--max-sessions", "1"), "1 sessions at once are too few for 2 workers"),
    ],
)
def test_workers_that_cannot_begin_leave_no_recording(
    words: tuple[str, ...], said: str, two: Program, tmp_path: Path, port: int
) -> None:
    """Whoever of parent and workers finds out, the person reads the same as with one process."""
    (tmp_path / "ready.json.new").mkdir()
    place = {"port": port, "folder": tmp_path}
    typed = [word.format(**place) for word in words]
    assert said.format(**place) in two.refused("record", "imaps://localhost:1", *typed, "--workers", "2")
    assert recordings(two) == ["typed", "short"]


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM, signal.SIGINT])
def test_signals_that_end_it(tmp_path: Path, number: signal.Signals) -> None:
    with Recorder(tmp_path / "tap", UPSTREAM, *LISTEN) as recorder:
        assert recorder.stop(number) == 0
        assert recorder.json("ls")["recordings"][0]["state"] == "ended"


def test_clients_that_are_shown_no_certificate_need_not_trust_one(tmp_path: Path) -> None:
    with Recorder(tmp_path / "plain", UPSTREAM, "--listen", "imap+insecure://localhost:0") as recorder:
        assert "must trust" not in welcome(recorder)
    with Recorder(tmp_path / "tls", UPSTREAM, "--listen", "imap://localhost:0") as recorder:
        assert "must trust" in welcome(recorder)


def test_nohup_keeps_it_going(tmp_path: Path) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with Recorder(tmp_path / "tap", UPSTREAM, *LISTEN, cold=True) as recorder:
            recorder.process.send_signal(signal.SIGHUP)
            with pytest.raises(subprocess.TimeoutExpired):
                recorder.process.wait(1)
    finally:
        signal.signal(signal.SIGHUP, before)


def test_listening_everywhere_says_what_that_exposes(tmp_path: Path) -> None:
    """Before anybody can connect, also with --quiet; on loopback nothing is said."""
    words = ("--listen", "imap+insecure://0.0.0.0:0", "--quiet", "--allow", "192.0.2.0/24", "--allow", "2001:db8::7")
    with Recorder(tmp_path / "tap", UPSTREAM, *words) as recorder:
        said = welcome(recorder)
        with closing(socket.create_connection(("127.0.0.1", recorder.port("plain")), timeout=5)) as client:
            assert client.recv(1000).startswith(b"* BYE imaptap: 127.0.0.1:1 refused the connection")
    for sentence in (
        f"Other machines can connect to {recorder.listen[0]}, which is every IPv4 address of this machine",
        f"Whoever does is passed on to {UPSTREAM} and recorded.",
        f"Passwords and letters travel in clear on {recorder.listen[0]}.",
        "Only 192.0.2.0/24, 2001:db8::7/128 and this machine itself are let in.",
    ):
        assert sentence in said
    with Recorder(tmp_path / "near", UPSTREAM, *LISTEN) as recorder:
        assert "Other machines" not in welcome(recorder)


@pytest.mark.parametrize("words", [("--listen", "imap://0:0"), ("--listen", "imap://:0"), ("--allow", "10.0.0.1/8")])
def test_slips_that_would_let_strangers_in(two: Program, words: tuple[str, ...]) -> None:
    """Refused, and no recording is left."""
    two.refused("record", UPSTREAM, *words)
    assert recordings(two) == ["typed", "short"]


def test_what_others_can_read_is_said_before_anything_is_recorded(tmp_path: Path) -> None:
    """Once, in a sentence with what to type; it goes on."""
    folder = tmp_path / "tap"
    with Recorder(folder, UPSTREAM, *LISTEN) as recorder:
        assert "open to other users" not in welcome(recorder)
    Path(recorder.db).chmod(0o644)
    with Recorder(folder, UPSTREAM, *LISTEN) as recorder:
        said = welcome(recorder)
        assert f"imaptap: The database {recorder.db} is open to other users (mode 0644)" in said.splitlines()[0]
        assert said.splitlines()[0].endswith(f"chmod 600 {recorder.db} {recorder.db}-wal {recorder.db}-shm")


@pytest.mark.parametrize(
    ("size", "said"),
    [
        ("4K", "'4K' is less than 4096 bytes. Shorter literals are names, flags"),
        ("0", "'0' is less than 4096 bytes."),
        ("-1", "'-1' is no size"),
        ("much", "'much' is no size: write 500M or 1.5G."),
    ],
)
def test_limits_of_literals_that_are_none(program: Program, size: str, said: str) -> None:
    done = program("record", UPSTREAM, *LISTEN, "--max-literal", size)
    assert done.exit_code == 2
    assert said in done.stderr
    assert not program.db.exists()


def test_the_recording_says_what_it_does_not_keep(tmp_path: Path) -> None:
    with Recorder(tmp_path / "tap", UPSTREAM, *LISTEN, "--max-literal", "1.5MB") as recorder:
        assert "--max-literal 1500000" in recorder.json("ls")["recordings"][0]["settings"]
