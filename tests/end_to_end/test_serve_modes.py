"""`imaptap serve --mode` before a real Dovecot: what is asked of it, what is kept of that, and what prevents it."""

from __future__ import annotations

import contextlib
import imaplib
import signal
import socket
import ssl
import subprocess
import zlib
from typing import TYPE_CHECKING

import pytest

from storage import Writer, open_store
from tests.servers.dovecot import Dovecot, token
from tests.servers.hunt import hunt
from tests.servers.recorder import environment, program
from tests.servers.served import Served
from tests.servers.wait import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PASSWORD = "canary-in-a-mine"


@pytest.fixture(scope="module")
def server() -> Iterator[Dovecot]:
    """Of this module alone, since its mail is changed."""
    with Dovecot(users={"bob": PASSWORD}) as server:
        yield server


@pytest.fixture
def mail(server: Dovecot) -> Dovecot:
    """The server, with bob's mail as it was."""
    server.reseed("bob")
    return server


def upstream(server: Dovecot) -> tuple[str, ...]:
    return "--upstream", f"imaps://localhost:{server.tls_port}", "--upstream-ca", str(server.ca)


@contextlib.contextmanager
def client(served: Served, password: str = PASSWORD) -> Iterator[imaplib.IMAP4_SSL]:
    trust = ssl.create_default_context(cafile=str(served.ca))
    with imaplib.IMAP4_SSL("localhost", served.port("implicit"), ssl_context=trust, timeout=20) as imap:
        imap.login("bob", password)
        yield imap


def known(imap: imaplib.IMAP4, mailbox: str = "Drafts") -> None:
    """What is recorded of every test's session."""
    assert imap.select(mailbox, readonly=True)[0] == "OK"
    assert imap.search(None, "ALL") == ("OK", [b"1 2 3 4"])


SUBJECTS = "(BODY.PEEK[HEADER.FIELDS (SUBJECT)])"


def new(imap: imaplib.IMAP4) -> object:
    """What is not."""
    status, found = imap.fetch("1:2", SUBJECTS)
    assert status == "OK"
    assert imap.search(None, "SEEN") == ("OK", [b"1"])
    return found


def run(folder: Path, *words: str) -> str:
    """What a command prints."""
    done = subprocess.run(
        [program(), *words], env=environment(folder / "home"), check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def cassette(tmp_path: Path, mail: Dovecot) -> Path:
    """What `once` has recorded: the file was not there."""
    file = tmp_path / "bob.cassette"
    with Served(tmp_path / "once", str(file), "--mode", "once", *upstream(mail)) as served, client(served) as imap:
        known(imap)
    return file


def test_once_records_and_then_serves(tmp_path: Path, cassette: Path) -> None:
    """The second time nobody needs the server, or its address; the file stays as it was."""
    before = cassette.read_bytes()
    with Served(tmp_path / "s", str(cassette), "--mode", "once", "--strict") as served, client(served, "any") as imap:
        known(imap)
    assert cassette.read_bytes() == before
    assert cassette.stat().st_mode & 0o777 == 0o600
    assert hunt([tmp_path], [PASSWORD]) == []


def test_new_asks_and_adds_and_none_serves_it_then(tmp_path: Path, cassette: Path, mail: Dovecot) -> None:
    """What was there stays as it is, to the byte; the new session stands behind it."""
    before = cassette.read_bytes()
    with Served(tmp_path / "new", str(cassette), "--mode", "new", *upstream(mail)) as served:
        with client(served) as imap:
            known(imap)
        with client(served) as imap:
            known(imap)
            found = new(imap)
    assert served.report()["missed"] == []
    assert served.report()["asked_upstream"] == [{"connection": 2, "command": f"FETCH 1:2 {SUBJECTS}"}]
    assert "1 session asked imaps:" in served.log()
    after = cassette.read_bytes()
    assert after.startswith(before)
    assert after.count(b"\nsession ") == before.count(b"\nsession ") + 1
    mail.kill()
    try:
        with Served(tmp_path / "none", str(cassette), "--strict") as served:
            for _ in range(2):
                with client(served, "any") as imap:
                    known(imap)
                    assert new(imap) == found
    finally:
        mail.restart()
    assert hunt([tmp_path], [PASSWORD]) == []


def test_new_adds_to_a_recording_of_the_database(tmp_path: Path, mail: Dovecot) -> None:
    """As to a cassette; a run in which nothing is new leaves nothing behind."""
    words = ("jobs", "--db", str(tmp_path / "t.db"), "--mode", "new", *upstream(mail))
    for steps, sessions in (((known,), 1), ((known,), 1), ((known, new), 2), ((known, new), 2)):
        with Served(tmp_path / "s", *words) as served, client(served) as imap:
            for each in steps:
                each(imap)
        listed = run(tmp_path / "s", "ls", "--db", str(tmp_path / "t.db"))
        assert listed.count("jobs") == 1, listed
        shown = run(tmp_path / "s", "ls", "jobs", "--json", "--db", str(tmp_path / "t.db"))
        assert shown.count('"ending"') == sessions, shown
        assert run(tmp_path / "s", "check", "--db", str(tmp_path / "t.db"))
    assert "asked upstream" in run(tmp_path / "s", "show", "jobs/2", "--json", "--db", str(tmp_path / "t.db"))
    assert hunt([tmp_path], [PASSWORD]) == []


def test_new_that_is_killed_leaves_what_was_there(tmp_path: Path, mail: Dovecot) -> None:
    """And what was said until then beside it."""
    db = str(tmp_path / "t.db")
    words = ("jobs", "--db", db, "--mode", "new", *upstream(mail))
    with Served(tmp_path / "s", *words) as served, client(served) as imap:
        known(imap)
    before = run(tmp_path / "s", "show", "jobs", "--db", db)
    with Served(tmp_path / "s", *words, code=-9) as served:
        with client(served) as imap:
            known(imap)
            new(imap)
        until(lambda: "SEARCH SEEN" in run(tmp_path / "s", "show", "jobs-new", "--db", db), "it to be recorded")
        served.process.send_signal(signal.SIGKILL)
        served.process.wait()
    assert run(tmp_path / "s", "show", "jobs", "--db", db) == before
    with Served(tmp_path / "s", *words) as served, client(served) as imap:
        known(imap)
    assert run(tmp_path / "s", "ls", "--db", db).count("jobs-new") == 1


def test_new_does_not_add_to_what_would_be_wrong_then(tmp_path: Path, cassette: Path, mail: Dovecot) -> None:
    """Somebody has put another session where the new one would stand."""
    with Served(tmp_path / "s", str(cassette), "--mode", "new", *upstream(mail), code=2) as served:
        with client(served) as imap:
            known(imap)
            new(imap)
        with cassette.open("a") as file:
            file.write("session\nS: * PREAUTH by hand\n")
        changed = cassette.read_bytes()
    assert "session 2 comes behind session 2" in served.log()
    assert len(served.report()["asked_upstream"]) == 1
    assert cassette.read_bytes() == changed
    assert list(tmp_path.glob(".*")) == []


def test_spy_asks_and_keeps_nothing(tmp_path: Path, cassette: Path, mail: Dovecot) -> None:
    """The client hears what the server says."""
    before = cassette.read_bytes()
    with Served(tmp_path / "s", str(cassette), "--mode", "spy", *upstream(mail)) as served, client(served) as imap:
        known(imap)
        new(imap)
    assert cassette.read_bytes() == before
    assert list(tmp_path.glob(".*")) == []


def test_spy_keeps_nothing_in_the_database_that_it_serves_from(tmp_path: Path, mail: Dovecot) -> None:
    """Though with the other modes --db is where the run is recorded, too."""
    words = ("jobs", "--db", str(tmp_path / "t.db"), *upstream(mail))
    for mode, steps in (("once", (known,)), ("spy", (known, new))):
        with Served(tmp_path / "s", *words, "--mode", mode) as served, client(served) as imap:
            for each in steps:
                each(imap)
    listed = run(tmp_path / "s", "ls", "--db", str(tmp_path / "t.db"), "--json")
    assert listed.count('"recording":') == 1, listed


def test_all_records_anew(tmp_path: Path, cassette: Path, mail: Dovecot) -> None:
    """In the place of what was there."""
    with Served(tmp_path / "all", str(cassette), "--mode", "all", *upstream(mail)) as served, client(served) as imap:
        new_mailbox = imap.select("Empty")
        assert new_mailbox == ("OK", [b"0"])
    text = cassette.read_text()
    assert "SELECT Empty" in text
    assert "EXAMINE Drafts" not in text


def test_all_replaces_nothing_by_half_a_recording(tmp_path: Path, cassette: Path, mail: Dovecot) -> None:
    """The server was away, or nobody came: the exit code says so, and what was there is there."""
    before = cassette.read_bytes()
    with Served(tmp_path / "a", str(cassette), "--mode", "all", *upstream(mail), code=1):
        pass
    words = ("--upstream", "imaps://localhost:1", "--upstream-ca", str(mail.ca))
    with (
        Served(tmp_path / "b", str(cassette), "--mode", "all", *words, code=1) as served,
        pytest.raises((imaplib.IMAP4.error, OSError)),
        client(served),
    ):
        pass
    assert "was not written" in served.log()
    with Served(tmp_path / "c", str(cassette), "--mode", "all", *upstream(mail), code=-9) as served:
        with client(served) as imap:
            known(imap)
        served.process.send_signal(signal.SIGKILL)
        served.process.wait()
    assert cassette.read_bytes() == before


def test_all_replaces_a_recording_of_the_database(tmp_path: Path, mail: Dovecot) -> None:
    """There is always one of its name, and only one."""
    db = str(tmp_path / "t.db")
    for mailbox in ("Drafts", "Empty"):
        words = ("jobs", "--db", db, "--mode", "all", *upstream(mail))
        with Served(tmp_path / "s", *words) as served, client(served) as imap:
            imap.select(mailbox)
        shown = run(tmp_path / "s", "show", "jobs/1", "--db", db)
        assert f"SELECT {mailbox}" in shown
    assert run(tmp_path / "s", "ls", "--db", db).count("jobs") == 1


# --- what keeps a session where it is -------------------------------------------------------------------------------


def refused(served: Served, password: str = PASSWORD) -> str:
    """What a client is told that asks something new; what is known it gets before and after that."""
    with client(served, password) as imap:
        known(imap)
        status, (said,) = imap.search(None, "SEEN")
        assert status == "NO"
        assert isinstance(said, bytes)
        assert imap.search(None, "ALL")[0] == "NO", "asked twice, recorded once"
        assert imap.logout()[0] == "BYE"
        return said.decode()


def test_another_mailbox_is_not_taken_for_the_same(tmp_path: Path, cassette: Path, mail: Dovecot) -> None:
    """A message that has come, and a mailbox that was made anew: numbers would mean others."""
    trust = mail.identity.client_context() if mail.identity else None
    with imaplib.IMAP4_SSL("localhost", mail.tls_port, ssl_context=trust, timeout=20) as imap:
        imap.login("bob", PASSWORD)
        assert imap.append("Drafts", "", "", b"Subject: new\r\n\r\nnew\r\n")[0] == "OK"
        with Served(tmp_path / "s", str(cassette), "--mode", "new", *upstream(mail), code=1) as served:
            said = refused(served)
        assert "Drafts is not what it was: UIDNEXT is 6 there and 5 here; EXISTS is 5 there and 4 here" in said
        assert said.startswith("[UNAVAILABLE] imaptap: ")
        assert said.removeprefix("[UNAVAILABLE] imaptap: ")[:40] in served.report()["missed"][0]["why"]
        imap.delete("Drafts")
        imap.create("Drafts")
        with Served(tmp_path / "s", str(cassette), "--mode", "new", *upstream(mail), code=1) as served:
            assert "Drafts is not what it was: UIDVALIDITY is " in refused(served)
    assert "Added" not in served.log()


def test_a_wrong_password_is_told_and_tried_once(tmp_path: Path, cassette: Path, mail: Dovecot) -> None:
    """The session is served on. The password is nowhere."""
    before = mail.log().count("auth failed")
    with Served(tmp_path / "s", str(cassette), "--mode", "new", *upstream(mail), code=1) as served:
        said = refused(served, "a-wrong-canary")
    assert f"imaps://localhost:{mail.tls_port} refuses the login of bob" in said
    assert "Authentication failed" in said
    assert len(served.report()["missed"]) == 2
    assert mail.log().count("auth failed") <= before + 1
    assert hunt([tmp_path], ["a-wrong-canary"]) == []


def test_a_server_that_is_away_is_told(tmp_path: Path, cassette: Path) -> None:
    """To the client at once, and to the person."""
    words = ("--upstream", "imaps://localhost:1")
    with Served(tmp_path / "s", str(cassette), "--mode", "spy", *words, code=1) as served:
        assert "localhost:1" in refused(served)


def test_a_server_that_is_not_trusted_hears_nothing(tmp_path: Path, cassette: Path, mail: Dovecot) -> None:
    """Least of all the password."""
    words = ("--upstream", f"imaps://localhost:{mail.tls_port}")
    with Served(tmp_path / "s", str(cassette), "--mode", "new", *words, code=1) as served:
        assert "certificate" in refused(served)
    assert "--upstream-ca" in served.log()


def test_a_password_that_is_not_said_cannot_be_passed_on(tmp_path: Path, cassette: Path, mail: Dovecot) -> None:
    """CRAM-MD5 is not offered; who uses it all the same is told."""
    with (
        Served(tmp_path / "s", str(cassette), "--mode", "new", *upstream(mail), code=1) as served,
        imaplib.IMAP4_SSL(
            "localhost",
            served.port("implicit"),
            ssl_context=ssl.create_default_context(cafile=str(served.ca)),
            timeout=20,
        ) as imap,
    ):
        assert "AUTH=PLAIN" in imap.capabilities
        assert "AUTH=CRAM-MD5" not in imap.capabilities
        imap.login_cram_md5("bob", PASSWORD)
        known(imap)
        assert b"CRAM-MD5 does not give the password away" in imap.search(None, "SEEN")[1][0]


# --- how it is asked ------------------------------------------------------------------------------------------------


def test_a_client_that_pipelines(tmp_path: Path, cassette: Path, mail: Dovecot) -> None:
    """Everything in one go: each is answered once, in order, the first new one and all behind it by the server."""
    said = (
        f"a LOGIN bob {PASSWORD}\r\nb EXAMINE Drafts\r\nc SEARCH ALL\r\nd SEARCH SEEN\r\ne SEARCH ALL\r\n"
        f"f APPEND Empty {{11+}}\r\nSubject: x\n\r\ng STATUS Empty (MESSAGES)\r\nh LOGOUT\r\n"
    )
    with (
        Served(tmp_path / "s", str(cassette), "--mode", "new", *upstream(mail)) as served,
        socket.create_connection(("localhost", served.port("plain")), timeout=20) as sock,
    ):
        sock.sendall(said.encode())
        heard = sock.makefile("rb").read().decode()
    tagged = [line[:4] for line in heard.splitlines() if line[1:2] == " " and line[0] in "abcdefgh"]
    assert sorted(tagged) == [f"{tag} OK" for tag in "abcdefgh"], heard  # Dovecot answers some before others
    assert "* STATUS Empty (MESSAGES 1)" in heard
    assert heard.count("* SEARCH 1 2 3 4\r\n" if "\r" in heard else "* SEARCH 1 2 3 4\n") == 2
    assert hunt([tmp_path], [PASSWORD]) == []


@pytest.mark.parametrize("size", [10, 3_000_000])
def test_a_letter_that_is_appended_is_told_to_the_server(
    tmp_path: Path, cassette: Path, mail: Dovecot, size: int
) -> None:
    """Its literal waits for the server's +, which the client does not hear: it has said all by then."""
    letter = b"Subject: long\r\n\r\n" + b"x" * 70 * (size // 72) + b"\r\n"
    with Served(tmp_path / "s", str(cassette), "--mode", "new", *upstream(mail)) as served:
        with client(served) as imap:
            status, said = imap.append("Empty", "", "", letter)
            assert status == "OK", said
            assert imap.select("Empty") == ("OK", [b"1"])
            assert imap.append("Nowhere", "", "", letter)[0] == "NO"
            assert imap.noop()[0] == "OK"
        with client(served) as imap:
            assert imap.append("Nowhere", "", "", letter)[0] == "NO"
            assert imap.noop()[0] == "OK"


HAND = """\
imaptap cassette 1
# written by hand
S: * OK [CAPABILITY IMAP4rev1 COMPRESS=DEFLATE AUTH=XOAUTH2] ready
C: a LOGIN bob xxxx
S: a OK in
C: b COMPRESS DEFLATE
S: b OK from here on
"""


def test_a_compressed_stream_stays_one(tmp_path: Path, mail: Dovecot) -> None:
    """The client has compressed with the recording, and goes on so with a server that has not."""
    file = tmp_path / "hand.cassette"
    file.write_text(HAND)
    pack, unpack = zlib.compressobj(wbits=-15), zlib.decompressobj(-15)
    with (
        Served(tmp_path / "s", str(file), "--mode", "new", *upstream(mail)) as served,
        socket.create_connection(("localhost", served.port("plain")), timeout=20) as sock,
    ):
        said = sock.makefile("rb")
        sock.sendall(b"a LOGIN bob %b\r\nb COMPRESS DEFLATE\r\n" % PASSWORD.encode())
        assert [said.readline()[:4] for _ in range(3)][1:] == [b"a OK", b"b OK"]
        sock.sendall(pack.compress(b"c SELECT Drafts\r\nd LOGOUT\r\n") + pack.flush(zlib.Z_SYNC_FLUSH))
        heard = unpack.decompress(said.read())
    assert b"* 4 EXISTS\r\n" in heard
    assert b"d OK Logout" in heard
    text = file.read_text()
    assert text.startswith(HAND)
    assert "SELECT Drafts" in text


def test_a_token_is_passed_on(tmp_path: Path, mail: Dovecot) -> None:
    """By the mechanism that the server has."""
    file, access = tmp_path / "hand.cassette", token("bob", "marked")
    file.write_text(HAND)
    said = f"user=bob\x01auth=Bearer {access}\x01\x01".encode()
    with (
        Served(tmp_path / "s", str(file), "--mode", "new", *upstream(mail)) as served,
        imaplib.IMAP4("localhost", served.port("plain"), timeout=20) as imap,
    ):
        imap.authenticate("XOAUTH2", lambda _: said)
        assert imap.select("Drafts") == ("OK", [b"4"])
    assert hunt([tmp_path], [access]) == []


def test_starttls_and_a_login_that_is_not_recorded(tmp_path: Path, mail: Dovecot) -> None:
    """The server's answer is the client's; of a refused one, too."""
    file = tmp_path / "hand.cassette"
    file.write_text("imaptap cassette 1\nS: * OK [CAPABILITY IMAP4rev1] ready\nC: a NOOP\nS: a OK done\n")
    words = ("--upstream", f"imap://localhost:{mail.plain_port}", "--upstream-ca", str(mail.ca))
    with Served(tmp_path / "s", str(file), "--mode", "new", *words) as served:
        with pytest.raises(imaplib.IMAP4.error, match="AUTHENTICATIONFAILED"), client(served, "a-wrong-canary"):
            pass
        with client(served) as imap:
            assert imap.select("Drafts") == ("OK", [b"4"])
    assert len(served.report()["asked_upstream"]) == 2
    assert hunt([tmp_path], [PASSWORD, "a-wrong-canary"]) == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--mode", "new"), "Give --upstream imaps://HOST."),
        (("--mode", "all"), "Give --upstream imaps://HOST."),
        (("--mode", "spy"), "Give --upstream imaps://HOST."),
        (("--upstream", "imaps://localhost"), "With --mode none no server is asked"),
        (("--mode", "spy", "--upstream", "nonsense"), "is no URL"),
        (("--mode", "spy", "--upstream", "imaps://localhost", "--upstream-ca", "/nowhere"), "/nowhere"),
        (("--step", "key"), "needs a terminal"),
        (("--step", "-"), "needs a terminal"),
        (("--step", "/dev/null"), "/dev/null is no file"),
    ],
)
def test_what_makes_no_sense_is_refused(tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    """Before anything is served."""
    file = tmp_path / "x.cassette"
    file.write_text("imaptap cassette 1\nS: * OK ready\nC: a NOOP\nS: a OK done\n")
    done = subprocess.run(
        [program(), "serve", str(file), *words, "--listen", "imap+insecure://127.0.0.1:0"],
        env=environment(tmp_path / "home"),
        check=False,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=60,
    )
    assert (done.returncode, "Traceback" in done.stderr) == (2, False), done.stderr
    assert said in done.stderr


@pytest.mark.parametrize("mode", ["once", "new", "all"])
def test_a_file_that_is_no_cassette_is_not_taken_for_the_name_of_a_recording(tmp_path: Path, mode: str) -> None:
    """An empty one, as `touch` makes it, would stay empty, and the mail be recorded elsewhere."""
    (tmp_path / "x.cassette").touch()
    db = tmp_path / "t.db"
    words = (
        "--db",
        str(db),
        "--mode",
        mode,
        "--upstream",
        "imaps://localhost:1",
        "--listen",
        "imap+insecure://localhost:0",
    )
    done = subprocess.run(
        [program(), "serve", "x.cassette", *words],
        env=environment(tmp_path / "home"),
        cwd=tmp_path,
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, db.exists()) == (2, False), done.stderr
    assert "x.cassette is there, and is no cassette" in done.stderr


def test_what_is_still_being_recorded_is_not_recorded_anew(tmp_path: Path) -> None:
    """It is said before the work begins that would end with it."""
    db = tmp_path / "t.db"
    with open_store(str(db), create=True) as store:
        writer = Writer(store, "jobs")
        try:
            done = subprocess.run(
                [program(), "serve", "jobs", "--db", str(db), "--mode", "all", "--upstream", "imaps://localhost:1"],
                env=environment(tmp_path / "home"),
                check=False,
                capture_output=True,
                text=True,
                timeout=60,
            )
        finally:
            writer.close()
    assert (done.returncode, "'jobs' is still being recorded" in done.stderr) == (2, True), done.stderr
    assert "Listening" not in done.stderr
