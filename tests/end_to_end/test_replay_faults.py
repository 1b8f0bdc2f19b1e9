"""What goes wrong under `imaptap replay` with a real Dovecot: each is said, nothing that was recorded is lost."""

from __future__ import annotations

import imaplib
import json
import ssl
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from tests.end_to_end.test_replay import two_at_once
from tests.servers import faults
from tests.servers.dovecot import Dovecot
from tests.servers.recorder import Recorder, environment, program
from tests.servers.wait import free_port, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.servers.faults import Fault

WITHOUT_IDLE = "imap_capability = IMAP4rev1 SASL-IR LITERAL+ UIDPLUS"


class Waiting:
    """A recording, on a disk that may be full, of a session that waits in IDLE for another, which puts a letter there.

    The first is replayed alone, so that it waits for a letter that does not come until somebody else brings it.
    """

    def __init__(self, recorder: Recorder, folder: Path, disk: Fault) -> None:
        self.recorder, self.disk = recorder, disk
        self._home = folder / "home"
        self._password = folder / "password"
        self._password.write_text("secret\n")
        self._password.chmod(0o600)

    def begin(self, name: str, url: str, ca: Path) -> subprocess.Popen[str]:
        """Replay it at `url` into a recording of this name."""
        words = (program(), "replay", f"{self.recorder.recording}/1", "--to", url, "--upstream-ca", str(ca), "--write")
        more = ("--name", name, "--idle", "30", "--password-file", str(self._password), "--db", self.recorder.db)
        return subprocess.Popen(
            [*words, *more, "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env=environment(self._home),
        )  # fmt: skip

    def run(self, name: str, url: str, ca: Path) -> subprocess.CompletedProcess[str]:
        """The same, to its end."""
        with self.begin(name, url, ca) as process:
            output, errors = process.communicate(timeout=60)
        return subprocess.CompletedProcess((), process.returncode, output, errors)

    def idles(self, name: str) -> bool:
        """Whether it waits now, as far as it is on record."""
        there = name in self.names() and self.recorder.json("ls", name)["sessions"]
        found = self.exchanges(name) if there else []
        return bool(found) and found[-1]["command"] == "IDLE"

    def names(self) -> list[str]:
        """Of all recordings."""
        return [each["name"] for each in self.recorder.json("ls")["recordings"]]

    def exchanges(self, name: str) -> list[dict[str, Any]]:
        """What was replayed."""
        return list(self.recorder.json("show", f"{name}/1")["exchanges"])


@pytest.fixture(scope="module")
def server() -> Iterator[Dovecot]:
    with Dovecot() as server:
        yield server


@pytest.fixture(scope="module")
def waiting(tmp_path_factory: pytest.TempPathFactory, server: Dovecot) -> Iterator[Waiting]:
    folder = tmp_path_factory.mktemp("faults")
    upstream = f"imaps://localhost:{server.tls_port}"
    words = ("--upstream-ca", str(server.ca), "--listen", "imap+insecure://127.0.0.1:0")
    with faults.disk_full(folder) as disk, Recorder(folder / "record", upstream, *words, db=disk.db) as recorder:
        two_at_once(recorder.port("plain"), ssl.create_default_context(cafile=recorder.ca))
        recorder.ended(2)
        yield Waiting(recorder, folder, disk)


def test_a_server_that_is_not_there(waiting: Waiting, server: Dovecot) -> None:
    port = free_port()
    done = waiting.run("nobody", f"imaps://localhost:{port}", server.ca)
    assert refused(done) == f"imaptap: localhost:{port} refused the connection."
    assert "nobody" not in waiting.names()


@pytest.mark.parametrize(
    ("scheme", "said"), [("imaps", "answered in plain text where TLS was expected."), ("imap", "refused STARTTLS.")]
)
def test_a_server_that_speaks_no_tls(scheme: str, said: str, waiting: Waiting) -> None:
    """It is not asked to log anybody in."""
    with Dovecot(starttls=False) as plain:
        done = waiting.run("in clear", f"{scheme}://localhost:{plain.plain_port}", plain.ca)
        assert "bob" not in plain.log()
    assert refused(done).endswith(f"localhost:{plain.plain_port} {said}")
    assert "in clear" not in waiting.names()


def refused(done: subprocess.CompletedProcess[str]) -> str:
    """What a replay says that could not begin: a sentence, and a hint."""
    assert (done.returncode, done.stdout) == (2, "")
    said, hint = done.stderr.splitlines()
    assert hint
    return said


def test_a_server_that_is_killed_half_way(waiting: Waiting) -> None:
    """Every step is accounted for, and what was said until then is on record."""
    with Dovecot() as server:
        url = f"imaps://localhost:{server.tls_port}"
        with waiting.begin("killed", url, server.ca) as process:
            until(lambda: waiting.idles("killed"), "the replay to wait")
            server.kill()
            output, errors = process.communicate(timeout=20)
    summary = json.loads(output)
    assert process.returncode == 1
    assert errors == f"imaptap: {url} closed the connection. What was said until then is on record.\n"
    assert summary["fates"] == {"sent": 2, "skipped": 0, "not reached": 4, "cut": 1}
    assert [(each["command"], each["status"]) for each in waiting.exchanges("killed")] == [
        ("AUTHENTICATE", "OK"), ("NAMESPACE", "OK"), ("SELECT", "OK"), ("IDLE", None)
    ]  # fmt: skip
    session = waiting.recorder.json("ls", "killed")["sessions"][0]
    assert (session["ending"], session["reason"]) == ("failed", f"{url} closed the connection.")
    waiting.recorder.run("check", "killed")


def test_a_capability_that_is_missing(waiting: Waiting) -> None:
    """What needs it is left out, with the reason, and with it what it would have brought."""
    with Dovecot(extra=WITHOUT_IDLE) as server:
        done = waiting.run("without", f"imaps://localhost:{server.tls_port}", server.ca)
    summary = json.loads(done.stdout)
    assert (done.returncode, done.stderr) == (1, "")
    assert {(each["fate"], each["reason"], each["count"]) for each in summary["reasons"]} == {
        ("skipped", "the target has no IDLE", 1),
        ("skipped", "message 1 of Empty has no counterpart at the target", 2),
    }
    assert summary["fates"] == {"sent": 4, "skipped": 3, "not reached": 0, "cut": 0}
    waiting.recorder.run("check", "without")


def test_a_full_disk_is_waited_for(waiting: Waiting, server: Dovecot) -> None:
    """Nothing more is sent while it is full, and nothing is lost once it is not."""
    server.reseed("bob")
    with waiting.begin("full", f"imaps://localhost:{server.tls_port}", server.ca) as process:
        until(lambda: waiting.idles("full"), "the replay to wait")
        waiting.disk.strike(process.pid)
        try:
            _bring_a_letter(server)
            assert process.stderr
            assert process.stderr.readline().startswith(
                f"imaptap: Traffic stands still, since recording is held up: {waiting.disk.words} {waiting.disk.db}."
            )
        finally:
            waiting.disk.mend()
        output, errors = process.communicate(timeout=50)
    assert (process.returncode, errors) == (0, "imaptap: Recording works again; nothing was lost.\n")
    assert json.loads(output)["fates"] == {"sent": 7, "skipped": 0, "not reached": 0, "cut": 0}
    commands = [each["command"] for each in waiting.exchanges("full") if each["origin"] == "client"]
    assert commands[1:] == ["SELECT", "IDLE", "FETCH", "STORE", "CLOSE", "LOGOUT"]
    waiting.recorder.run("check", "full")


def _bring_a_letter(server: Dovecot) -> None:
    with imaplib.IMAP4("localhost", server.plain_port) as client:
        client.starttls(ssl.create_default_context(cafile=str(server.ca)))
        client.login("bob", "secret")
        assert client.append("Empty", "", "", b"Subject: news\r\n\r\n.\r\n")[0] == "OK"


def test_a_full_disk_at_the_start(waiting: Waiting, server: Dovecot) -> None:
    """Nothing is sent that could not be recorded."""
    waiting.disk.strike(0)
    try:
        done = waiting.run("full from the start", f"imaps://localhost:{server.tls_port}", server.ca)
    finally:
        waiting.disk.mend()
    assert refused(done).startswith(f"imaptap: {waiting.disk.words} {waiting.disk.db}")
    assert "full from the start" not in waiting.names()
