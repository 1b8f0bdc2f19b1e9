"""Keys with passwords through the installed program: what opens them is nowhere to be found afterwards."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import socket
import ssl
import subprocess
import sys
import termios
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from certs.locking import is_locked
from tests.certs.making import Made, ec_key, make
from tests.servers import warm
from tests.servers.hunt import hunt
from tests.servers.recorder import Recorder, environment, program
from tests.servers.scripted import ScriptedServer, dial

if TYPE_CHECKING:
    from tests.servers.certificates import Identity

CA, LEAF, UPSTREAM = "ca-Xq7marker", "leaf-Yk3marker", "upstream-Zw9marker"


def secret_file(folder: Path, content: str) -> str:
    file = folder / "password"
    file.touch(0o600)
    file.write_text(content)
    return f"file:{file}"


def create(home: Path, source: str) -> subprocess.CompletedProcess[str]:
    command = [program(), "ca", "create", "--ca-key-password", source]
    return warm.run(command, environment(home))


@pytest.fixture
def root(tmp_path: Path) -> Made:
    """Who vouches for the client certificate and the own leaf."""
    made = make("Root", ec_key(), ca=True)
    made.write(tmp_path, "root")
    return made


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
def test_three_locked_keys_and_no_trace_of_their_passwords(
    identity: Identity, root: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The CA's from a file, a leaf's from the environment, the client certificate's from a pipe."""
    folder, secrets = tmp_path / "tap", tmp_path / "secrets"
    secrets.mkdir()
    folder.mkdir()
    source = secret_file(secrets, CA)
    assert create(folder / "home", source).returncode == 0
    assert is_locked(folder / "home" / "ca.key")
    leaf = make("own.test", ec_key(), root, names=("own.test",)).write(tmp_path, "leaf", password=LEAF.encode())
    me = make("me", ec_key(), root).write(tmp_path, "me", password=UPSTREAM.encode())
    monkeypatch.setenv("TEST_LEAF_PASSWORD", LEAF)
    (secrets / "upstream").touch(0o600)
    (secrets / "upstream").write_text(UPSTREAM + "\n")
    server = identity.server_context()
    server.load_verify_locations(cafile=tmp_path / "root.pem")
    server.verify_mode = ssl.CERT_REQUIRED
    words = [
        *("--ca-key-password", source, "--upstream-ca", str(identity.ca)),
        *("--leaf", f"own.test={leaf[0]},{leaf[1]}", "--leaf-key-password", "env:TEST_LEAF_PASSWORD"),
        *("--upstream-cert", str(me[0]), "--upstream-key", str(me[1])),
        *("--upstream-key-password", f"file:{secrets / 'upstream'}", "--listen", "imaps://127.0.0.1:0"),
    ]
    with (
        ScriptedServer("S: * OK hi\nCLOSE", server, implicit=True) as upstream,
        Recorder(folder, f"imaps://localhost:{upstream.port}", *words, cold=True) as recorder,
    ):
        command_line = Path(f"/proc/{recorder.process.pid}/cmdline").read_bytes()
        trusting = ssl.create_default_context(cafile=recorder.ca)
        with closing(dial(recorder.port("implicit"), trusting, implicit=True)) as client:
            client.play("S: * OK hi\nEOF")
        own_ca = ssl.create_default_context(cafile=tmp_path / "root.pem")
        with (
            socket.create_connection(("127.0.0.1", recorder.port("implicit")), timeout=5) as plain,
            own_ca.wrap_socket(plain, server_hostname="own.test") as own,
        ):
            assert own.recv(100) == b"* OK hi\r\n"
        recorder.ended(2)
        (folder / "shown").write_bytes(recorder.run("ls", "--json") + recorder.run("show", "last/1", "--json"))
    for secret in (CA, LEAF, UPSTREAM):
        assert secret.encode() not in command_line
    assert hunt([folder], (CA, LEAF, UPSTREAM)) == []
    assert len(hunt([secrets], (CA,))) >= 1, "the hunt finds what is there"


def test_a_wrong_password_is_one_sentence(tmp_path: Path) -> None:
    """And nothing begins."""
    home = tmp_path / "home"
    assert create(home, secret_file(tmp_path, CA)).returncode == 0
    wrong = secret_file(tmp_path, "hunter2")
    for words, said in (
        (("--ca-key-password", wrong), f"The key in {home / 'ca.key'} cannot be unlocked with the password given."),
        ((), f"The key in {home / 'ca.key'} is locked with a password."),
        (("--ca-key-password", "hunter2"), "--ca-key-password does not say where the password is."),
    ):
        command = [program(), "record", "imaps://localhost", "--db", str(tmp_path / "x.db"), *words]
        done = warm.run(command, environment(home))
        assert done.returncode == 2
        first, hint = done.stderr.splitlines()
        assert first.startswith(f"imaptap: {said}")
        assert hint
        assert "hunter2" not in done.stderr
    assert not (tmp_path / "x.db").exists()


def test_it_is_asked_for_on_a_terminal_and_not_shown(tmp_path: Path) -> None:
    """Without any option: the key is locked, and there is somebody to ask."""
    home = tmp_path / "home"
    assert create(home, secret_file(tmp_path, CA)).returncode == 0
    terminal, other_end = pty.openpty()
    process = subprocess.Popen(
        [program(), "record", "imaps://localhost", "--db", str(tmp_path)],
        env=environment(home),
        stdin=other_end,
        stdout=other_end,
        stderr=other_end,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509 - its own terminal, for /dev/tty
    )
    os.close(other_end)
    shown = b""
    try:
        while not shown.endswith(b": "):
            shown += os.read(terminal, 1000)
        assert f"Password of {home / 'ca.key'}".encode() in shown
        os.write(terminal, CA.encode() + b"\n")
        with contextlib.suppress(OSError):  # how Linux says that the other side has gone
            while more := os.read(terminal, 1000):
                shown += more
    finally:
        os.close(terminal)
        assert process.wait(20) == 2
    assert b"is a folder, not a database" in shown, "the password was right, so the next thing is said"
    assert CA.encode() not in shown
