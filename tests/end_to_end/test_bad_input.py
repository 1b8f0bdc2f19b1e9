"""Bad input gets a sentence and a hint, a code that is not zero, and no traceback."""

from __future__ import annotations

import os
import re
import socket
import sqlite3
import ssl
import subprocess
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.need import need
from tests.servers import warm
from tests.servers.certificates import make_identity
from tests.servers.recorder import Recorder, environment, program
from tests.servers.scripted import ScriptedServer, dial
from tests.servers.wait import free_port

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.servers.certificates import Identity
    from tests.servers.dovecot import Dovecot

LISTEN = ("--listen", "imap+insecure://127.0.0.1:0")


def run(folder: Path, *words: str, prefix: Sequence[str] = ()) -> subprocess.CompletedProcess[str]:
    """An imaptap command that is expected to end by itself, with its own home in `folder`."""
    if not prefix:
        return warm.run([program(), *words], environment(folder / "home"), cwd=folder, timeout=30)
    return subprocess.run(
        [*prefix, program(), *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
        stdin=subprocess.DEVNULL,
        cwd=folder,
        env=environment(folder / "home"),
    )


def bound() -> list[str]:
    """What to put before a command so that file modes hold for it, also where root runs the tests."""
    capabilities = "-dac_override,-dac_read_search"
    if os.geteuid() != 0:
        return []
    return [need("setpriv"), f"--bounding-set={capabilities}", f"--inh-caps={capabilities}"]


def refused(done: subprocess.CompletedProcess[str], *mentions: str) -> None:
    """It failed as it should: briefly, readably, naming what is wrong."""
    assert done.returncode not in (0, -6, -11), done.stderr
    assert "Traceback" not in done.stderr + done.stdout
    assert not re.search(r'File ".*", line \d+', done.stderr)
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    assert 1 <= len(lines) <= 6, done.stderr
    for mention in mentions:
        assert re.search(mention, done.stderr, re.IGNORECASE), f"{mention!r} is not in: {done.stderr}"


@pytest.mark.parametrize(
    ("url", "mention"),
    [
        ("", "url|upstream|address"),
        ("mail.example.org", "imaps://"),
        ("http://mail.example.org", "http"),
        ("imaps://", "host"),
        ("imaps://mail.example.org:0x1", "port"),
        ("imaps://mail.example.org:99999", "port"),
        ("imaps://mail.example.org/INBOX", "INBOX|path"),
        ("imaps://bob:hunter2secret@mail.example.org", "user|password|login"),
    ],
)
def test_a_bad_url_is_refused(tmp_path: Path, url: str, mention: str) -> None:
    """As the upstream and as a listener; a password in it is not repeated."""
    for words in (("record", url, *LISTEN), ("record", "imaps://mail.example.org", "--listen", url)):
        done = run(tmp_path, *words, "--db", str(tmp_path / "record.db"))
        refused(done, mention)
        assert "hunter2secret" not in done.stderr + done.stdout


@pytest.mark.parametrize(
    "words",
    [
        ("show", "nothing-of-this-name"),
        ("show", "1/99"),
        ("ls", "nothing-of-this-name"),
        ("rm", "nothing-of-this-name"),
        ("export", "--format", "raw", "--side", "client", "last/1"),
    ],
    ids=" ".join,
)
def test_an_unknown_recording_is_named(tmp_path: Path, dovecot: Dovecot, words: Sequence[str]) -> None:
    """In a database that has one recording without sessions."""
    with Recorder(tmp_path / "tap", f"imap+insecure://localhost:{dovecot.plain_port}", *LISTEN) as recorder:
        pass
    refused(run(tmp_path, *words, "--db", recorder.db), "nothing-of-this-name|1/99|session|last/1")


def test_a_database_that_is_not_there_is_not_made_by_reading(tmp_path: Path) -> None:
    """A mistyped --db is an error, not a new empty file."""
    refused(run(tmp_path, "ls", "--db", str(tmp_path / "mistyped.db")), "mistyped.db")
    assert not (tmp_path / "mistyped.db").exists()


def test_a_foreign_database_is_never_written_to(tmp_path: Path) -> None:
    """Some other program's file, SQLite or not, stays as it was."""
    text, other = tmp_path / "letter.db", tmp_path / "other.db"
    text.write_bytes(b"not a database at all\n" * 100)
    with closing(sqlite3.connect(other)) as database:
        database.execute("CREATE TABLE session (their_own TEXT)")
        database.commit()
    for file in (text, other):
        before = file.read_bytes()
        refused(run(tmp_path, "record", "imaps://localhost:1", *LISTEN, "--db", str(file)), re.escape(file.name))
        assert file.read_bytes() == before


def test_a_read_only_database(tmp_path: Path, dovecot: Dovecot) -> None:
    """A recording on a medium that cannot be written: it can be looked at, and nothing can be added."""
    with Recorder(tmp_path / "tap", f"imap+insecure://localhost:{dovecot.plain_port}", *LISTEN) as recorder:
        pass
    folder = Path(recorder.db).parent
    before = Path(recorder.db).read_bytes()
    Path(recorder.db).chmod(0o400)
    folder.chmod(0o500)
    try:
        done = run(tmp_path, "record", "imaps://localhost:1", *LISTEN, "--db", recorder.db, prefix=bound())
    finally:
        folder.chmod(0o700)
    refused(done, "record.db")
    assert Path(recorder.db).read_bytes() == before


def test_a_port_in_use(tmp_path: Path) -> None:
    """Somebody else listens there."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        listen = f"imap+insecure://127.0.0.1:{port}"
        done = run(tmp_path, "record", "imaps://localhost", "--listen", listen, "--db", str(tmp_path / "record.db"))
    refused(done, str(port), "use")


@pytest.mark.parametrize("listen", ["imap+insecure://192.0.2.1:0", "imap+insecure://no-such-host.invalid:0"])
def test_an_address_that_is_not_this_machines(tmp_path: Path, listen: str) -> None:
    """It cannot be listened on."""
    refused(
        run(tmp_path, "record", "imaps://localhost", "--listen", listen, "--db", str(tmp_path / "record.db")),
        "192.0.2.1|no-such-host",
    )


def test_a_broken_ca_file(tmp_path: Path, identity: Identity) -> None:
    """Not there, empty, not PEM, a key instead of a certificate: said before anything listens."""
    empty, text = tmp_path / "empty.pem", tmp_path / "text.pem"
    empty.write_bytes(b"")
    text.write_text("-----BEGIN CERTIFICATE-----\nbm90IG9uZQ==\n-----END CERTIFICATE-----\n")
    for file in (tmp_path / "missing.pem", empty, text, identity.key):
        words = ("record", "imaps://localhost", *LISTEN, "--upstream-ca", str(file))
        refused(run(tmp_path, *words, "--db", str(tmp_path / "record.db")), re.escape(file.name))


def test_an_own_authority_without_its_key(tmp_path: Path, identity: Identity) -> None:
    """--ca-cert and --ca-key that do not belong together, or only one of the two."""
    other = make_identity(tmp_path / "other")
    for words in (("--ca-cert", str(identity.ca)), ("--ca-cert", str(identity.ca), "--ca-key", str(other.key))):
        done = run(tmp_path, "record", "imaps://localhost", *LISTEN, *words, "--db", str(tmp_path / "record.db"))
        refused(done, "key")


def test_a_folder_that_may_not_be_written(tmp_path: Path) -> None:
    """No permission to make the database."""
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    done = run(tmp_path, "record", "imaps://localhost", *LISTEN, "--db", str(locked / "record.db"), prefix=bound())
    refused(done, "locked")


def test_a_port_that_only_root_may_take(tmp_path: Path) -> None:
    """Ports below 1024, without the right to them."""
    prefix = bound()
    if prefix:
        prefix = [need("setpriv"), "--bounding-set=-net_bind_service", "--inh-caps=-net_bind_service"]
    if int(Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text()) <= 993:
        pytest.skip("here anybody may listen on port 993")
    words = ("record", "imaps://localhost", "--listen", "imaps://127.0.0.1:993", "--db", str(tmp_path / "record.db"))
    refused(run(tmp_path, *words, prefix=prefix), "993")


def bye(recorder: Recorder, identity: Identity) -> str:
    """What a client is told that connects in clear text; the session is stored as failed with a reason."""
    with closing(dial(recorder.port("plain"), identity.client_context())) as client:
        said = client.rest().decode()
    [session] = recorder.ended(1)
    assert session["ending"] == "failed"
    assert session["reason"]
    return said


def test_an_expired_upstream_certificate_reaches_the_client_as_bye(tmp_path: Path) -> None:
    """The upstream is not to be trusted: no credentials go there, and the client can read why."""
    expired = make_identity(tmp_path / "expired", ends_in_days=-3)
    with (
        ScriptedServer("TLS", expired.server_context()) as server,
        Recorder(
            tmp_path / "tap", f"imaps://localhost:{server.port}", "--upstream-ca", str(expired.ca), *LISTEN
        ) as recorder,
    ):
        said = bye(recorder, expired)
        server.problems.clear()  # its handshake fails, as it should
    assert re.match(r"\* BYE .*(expired|certificate)", said), said


def test_an_upstream_certificate_for_another_name(tmp_path: Path, identity: Identity) -> None:
    """Trusted, but somebody else's."""
    other = make_identity(tmp_path / "other", ("mail.example.org",))
    with (
        ScriptedServer("TLS", other.server_context()) as server,
        Recorder(
            tmp_path / "tap", f"imaps://localhost:{server.port}", "--upstream-ca", str(other.ca), *LISTEN
        ) as recorder,
    ):
        said = bye(recorder, identity)
        server.problems.clear()
    assert said.startswith("* BYE ")
    assert "localhost" in said


def test_an_upstream_that_cannot_be_reached(tmp_path: Path, identity: Identity) -> None:
    """Unknown host; nobody listening: the recorder runs on, each client is told."""
    for number, (url, hint) in enumerate(
        ((f"imaps://localhost:{free_port()}", "refused"), ("imaps://no-such-host.invalid", "no-such-host.invalid"))
    ):
        with Recorder(tmp_path / str(number), url, *LISTEN) as recorder:
            said = bye(recorder, identity)
        assert re.match(rf"\* BYE .*{hint}", said, re.IGNORECASE), said


def test_an_upstream_that_speaks_clear_text_on_a_tls_port(tmp_path: Path, identity: Identity) -> None:
    """The wrong scheme for this port: the client is told so."""
    with (
        ScriptedServer("S: * OK clear text here", identity.server_context()) as server,
        Recorder(tmp_path / "tap", f"imaps://localhost:{server.port}", *LISTEN) as recorder,
    ):
        said = bye(recorder, identity)
    assert re.match(r"\* BYE .*TLS", said), said


def test_a_client_with_the_wrong_idea_of_tls(tmp_path: Path, dovecot: Dovecot, identity: Identity) -> None:
    """A TLS hello on the clear text port, and clear text on the TLS port: each session's reason names it."""
    with Recorder(
        tmp_path / "tap",
        f"imap+insecure://localhost:{dovecot.plain_port}",
        *(*LISTEN, "--listen", "imaps://127.0.0.1:0"),
    ) as recorder:
        with closing(dial(recorder.port("plain"), identity.client_context())) as client, pytest.raises(ssl.SSLError):
            client.secure()
        with closing(dial(recorder.port("implicit"), identity.client_context())) as client:
            client.connection.sendall(b"a1 CAPABILITY\r\n")
            client.rest()
        sessions = recorder.ended(2)
    assert [session["ending"] for session in sessions] == ["failed", "failed"]
    assert all("TLS" in session["reason"] for session in sessions), sessions
