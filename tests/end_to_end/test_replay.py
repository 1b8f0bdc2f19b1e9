"""Real clients recorded at a Dovecot, and replayed at one that is just as fresh: all is sent, all is answered alike."""

from __future__ import annotations

import imaplib
import json
import signal
import ssl
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from tests.end_to_end.jobs import CLIENTS, Place
from tests.servers import warm
from tests.servers.dovecot import Dovecot, token
from tests.servers.recorder import EVERY_LISTENER, Recorder, environment, program
from tests.servers.scripted import ScriptedServer, dial
from tests.servers.wait import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.servers.certificates import Identity

PORTS = {"imaps": "tls_port", "imap": "plain_port", "imap+insecure": "plain_port"}


class Replayer:
    """A recording, a Dovecot whose mail is as it was, and the installed `imaptap replay` between them."""

    def __init__(self, recorder: Recorder, server: Dovecot, folder: Path) -> None:
        self.recorder, self.server, self.folder = recorder, server, folder
        self.password = folder / "password"
        self.password.write_text("secret\n")
        self.password.chmod(0o600)

    def __call__(
        self, *words: str, scheme: str = "imaps", ca: Path | None = None, more: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Replay the recording; what became of it. `more` is a mailbox with one letter more than there was."""
        url = f"{scheme}://localhost:{getattr(self.server, PORTS[scheme])}"
        self.server.reseed("bob")
        if more:
            with imaplib.IMAP4("localhost", self.server.plain_port) as client:
                client.starttls(ssl.create_default_context(cafile=str(self.server.ca)))
                client.login("bob", "secret")
                assert client.append(more, "", "", b"Subject: one more\r\n\r\n.\r\n")[0] == "OK"
        return self.run(
            "replay", self.recorder.recording, "--to", url, "--upstream-ca", str(ca or self.server.ca), *words
        )

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Any command on the database."""
        return warm.run([program(), *words, "--db", self.recorder.db], environment(self.folder / "home"), timeout=60)

    def all_of_it(self, *words: str, scheme: str = "imaps") -> Any:
        """Replay with the password and --write; its summary."""
        done = self("--password-file", str(self.password), "--write", "--json", *words, scheme=scheme)
        assert done.stderr == ""
        summary = json.loads(done.stdout)
        assert (done.returncode, summary["reasons"], summary["other_status"]) == (0, [], [])
        return summary


def two_at_once(port: int, context: ssl.SSLContext) -> None:
    """One waits in IDLE for what the other does, and then asks for it."""
    with closing(dial(port, context)) as waits, closing(dial(port, context)) as puts:
        for player in (waits, puts):
            player.play("S: * OK ...\nC: a LOGIN bob secret\nS: a OK ...")
        waits.play("C: b SELECT Empty\nS: ...b OK ...\nC: c IDLE\nS: + idling")
        puts.play("C: d APPEND Empty {9+}\nC: X: y\nC= \\r\\nz\\r\\n\nS: ...d OK ...")
        waits.play("S: ...* 1 EXISTS\nC: DONE\nS: ...c OK ...\nC: e FETCH 1 (UID RFC822.SIZE)\nS: ...e OK ...")
        puts.play("C: f LOGOUT\nS: ...f OK ...")
        waits.play(
            "C: g STORE 1 +FLAGS (\\Deleted)\nS: ...g OK ...\nC: h CLOSE\nS: ...h OK ...\nC: i LOGOUT\nS: ...i OK ..."
        )


@pytest.fixture(scope="module")
def replayer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Replayer]:
    """Every client's job, recorded."""
    folder = tmp_path_factory.mktemp("replay")
    listen = [word for url in EVERY_LISTENER for word in ("--listen", url)]
    with Dovecot() as server:
        upstream = f"imaps://localhost:{server.tls_port}"
        with Recorder(folder / "record", upstream, "--upstream-ca", str(server.ca), *listen) as recorder:
            context = ssl.create_default_context(cafile=recorder.ca)
            for client, (job, modes) in CLIENTS.items():
                work = folder / client
                work.mkdir()
                job(Place(modes[0], recorder.port(modes[0]), recorder.ca, context, work))
            two_at_once(recorder.port("plain"), context)
            yield Replayer(recorder, server, folder)


@pytest.mark.parametrize("scheme", PORTS)
def test_every_step_is_sent_and_answered_alike(scheme: str, replayer: Replayer) -> None:
    """COMPRESS, IDLE, literals, pipelined commands and a NO among them; the new recording is whole."""
    recorder = replayer.recorder
    summary = replayer.all_of_it("--idle", "30", scheme=scheme)
    recorded = recorder.json("show", recorder.recording)
    steps = sum(len(session["exchanges"]) for session in recorded["sessions"])
    commands = {each["command"] for session in recorded["sessions"] for each in session["exchanges"]}
    assert {"COMPRESS", "IDLE", "APPEND", "STORE", "EXPUNGE", "UID FETCH"} <= commands
    assert summary["fates"] == {"sent": steps, "skipped": 0, "not reached": 0, "cut": 0}
    recorder.run("check", summary["name"])
    assert _asked(recorder.json("show", summary["name"])) == _asked(recorded)
    _hears_the_other(recorder, summary["name"])


def _hears_the_other(recorder: Recorder, name: str) -> None:
    """The session that idles is told of what another one puts there, and can fetch it."""
    sessions = recorder.json("show", name)["sessions"]
    [idle] = [
        each for session in sessions for each in session["exchanges"] if each["command"] == "IDLE" and each["responses"]
    ]
    assert idle["responses"]["EXISTS"] == 1
    fetched = next(each for each in sessions[idle["session"] - 1]["exchanges"] if each["command"] == "FETCH")
    assert fetched["responses"]["FETCH"] == 1


@pytest.mark.parametrize("mechanisms", ["scram-sha-1", "oauthbearer"])
def test_mechanisms(mechanisms: str, replayer: Replayer, tmp_path: Path) -> None:
    """The first session again, at a server that offers only this one."""
    secret = tmp_path / "secret"
    secret.write_text(f"{token('bob')}\n" if "oauth" in mechanisms else "secret\n")
    secret.chmod(0o600)
    reader = f"{sys.executable} -c \"print(open('{secret}').read())\""
    how = ("--token-command", reader) if "oauth" in mechanisms else ("--password-command", reader)
    with Dovecot(mechanisms=mechanisms) as server:
        to = ("--to", f"imaps://localhost:{server.tls_port}", "--upstream-ca", str(server.ca))
        done = replayer.run("replay", f"{replayer.recorder.recording}/1", *to, *how, "--write", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    shown = replayer.recorder.run("show", json.loads(done.stdout)["name"])
    assert b"AUTHENTICATE " + mechanisms.upper().encode() in shown


def test_a_wrong_password(replayer: Replayer, tmp_path: Path) -> None:
    """One sentence, one hint, exit code 2, and what was said is on record, without the password."""
    wrong = tmp_path / "wrong"
    wrong.write_text("never-was-it\n")
    wrong.chmod(0o600)
    done = replayer("--password-file", str(wrong), "--name", "wrong")
    assert done.returncode == 2
    said, hint = done.stderr.splitlines()
    assert said.startswith("imaptap: imaps://localhost:")
    assert "refuses the login of bob with SCRAM-SHA-256: NO" in said
    assert "--password-file" in hint
    assert "never-was-it" not in done.stderr + done.stdout
    assert b"never-was-it" not in replayer.recorder.run("show", "wrong/1")
    replayer.recorder.run("check", "wrong")


def test_a_mailbox_in_another_state(replayer: Replayer) -> None:
    """M 8.2: what is done in it is not reached, unless it may hold anything; what is done elsewhere is."""
    words = ("--password-file", str(replayer.password), "--json")
    done = replayer(*words, "--write", more="INBOX")
    summary = json.loads(done.stdout)
    assert (done.returncode, done.stderr) == (1, "")
    assert summary["fates"]["not reached"] > 0 < summary["fates"]["sent"]
    reasons = {each["reason"] for each in summary["reasons"] if each["fate"] == "not reached"}
    there = next(iter(reasons)).split()[2]
    assert reasons == {
        f"INBOX has {there} messages at the target and had {int(there) - 1} when it was recorded (--any-state goes on)"
    }
    summary = json.loads(replayer(*words, "--write", "--any-state", more="INBOX").stdout)
    assert summary["fates"]["not reached"] == 0


def test_a_server_that_is_not_trusted(replayer: Replayer, identity: Identity) -> None:
    done = replayer("--password-file", str(replayer.password), "--name", "untrusted", ca=identity.ca)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 2
    assert "untrusted" not in [each["name"] for each in replayer.recorder.json("ls")["recordings"]]


def test_ctrl_c_leaves_a_partial_recording(replayer: Replayer, identity: Identity) -> None:
    """Exit code 130; what was on its way is marked, and the rest is counted."""
    script = "S: * OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] ready\nC: ...CAPABILITY\nEOF"
    with ScriptedServer(script, identity.server_context()) as server:
        words = (
            "replay",
            f"{replayer.recorder.recording}/1",
            "--password-file",
            str(replayer.password),
            "--name",
            "stopped",
        )
        process = subprocess.Popen(
            [program(), *words, "--to", f"imap+insecure://localhost:{server.port}", "--db", replayer.recorder.db],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(replayer.folder / "home"),
        )  # fmt: skip
        until(lambda: server.players and b"CAPABILITY" in server.players[0].heard, "the first command")
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=20)
    assert (process.returncode, errors) == (130, "")
    assert "1 cut" in output
    session = replayer.recorder.json("show", "stopped/1")
    assert (session["ending"], session["reason"]) == ("cut", "imaptap was stopped")
    steps = [(event["name"], event["text"]) for event in session["events"] if event["kind"] == "step"]
    assert steps == [("replay of", "1"), ("cut", "1: imaptap was stopped")]
    replayer.recorder.run("check", "stopped")


def _asked(shown: Any) -> list[list[tuple[str, str]]]:
    """Commands and statuses of each session; logins alike, whatever the mechanism."""
    return [
        [
            ("login" if each["command"] in ("LOGIN", "AUTHENTICATE") else each["command"], each["status"])
            for each in session["exchanges"]
            if each["origin"] == "client" and each["command"] != "STARTTLS"
        ]
        for session in shown["sessions"]
    ]
