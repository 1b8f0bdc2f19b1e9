"""`imaptap serve` as its users have it: a process, a cassette written by hand, and Python's own client."""

from __future__ import annotations

import imaplib
import signal
import socket
import ssl
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.servers import warm
from tests.servers.recorder import environment, program
from tests.servers.served import NEWS, Served

CASSETTE = """\
imaptap cassette 1
S: * OK [CAPABILITY IMAP4rev1 IDLE STARTTLS LOGINDISABLED AUTH=PLAIN AUTH=SCRAM-SHA-256 AUTH=GSSAPI] ready
C: a CAPABILITY
S: * CAPABILITY IMAP4rev1 IDLE STARTTLS LOGINDISABLED AUTH=PLAIN AUTH=SCRAM-SHA-256 AUTH=GSSAPI
S: a OK done
C: b LOGIN bob xxxxxx
S: b OK [CAPABILITY IMAP4rev1 IDLE COMPRESS=DEFLATE] in
C: c SELECT INBOX
S: * 2 EXISTS
S: c OK [READ-WRITE] selected
C: d SEARCH ALL
S: * SEARCH 1 2
S: d OK searched
C: e NOOP
S: * 3 EXISTS
S: e OK nothing
C: f LOGOUT
S: * BYE good bye
S: f OK out
"""


@pytest.fixture
def cassette(tmp_path: Path) -> Path:
    """A session that was written by hand."""
    file = tmp_path / "hand.cassette"
    file.write_text(CASSETTE)
    return file


def trust(served: Served) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(served.ca))


def client(served: Served) -> imaplib.IMAP4_SSL:
    return imaplib.IMAP4_SSL("localhost", served.port("implicit"), ssl_context=trust(served), timeout=60)


def whole(served: Served) -> None:
    """All of the session, by a client of other tags."""
    with client(served) as imap:
        imap.login("anybody", "any password")
        assert imap.select() == ("OK", [b"2"])
        assert imap.search(None, "ALL") == ("OK", [b"1 2"])
        assert imap.noop()[0] == "OK"
        assert imap.untagged_responses["EXISTS"] == [b"2", b"3"] or imap.untagged_responses["EXISTS"][-1] == b"3"


@pytest.mark.parametrize("words", [(), ("--strict",)])
def test_a_client_is_served_again_and_again(tmp_path: Path, cassette: Path, words: tuple[str, ...]) -> None:
    """Nothing is missed, nothing left out."""
    with Served(tmp_path / "s", str(cassette), *words) as served:
        for _ in range(3):
            whole(served)
    assert served.report() == {"missed": [], "missed_more": 0, "asked_upstream": [], "never_asked": []}


def test_capabilities_are_those_that_can_be_had(tmp_path: Path, cassette: Path) -> None:
    """Under TLS there is no STARTTLS, before it there is; mechanisms that cannot be served are none."""
    with Served(tmp_path / "s", str(cassette)) as served:
        with client(served) as imap:
            assert imap.capabilities == ("IMAP4REV1", "IDLE", "AUTH=PLAIN")
        with imaplib.IMAP4("localhost", served.port("starttls"), timeout=20) as imap:
            assert "STARTTLS" in imap.capabilities
            imap.starttls(trust(served))
            assert imap.capabilities == ("IMAP4REV1", "IDLE", "AUTH=PLAIN")
            imap.login("anybody", "any password")


def test_a_password_can_be_demanded(tmp_path: Path, cassette: Path) -> None:
    """Then SCRAM is there as well."""
    secret = tmp_path / "secret"
    secret.touch(mode=0o600)
    secret.write_text("right\n")
    with (
        Served(tmp_path / "s", str(cassette), "--user", "bob", "--password-file", str(secret)) as served,
        client(served) as imap,
    ):
        assert "AUTH=SCRAM-SHA-256" in imap.capabilities
        for user, password in (("bob", "wrong"), ("eve", "right")):
            with pytest.raises(imaplib.IMAP4.error, match="AUTHENTICATIONFAILED"):
                imap.login(user, password)
        imap.login("bob", "right")


def test_what_is_not_recorded_is_refused_and_told(tmp_path: Path, cassette: Path) -> None:
    """At once, with what comes nearest; the exit code says that there was something."""
    with Served(tmp_path / "s", str(cassette), code=1) as served, client(served) as imap:
        imap.login("anybody", "any password")
        imap.select()
        answer = imap.search(None, "UNSEEN")
        assert answer == ("NO", [b"[UNAVAILABLE] imaptap: nearest is 1/4: keys: recorded ALL, asked UNSEEN"])
        assert imap.search(None, "ALL") == ("OK", [b"1 2"])
    assert "connection 1 asked what is not recorded: SEARCH UNSEEN" in served.log()
    assert served.report_file.stat().st_mode & 0o777 == 0o600
    (missed,) = served.report()["missed"]
    assert (missed["connection"], missed["command"]) == (1, "SEARCH UNSEEN")
    (near,) = missed["nearest"]
    assert near == {
        "session": 1,
        "exchange": 4,
        "command": "SEARCH ALL",
        "differences": [{"part": "keys", "recorded": "ALL", "asked": "UNSEEN"}],
    }


def test_of_very_many_misses_only_the_number_is_told(tmp_path: Path, cassette: Path) -> None:
    """A client that asks the same for days costs neither memory nor a full terminal."""
    with (
        Served(tmp_path / "s", str(cassette), code=1) as served,
        socket.create_connection(("localhost", served.port("plain")), timeout=20) as sock,
    ):
        sock.sendall(b"".join(b"%d XNOTHING\r\n" % number for number in range(1100)))
        assert any(line.startswith(b"1099 NO") for line in sock.makefile("rb"))
    assert (len(served.report()["missed"]), served.report()["missed_more"]) == (1000, 100)
    assert "1,100 commands matched nothing" in served.log()


def test_strict_wants_everything_asked_for(tmp_path: Path, cassette: Path) -> None:
    """What a client may leave out is not missed."""
    with Served(tmp_path / "s", str(cassette), "--strict", code=1) as served, client(served) as imap:
        imap.login("anybody", "any password")
        imap.select()
    assert served.report()["never_asked"] == [{"session": 1, "exchange": 4, "command": "SEARCH ALL"}]


def test_what_is_served_can_be_recorded_and_compared(tmp_path: Path, cassette: Path) -> None:
    """With --db: a run that says the same has no differences to what it was made of."""
    db = str(tmp_path / "kept.db")
    env = environment(tmp_path / "s" / "home")
    assert warm.run([program(), "import", str(cassette), "--db", db], env).returncode == 0
    with Served(tmp_path / "s", "last", "--db", db, "--name", "again") as served:
        whole(served)
    shown = warm.run([program(), "show", "again/1", "--db", db], env)
    assert "S: * SEARCH 1 2" in shown.stdout, shown


VARYING = """\
imaptap cassette 1
S: * PREAUTH [CAPABILITY IMAP4rev1] in
C: a CREATE test-{{run:1}}
S: a OK {{run:1}} created
C: b STATUS test-{{run:1}} (MESSAGES)
S: * STATUS test-{{run:1}} (MESSAGES 0)
S: b OK done
C: c SEARCH SINCE {{any:1-Jan-2026}}
S: * SEARCH 1
S: c OK done
"""


def test_what_varies_is_taken_from_the_client(tmp_path: Path) -> None:
    """A place of one name is what the client said there last; what else is said must still be said."""
    file = tmp_path / "varying.cassette"
    file.write_text(VARYING)
    with (
        Served(tmp_path / "s", str(file), code=1) as served,
        imaplib.IMAP4("localhost", served.port("plain"), timeout=20) as imap,
    ):
        assert imap.create("test-4711") == ("OK", [b"4711 created"])
        assert imap.status("test-4711", "(MESSAGES)") == ("OK", [b"test-4711 (MESSAGES 0)"])
        assert imap.status("tests-4711", "(MESSAGES)")[0] == "NO"


def test_news_comes_step_by_step(tmp_path: Path) -> None:
    """Each line in the file lets one piece come."""
    file, steps = tmp_path / "news.cassette", tmp_path / "steps"
    file.write_text(NEWS)
    with (
        Served(tmp_path / "s", str(file), "--step", str(steps)) as served,
        socket.create_connection(("localhost", served.port("plain")), timeout=20) as sock,
    ):
        said = sock.makefile("rb")
        assert said.readline() == b"* PREAUTH in\r\n"
        sock.sendall(b"q SELECT INBOX\r\n")
        assert said.readline() == b"q OK selected\r\n"
        sock.sendall(b"r IDLE\r\n")
        assert said.readline() == b"+ idling\r\n"
        for number in (b"1", b"2"):
            sock.settimeout(0.2)
            with pytest.raises(TimeoutError):
                sock.recv(1)
            sock.settimeout(20)
            said = sock.makefile("rb")
            with steps.open("ab") as written:
                written.write(b"\n")
            assert said.readline() == b"* %b EXISTS\r\n" % number
        sock.sendall(b"DONE\r\n")
        assert said.readline() == b"r OK done\r\n"


def test_many_at_once_while_others_misbehave(tmp_path: Path, cassette: Path) -> None:
    """Two hundred clients are served beside one of garbage, one that stops in a literal, one that never reads."""
    with Served(tmp_path / "s", str(cassette), cold=True) as served:
        villains = [socket.create_connection(("localhost", served.port("plain")), timeout=20) for _ in range(3)]
        villains[0].sendall(bytes(range(256)) * 64 + b"\r\n")
        villains[1].sendall(b"a LOGIN bob {100}\r\nabc")
        villains[2].sendall(b"a CAPABILITY\r\n" * 20_000)
        with ThreadPoolExecutor(200) as pool:
            for done in [pool.submit(whole, served) for _ in range(200)]:
                done.result(100)
        for villain in villains:
            villain.close()
        status = Path(f"/proc/{served.process.pid}/status").read_text()
        peak = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
        assert peak < 400 * 1024, f"{peak} KiB"


def test_in_the_background_of_a_script_it_ends_with_sigint(tmp_path: Path, cassette: Path) -> None:
    """There the shell has Ctrl-C ignored, for whatever was started with `&`."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with Served(tmp_path / "s", str(cassette), cold=True) as served:
            served.process.send_signal(signal.SIGINT)
            assert served.process.wait(20) == 0
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (("nothing",), "There is no recording"),
        (("x", "--match", "FETCH"), "--match"),
        (("x", "--match", "FETCH.flags=any"), "there is messages, attributes, modifiers, arguments"),
        (("x", "--match", "FECTH=any"), "FECTH is no command of IMAP"),
        (("x", "--max-gap", "1"), "--max-gap bounds recorded pauses"),
        (("x", "--report", "nowhere/report.json"), "there is no folder"),
    ],
)
def test_mistakes_are_told(tmp_path: Path, words: tuple[str, ...], what: str) -> None:
    """A sentence and a hint."""
    (tmp_path / "x").write_text(CASSETTE)
    done = warm.run([program(), "serve", *words], environment(tmp_path / "home"), cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("imaptap: ")
    assert len(done.stderr.splitlines()) == 2
    assert what in done.stderr or words == ("nothing",)
