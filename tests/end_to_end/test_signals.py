"""How `imaptap record` starts and stops: the ready file, port 0, SIGINT and SIGTERM, and what is left on disk."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import stat
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from tests.servers.recorder import EVERY_LISTENER, Recorder
from tests.servers.scripted import dial
from tests.servers.typist import SESSION, TcpTerminal, type_session
from tests.servers.wait import until

if TYPE_CHECKING:
    from tests.servers.certificates import Identity
    from tests.servers.dovecot import Dovecot

LISTENERS = tuple(word for url in EVERY_LISTENER for word in ("--listen", url))


def upstream(dovecot: Dovecot) -> tuple[str, ...]:
    """The words of a recorder for the tests' Dovecot."""
    return f"imaps://localhost:{dovecot.tls_port}", "--upstream-ca", str(dovecot.ca), *LISTENERS


def test_ready_means_listening(dovecot: Dovecot, identity: Identity, tmp_path: Path) -> None:
    """The ready file names real ports in the order asked for, the authority and the database."""
    with Recorder(tmp_path / "tap", *upstream(dovecot)) as recorder:
        ports = [urlsplit(url).port for url in recorder.listen]
        assert [urlsplit(url).scheme for url in recorder.listen] == ["imaps", "imap", "imap+insecure"]
        assert all(ports)
        assert len(set(ports)) == 3
        for port in ports:
            socket.create_connection(("127.0.0.1", port or 0), timeout=5).close()
        assert recorder.said["db"] == recorder.db
        assert b"BEGIN CERTIFICATE" in recorder.ca.read_bytes()
        assert recorder.ca.is_relative_to(tmp_path / "tap" / "home")
        with closing(dial(recorder.port("plain"), identity.client_context())) as client:
            client.play("S: * OK ...\nC: a LOGOUT\nS: * BYE ...\nS: a OK ...")
            assert client.rest() == b""
        recorder.ended(4)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_sessions_and_loses_nothing(dovecot: Dovecot, tmp_path: Path, number: signal.Signals) -> None:
    """Exit code 0; the open session is closed with a reason; what it said is all there; nothing listens any more."""
    with Recorder(tmp_path / "tap", *upstream(dovecot)) as recorder:
        with closing(TcpTerminal(recorder.port("plain"), pause=0)) as terminal:
            type_session(terminal, SESSION[:8])
            assert recorder.stop(number) == 0
            while terminal.read():
                continue
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", recorder.port("plain")), timeout=5)
        [session] = recorder.sessions()
        shown = recorder.session(session["session"])
        assert shown["ending"] == "cut"
        assert shown["reason"]
        assert [exchange["status"] for exchange in shown["exchanges"]] == ["OK"] * 8
        assert b"image001.jpg" in recorder.stored(session["session"]).streams["server"]
        assert Path(recorder.db).exists()
        assert not Path(recorder.db + "-wal").exists(), "a clean stop leaves one file"


def test_killed_at_once_the_file_still_opens(dovecot: Dovecot, tmp_path: Path) -> None:
    """SIGKILL while a command is open: finished exchanges are on disk, the last one is told as incomplete."""
    with Recorder(tmp_path / "tap", *upstream(dovecot), code=-signal.SIGKILL) as recorder:
        with closing(TcpTerminal(recorder.port("plain"), pause=0)) as terminal:
            type_session(terminal, SESSION[:5])
            terminal.send(b". idle\r\n")
            until(recorder.sessions, "the session on disk")
            until(lambda: len(recorder.session(1)["exchanges"]) >= 6, "six exchanges on disk")
            recorder.process.kill()
            recorder.process.wait(10)
        shown = recorder.session(1)
        assert [exchange["status"] for exchange in shown["exchanges"]] == ["OK"] * 5 + [None]
        assert shown["ending"] == "cut"
        idle = shown["exchanges"][5]
        assert (idle["command"], idle["outcome"], idle["client_bytes"]) == ("IDLE", "incomplete", 8)
        assert idle["server_bytes"] > 0, "the + idling that had come"
        with closing(sqlite3.connect(recorder.db)) as database:
            assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_what_is_written_is_the_owners_only(dovecot: Dovecot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the umask is: database, key, ready file and key log, and the folder made for them."""
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "tap" / "keys.log"))
    (tmp_path / "tap").mkdir()
    before = os.umask(0)
    try:
        recorder = Recorder(tmp_path / "tap", *upstream(dovecot), cold=True).__enter__()
    finally:
        os.umask(before)
    try:
        with closing(TcpTerminal(recorder.port("plain"), pause=0)) as terminal:
            type_session(terminal, SESSION)
        recorder.ended(1)
        modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in (tmp_path / "tap").rglob("*")}
    finally:
        recorder.__exit__(None)
    assert {name for name, mode in modes.items() if mode == 0o700} == {"home"}
    private = {"ca.key", "record.db", "record.db-wal", "record.db-shm", "ready.json", "keys.log"}
    assert {name for name, mode in modes.items() if mode == 0o600} == private
    assert modes.keys() - private == {"home", "ca.pem", "stdout.log", "stderr.log"}


def test_two_recorders_share_one_database(dovecot: Dovecot, tmp_path: Path) -> None:
    """Each has its recording in it; `ls` shows both."""
    db = str(tmp_path / "shared.db")
    with (
        Recorder(tmp_path / "a", *upstream(dovecot), "--name", "first", db=db) as first,
        Recorder(tmp_path / "b", *upstream(dovecot), "--name", "second", db=db) as second,
    ):
        for recorder in (first, second):
            with closing(TcpTerminal(recorder.port("plain"), pause=0)) as terminal:
                # Not LOGOUT: typed byte by byte over TLS, Dovecot itself sometimes closes before it has answered.
                type_session(terminal, SESSION[:-1])
            [session] = recorder.ended(1)
            assert len(recorder.session(session["session"])["exchanges"]) == len(SESSION) - 1
        assert first.recording != second.recording
        listed = first.json("ls")
        assert {"first", "second"} <= {entry["name"] for entry in listed["recordings"]}
