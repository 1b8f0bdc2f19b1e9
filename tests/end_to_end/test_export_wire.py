"""Exports in the hands of the programs that they are for: tshark, bash with openssl, Python's imaplib, Dovecot."""

from __future__ import annotations

import imaplib
import os
import ssl
import subprocess
import sys
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from tests.imaptap.exporting.test_rawlog import unstamped
from tests.need import need
from tests.servers.imaptest import run
from tests.servers.line import Line, line_up
from tests.servers.mail import mailbox

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.servers.certificates import Identity
    from tests.servers.dovecot import Dovecot

LETTER = b"Subject: it's $HOME `here`\r\n\r\n" + b"".join(b"Line %d of \\ 100%%.\r\n" % number for number in range(300))


@pytest.fixture
def line(dovecot: Dovecot, identity: Identity, tmp_path: Path) -> Iterator[Line]:
    """A recorder in front of Dovecot, whose mail is as it was at the start."""
    dovecot.reseed("bob")
    with line_up(tmp_path / "line", "implicit", dovecot, identity) as line:
        yield line


def session(line: Line, letter: bytes = LETTER) -> None:
    """A client's day: over STARTTLS, with literals both ways, commands that fail, an IDLE."""
    context = ssl.create_default_context(cafile=str(line.recorder.ca))
    imap = imaplib.IMAP4("localhost", line.recorder.port("starttls"))
    imap.starttls(context)
    imap.login("bob", "secret")
    imap.list()
    imap.select("Drafts")
    imap.fetch("4", "(UID FLAGS BODY.PEEK[])")
    imap.uid("FETCH", "1:*", "(FLAGS RFC822.SIZE)")
    imap.search(None, "SUBJECT", '"picture"')
    imap.create('"it\'s $HOME"')
    imap.append('"it\'s $HOME"', "(\\Seen)", '"17-Jul-1996 02:44:25 -0700"', letter)
    imap.select('"it\'s $HOME"')
    imap.fetch("1", "(FLAGS BODY.PEEK[])")
    imap.store("1", "+FLAGS", "(\\Flagged $Done)")
    imap.copy("1", "nowhere")
    imap.send(b"idle IDLE\r\n")
    assert imap.readline().startswith(b"+")
    imap.send(b"DONE\r\n")
    assert imap.readline().startswith(b"idle OK")
    imap.unselect()
    imap.delete('"it\'s $HOME"')
    imap.logout()


def exchanges(line: Line, number: int) -> list[dict[str, Any]]:
    """Those of the client's commands in a session."""
    return [each for each in line.recorder.session(number)["exchanges"] if each["origin"] == "client"]


def answers(line: Line, number: int) -> list[tuple[Any, ...]]:
    """What was asked and how it was answered, but for what programs ask for themselves, and times in texts."""
    return [
        (each["command"], each["status"], each["code"], each["mailbox"], each["responses"])
        for each in exchanges(line, number)
        if each["command"] not in {"CAPABILITY", "STARTTLS"}
    ]


def export(line: Line, form: str, number: int, output: Path) -> Path:
    line.recorder.run("export", "--format", form, f"last/{number}", "-o", str(output))
    return output


def test_tshark_reads_every_exchange(line: Line, tmp_path: Path) -> None:
    """The same tags, commands and completions, in their order."""
    session(line)
    [number] = line.check()
    capture = export(line, "pcapng", number, tmp_path / "capture.pcapng")
    fields = ["imap.request_tag", "imap.request.command", "imap.response_tag", "imap.response.status"]
    shown = tshark(capture, "-Y", "imap && imap.line", *(word for field in fields for word in ("-e", field)))
    rows = [[cell.split(",") for cell in row.split("\t")] for row in shown]
    asked = [tag for tags, *_ in rows for tag in tags]
    commands = [word for _, words, *_ in rows for word in words]
    ended = [(tags[-1], statuses[-1]) for *_, tags, statuses in rows if tags[-1] != "+"]
    known = [(each["tag"], each["command"].removeprefix("UID "), each["status"]) for each in exchanges(line, number)]
    tags = [tag for tag, _, _ in known]
    # Lines of a letter that was sent are requests to Wireshark, and what is left of a fetched one may be a tag.
    assert [tag for tag in asked if tag in tags] == tags
    assert [word for word in commands if word.isupper() and word.isalpha()] == [word for _, word, _ in known]
    assert [end for end in ended if end[0] in tags] == [(tag, status) for tag, _, status in known]
    # What the letters say to Wireshark is its own affair, but no packet may be a puzzle to it.
    rest = tshark(capture, "-Y", "tls || data || tcp.analysis.flags || _ws.malformed", "-e", "frame.number")
    assert rest == []
    bad = "tcp.checksum.status == 0 || ip.checksum.status == 0"
    checked = ("-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE")
    assert tshark(capture, *checked, "-Y", bad, "-e", "frame.number") == []
    assert len(tshark(capture, *checked, "-Y", "tcp.checksum.status == 1", "-e", "frame.number")) > 40


def tshark(capture: Path, *words: str) -> list[str]:
    done = subprocess.run(
        [need("tshark"), "-n", "-r", str(capture), "-T", "fields", *words], capture_output=True, check=True, text=True
    )
    return done.stdout.splitlines()


@pytest.mark.parametrize(
    ("form", "tls"),
    [("python", "implicit"), ("python", "starttls"), ("openssl", "implicit"), ("openssl", "starttls"),
     ("openssl", "plain")],
)  # fmt: skip
def test_a_script_gets_the_same_answers(form: str, tls: str, line: Line, dovecot: Dovecot, tmp_path: Path) -> None:
    """It is recorded in its turn."""
    session(line)
    [first] = line.check()
    script = export(line, form, first, tmp_path / "script")
    assert b"secret" not in script.read_bytes()
    dovecot.reseed("bob")
    port, ca = str(line.recorder.port(tls)), str(line.recorder.ca)
    environment = {**os.environ, "IMAP_PASSWORD": "secret", "IMAP_HOST": "localhost", "IMAP_PORT": port}
    environment |= {"IMAP_TLS": "none" if tls == "plain" else tls, "IMAP_CAFILE": ca, "IMAP_PACE": "100"}
    words = [sys.executable, str(script)]
    if form == "openssl":
        need("openssl")
        words = [need("bash"), str(script), "localhost", port, "-CAfile", ca]
    done = subprocess.run(
        words, env=environment, capture_output=True, check=False, timeout=100, stdin=subprocess.DEVNULL, cwd=tmp_path
    )
    assert done.returncode == 0, (done.stdout[-3000:], done.stderr[-3000:])
    [second] = line.check()
    known = answers(line, first)
    assert answers(line, second) == known
    assert len(known) == 16
    assert Counter(status for _, status, *_ in known) == {"OK": 15, "NO": 1}
    sent = line.recorder.run("export", "--side", "client", f"last/{second}")
    assert LETTER in sent
    if form == "python":
        assert b"(was" not in done.stdout


def test_scripted_tests_get_the_same_answers(line: Line, dovecot: Dovecot, tmp_path: Path) -> None:
    """ImapTest is in no package: a reader made of its documentation runs them at Dovecot, and checks each answer."""
    session(line, LETTER.replace(b"$", b""))
    [number] = line.check()
    [script] = export(line, "imaptest", number, tmp_path / "tests").iterdir()
    text = script.read_bytes()
    assert text.count(b"is left out") == 2, "STARTTLS and IDLE"
    dovecot.reseed("bob")
    matched, failures = run(text, dovecot.plain_port, user="bob", password="secret")
    assert failures == []
    assert matched == text.count(b"\n* ") + 17
    matched, failures = run(text, dovecot.plain_port, user="bob", password="wrong")
    assert "ended with [b'NO'" in failures[0]
    assert len(failures) > 5
    with imaplib.IMAP4("localhost", dovecot.plain_port) as imap:
        imap.login("bob", "secret")
        imap.select("Drafts")
        imap.store("4", "+FLAGS", "(\\Answered)")
    _, failures = run(text, dovecot.plain_port, user="bob", password="secret")
    assert len(failures) == 2
    assert all(b"* 4 FETCH" in each.encode() or "4 FETCH" in each for each in failures)


def test_a_script_tells_of_other_answers(line: Line, dovecot: Dovecot, tmp_path: Path) -> None:
    """The mailbox is there already."""
    session(line)
    [first] = line.check()
    script = export(line, "python", first, tmp_path / "script")
    with imaplib.IMAP4("localhost", line.recorder.port("plain")) as imap:
        imap.login("bob", "secret")
        imap.create('"it\'s $HOME"')
    environment = {**os.environ, "IMAP_PASSWORD": "secret", "IMAP_HOST": "localhost", "IMAP_TLS": "none"}
    environment["IMAP_PORT"] = str(line.recorder.port("plain"))
    done = subprocess.run([sys.executable, str(script)], env=environment, capture_output=True, check=False, timeout=60)
    assert done.returncode == 1
    assert b"CREATE: 'NO' (was OK)" in done.stdout


def test_messages_are_the_servers_own(line: Line, tmp_path: Path) -> None:
    """What was fetched, and what was appended and fetched again."""
    session(line)
    [number] = line.check()
    folder = export(line, "eml", number, tmp_path / "letters")
    found = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert sorted(found.values(), key=len) == sorted([LETTER, LETTER, mailbox()["Drafts"][3].data], key=len)
    assert sorted(name.split("-", 2)[2] for name in found) == ["append1.eml", "n1.eml", "uid4.eml"]


def test_a_rawlog_like_dovecots_own(line: Line, tmp_path: Path) -> None:
    """Its streams are what the client said, and what it was sent."""
    session(line)
    [number] = line.check()
    folder = export(line, "rawlog", number, tmp_path / "rawlog")
    ends = {path.suffix: unstamped(path.read_bytes())[0] for path in folder.iterdir()}
    for suffix, side in ((".in", "client"), (".out", "server")):
        version = ("--as", "sent") if side == "server" else ()
        assert ends[suffix] == line.recorder.run("export", "--side", side, *version, f"last/{number}")
