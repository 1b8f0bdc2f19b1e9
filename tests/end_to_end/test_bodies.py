"""`imaptap record --bodies` before Dovecot: the client notices nothing, and no word of a letter is in any file."""

from __future__ import annotations

import base64
import json
import subprocess
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from tests.end_to_end.test_max_literal import logged_in
from tests.end_to_end.test_wire import Mail, call, deflated, record
from tests.servers.mail import noise
from tests.servers.recorder import Recorder, environment, program

if TYPE_CHECKING:
    import imaplib
    from collections.abc import Iterator
    from pathlib import Path

    from tests.servers.dovecot import Dovecot
    from tests.servers.postgresql import PostgreSQL

HEADER = b"From: a@example.org\r\nSubject: topicword one two three\r\nX-Seen-By: topicword\r\n"
SMALL = HEADER + b"\r\nbodyword, and bodyword again\r\n"
LARGE = HEADER + b"\r\n" + b"bodyword says something\r\n" * 4000
ATTACHED = base64.encodebytes(b"bodyword" + noise(3000, "parts"))
PARTS = (
    HEADER + b'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="edge"\r\n\r\nbodyword\r\n'
    b"--edge\r\nContent-Type: text/plain\r\nContent-Description: partword\r\n\r\nbodyword\r\n"
    b"--edge\r\nContent-Type: application/x-y\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    + ATTACHED.replace(b"\n", b"\r\n")
    + b"--edge--\r\n"
)
LETTERS = (SMALL, LARGE, PARTS)
ASKED = (
    *("BODY.PEEK[]", "BODY.PEEK[TEXT]", "BODY.PEEK[1]", "BODY.PEEK[2]", "BODY.PEEK[]<0.500>", "BODY.PEEK[]<100.500>"),
    *("BODY.PEEK[TEXT]<1.3>", "RFC822", "RFC822.TEXT", "BINARY.PEEK[1]", "BINARY.PEEK[2]", "PREVIEW", "SNIPPET"),
    *("BODY.PEEK[HEADER]", "RFC822.HEADER", "BODY.PEEK[HEADER.FIELDS (X-SEEN-BY)]", "BODY.PEEK[1.MIME]"),
    "(UID BODY.PEEK[TEXT] FLAGS BODY.PEEK[1]<0.8> RFC822.SIZE)",
)
POLICIES = ("headers", "none", "hash")


@pytest.fixture
def box(dovecot: Dovecot) -> Iterator[str]:
    """A mailbox of the test's own."""
    with logged_in(dovecot.tls_port, dovecot.ca) as client:
        client.create("Bodies")
    yield "Bodies"
    with logged_in(dovecot.tls_port, dovecot.ca) as client:
        client.delete("Bodies")


def job(client: imaplib.IMAP4_SSL, box: str) -> list[Any]:
    """Put letters there, and take them again in all the ways that there are; what the client was told of them."""
    told: list[Any] = [client.append(box, "", "", letter)[0] for letter in LETTERS]
    client.select(box)
    last = int(client.response("EXISTS")[1][-1] or 0)
    for item in ASKED:
        answer = client.fetch(f"{last - 2}:{last}", item)
        told.append([answer[0], [each[1] for each in answer[1] if isinstance(each, tuple)]])
    client.store(f"{last - 2}:{last}", "+FLAGS", r"(\Deleted)")
    client.expunge()
    return told


def words_kept(folder: Path) -> set[bytes]:
    """Which words of the letters are in any file: the database, its log, what was said on the terminal."""
    files = [path.read_bytes() for path in folder.rglob("*") if path.is_file()]
    assert any(b"BODY.PEEK[TEXT]" in content for content in files), "what the client said is there"
    words = (b"topicword", b"partword", b"bodyword", *ATTACHED.split()[5:7])
    return {word for word in words for content in files if word in content}


def lengths(recorder: Recorder, number: int) -> tuple[int, int]:
    session = recorder.session(number)
    return session["client_bytes"], session["server_bytes"]


@pytest.mark.parametrize("policy", ["full", *POLICIES])
def test_the_job_is_the_same_and_the_letters_are_not_there(
    dovecot: Dovecot, box: str, tmp_path: Path, policy: str
) -> None:
    with logged_in(dovecot.tls_port, dovecot.ca) as client:
        expected = job(client, box)
    assert [each[1] for each in expected[3:4]] == [list(LETTERS)], "BODY[] gives them as they are"
    words = ["--bodies", policy, "--upstream-ca", str(dovecot.ca), "--listen", "imaps://127.0.0.1:0"]
    with Recorder(tmp_path / "tap", f"imaps://localhost:{dovecot.tls_port}", *words) as recorder:
        with logged_in(recorder.port("implicit"), recorder.ca) as client:
            assert job(client, box) == expected
        recorder.ended(1)
        assert recorder.json("check")["findings"] == []
        shown = recorder.run("show", f"{recorder.recording}/1", "--bodies")
        assert (b"bodyword" in shown) == (policy == "full")
        assert (b"<masked body>" in shown) == (policy != "full")
        stream = lengths(recorder, 1)
        assert stream[0] > sum(map(len, LETTERS)), "what was left out counts"
    kept = words_kept(tmp_path / "tap")
    if policy == "full":
        assert kept == {b"topicword", b"partword", b"bodyword", *ATTACHED.split()[5:7]}
    else:
        assert kept == ({b"topicword", b"partword"} if policy == "headers" else set())


@pytest.mark.parametrize("policy", POLICIES)
def test_within_a_compressed_stream(dovecot: Dovecot, box: str, tmp_path: Path, policy: str) -> None:
    commands = b"".join(
        b"x%d APPEND %b {%d+}\r\n%b\r\n" % (number, box.encode(), len(letter), letter)
        for number, letter in enumerate(LETTERS)
    )
    commands += b"y1 SELECT %b\r\ny2 FETCH 1:3 (BODY.PEEK[TEXT] PREVIEW)\r\ny3 LOGOUT\r\n" % box.encode()
    with record(tmp_path, dovecot, "implicit", "auto", "--bodies", policy) as recorder:
        with closing(call(recorder, "implicit")) as player:
            mail = Mail(player)
            mail.greeting()
            mail.ask("LOGIN bob secret")
            assert " OK " in mail.ask("COMPRESS DEFLATE")
            assert deflated(player, commands).count(b"bodyword") > 4000
        recorder.ended(1)
        assert recorder.json("check")["findings"] == []
    assert b"bodyword" not in words_kept(tmp_path)


@pytest.mark.parametrize("item", ["BODY.PEEK[]<0.2048>", "BODY.PEEK[2.MIME]", "BODY.PEEK[1.HEADER]", "BODY.PEEK[TEXT]"])
def test_headers_are_kept_wherever_it_is_certain_that_they_are(
    dovecot: Dovecot, box: str, tmp_path: Path, item: str
) -> None:
    """In a window that begins where the letter does, of its parts, and of letters within it; of a text nothing."""
    inner = b"Subject: partword\r\nFrom: b@example.org\r\n\r\nbodyword, within\r\n"
    letter = (
        b'Subject: topicword\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="edge"\r\n\r\n'
        b"--edge\r\nContent-Type: message/rfc822\r\n\r\n" + inner + b"\r\n"
        b"--edge\r\nContent-Type: text/plain\r\nContent-Description: partword\r\n\r\nbodyword\r\n--edge--\r\n"
    )
    with logged_in(dovecot.tls_port, dovecot.ca) as client:
        assert client.append(box, "", "", letter)[0] == "OK"
    words = ["--bodies", "headers", "--upstream-ca", str(dovecot.ca), "--listen", "imaps://127.0.0.1:0"]
    with Recorder(tmp_path / "tap", f"imaps://localhost:{dovecot.tls_port}", *words) as recorder:
        with logged_in(recorder.port("implicit"), recorder.ca) as client:
            client.select(box)
            status, found = client.fetch("*", f"({item} BODY.PEEK[TEXT]<0.0>)")
        assert (status, b"word" in str(found).encode()) == ("OK", True)
        recorder.ended(1)
    files = b"".join(path.read_bytes() for path in (tmp_path / "tap").rglob("*") if path.is_file())
    kept = {word for word in (b"topicword", b"partword", b"bodyword") if word in files}
    outer, part = {b"topicword"}, {b"partword"}
    assert kept == (outer if "<0" in item else part if "[TEXT]" not in item else set())


@pytest.mark.parametrize("policy", ["full", *POLICIES])
def test_a_replay_keeps_as_much(dovecot: Dovecot, box: str, tmp_path: Path, policy: str) -> None:
    """It sends the letters that the recording has, and is answered with them: they are in no file of its own."""
    with record(tmp_path, dovecot, "implicit", "auto") as recorder:
        with logged_in(recorder.port("implicit"), recorder.ca) as client:
            job(client, box)
        recorder.ended(1)
        cassette = tmp_path / "whole.cassette"
        recorder.run("export", recorder.recording, "--format", "cassette", "-o", str(cassette))
    password = tmp_path / "password"
    password.write_text("secret\n")
    password.chmod(0o600)
    (tmp_path / "again").mkdir()
    words = [
        *(program(), "replay", str(cassette), "--to", f"imaps://localhost:{dovecot.tls_port}"),
        *("--upstream-ca", str(dovecot.ca), "--password-file", str(password), "--write", "--json"),
        *("--db", str(tmp_path / "again" / "again.db"), "--bodies", policy),
    ]
    done = subprocess.run(
        words, capture_output=True, text=True, timeout=60, check=False, env=environment(tmp_path / "home")
    )
    summary = json.loads(done.stdout)
    assert (done.returncode, done.stderr, summary["reasons"], summary["other_status"]) == (0, "", [], [])
    kept = words_kept(tmp_path / "again")
    everything = {b"topicword", b"partword", b"bodyword", *ATTACHED.split()[5:7]}
    assert kept == {"full": everything, "headers": {b"topicword", b"partword"}}.get(policy, set())
    listed = subprocess.run(
        [program(), "ls", "--db", str(tmp_path / "again" / "again.db")], capture_output=True, text=True, check=True
    )
    assert (f"bodies: {policy}" in listed.stdout) == (policy != "full")


def test_workers_and_postgresql(dovecot: Dovecot, box: str, tmp_path: Path, postgresql: PostgreSQL) -> None:
    """Each worker has the policy, and the other database gets no more than a file does."""
    db = postgresql.new_database()
    words = ["--bodies", "none", "--workers", "2", "--upstream-ca", str(dovecot.ca), "--listen", "imaps://127.0.0.1:0"]
    with Recorder(tmp_path / "tap", f"imaps://localhost:{dovecot.tls_port}", *words, db=db) as recorder:
        for _ in range(4):
            with logged_in(recorder.port("implicit"), recorder.ca) as client:
                job(client, box)
        recorder.ended(4)
        assert recorder.json("check")["findings"] == []
        code, _, said = recorder.reader.run(
            "scan", db, "--find", "canary", "--canary", "bodyword", "--canary", "topicword"
        )
        assert code == 0, said
        code, found, _ = recorder.reader.run("scan", db, "--find", "canary", "--canary", "BODY.PEEK")
        assert (code, b"canary" in found) == (1, True), "it would be found"
