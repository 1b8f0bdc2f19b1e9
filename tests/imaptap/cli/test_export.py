"""`imaptap export`."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.imaptap.cli.terminals import on_a_terminal
from tests.imaptap.telling import LETTER, S, Tale, recorded

if TYPE_CHECKING:
    from tests.imaptap.cli.conftest import Program

BINARY = bytes(range(256)) * 20


@pytest.fixture
def binary(program: Program) -> Program:
    """A session with every byte there is, a secret, and a rewrite."""
    tale = Tale().say("S: * OK [CAPABILITY IMAP4rev1 STARTTLS] hi").rewrite(S, 26, b" STARTTLS", b"")
    tale.say("C: a LOGIN bob secret\nS: a OK\nC: b FETCH 1 BODY[]")
    tale.send(S, b"* 1 FETCH (BODY[] {%d}\r\n" % len(BINARY), BINARY, b")\r\nb OK\r\n")
    recorded(program.db, tale.end(), name="x")
    return program


def test_the_stream_is_exact_and_secrets_are_masked(binary: Program) -> None:
    client = binary("export", "--side", "client", "x/1")
    assert client.stdout_bytes == b"a LOGIN bob xxxxxx\r\nb FETCH 1 BODY[]\r\n"
    server = binary("export", "--format", "raw", "--side", "server", "last/last").stdout_bytes
    assert server.startswith(b"* OK [CAPABILITY IMAP4rev1 STARTTLS] hi\r\na OK\r\n* 1 FETCH")
    assert server.endswith(BINARY + b")\r\nb OK\r\n")


def test_as_it_was_sent_on(binary: Program) -> None:
    sent = binary("export", "--side", "server", "--as", "sent", "x/1").stdout_bytes
    assert sent.startswith(b"* OK [CAPABILITY IMAP4rev1] hi\r\n")
    assert sent.endswith(BINARY + b")\r\nb OK\r\n")


def test_into_a_file(binary: Program, tmp_path: Path) -> None:
    done = binary("export", "--side", "client", "x/1", "-o", str(tmp_path / "out"))
    assert (done.exit_code, done.stdout) == (0, "")
    assert (tmp_path / "out").read_bytes() == b"a LOGIN bob xxxxxx\r\nb FETCH 1 BODY[]\r\n"


def test_files_that_cannot_be_written(binary: Program, tmp_path: Path) -> None:
    said = binary.refused("export", "--side", "client", "x/1", "-o", str(tmp_path / "no" / "out"))
    assert str(tmp_path / "no" / "out") in said
    before = binary.db.read_bytes()
    assert "the database itself" in binary.refused("export", "--side", "client", "x/1", "-o", str(binary.db))
    assert binary.db.read_bytes() == before


def test_a_hole_is_told_and_ends_it(binary: Program) -> None:
    with closing(sqlite3.connect(binary.db)) as database:
        database.execute("DELETE FROM piece WHERE direction = 1 AND body_id IS NOT NULL")
        database.commit()
    done = binary("export", "--side", "server", "x/1")
    assert done.exit_code == 1
    assert done.stdout_bytes.endswith(b"* 1 FETCH (BODY[] {5120}\r\n")
    assert "hole" in done.stderr
    shown = binary("show", "x/1")
    assert shown.exit_code == 0
    assert "S: (hole: 5120 B were never recorded)" in shown.stdout
    assert "S: b OK" in shown.stdout.splitlines()


def test_usage(binary: Program) -> None:
    for words in (("export", "x/1"), ("export", "--side", "both", "x/1"), ("export", "--side", "client")):
        assert binary(*words).exit_code == 2


def test_a_new_file_is_the_owners_only(binary: Program, tmp_path: Path) -> None:
    """It holds letters. One that is there keeps the mode that somebody gave it."""
    for name, before, after in (("new", None, 0o600), ("old", 0o644, 0o644)):
        file = tmp_path / name
        if before is not None:
            file.touch()
            file.chmod(before)
        umask = os.umask(0)
        try:
            binary("export", "--side", "server", "x/1", "-o", str(file))
        finally:
            os.umask(umask)
        assert file.stat().st_size > len(BINARY)
        assert stat.S_IMODE(file.stat().st_mode) == after


def test_a_letter_that_was_not_kept_is_told_and_ends_it(weeded: Program) -> None:
    """Both ways: a stream without its letter would be a wrong one. The other side's has all."""
    for version in ("received", "sent"):
        done = weeded("export", "--side", "server", "--as", version, "weeded/1")
        assert done.exit_code == 1
        assert done.stdout_bytes.endswith(b"* 4 FETCH (RFC822 {%d}\r\n" % len(LETTER))
        start = len(done.stdout_bytes)
        sentence, hint = done.stderr.splitlines()
        words = f"imaptap: Bytes {start} to {start + len(LETTER)} of this stream are of a literal that was not kept"
        assert sentence == f"{words} (--max-literal, --bodies)."
        assert "imaptap show" in hint
    assert weeded("export", "--side", "client", "weeded/1").exit_code == 0


@pytest.fixture
def mixed(program: Program) -> Program:
    """Exchanges one within another, a rewrite in the answer of one, and what belongs to none."""
    tale = Tale().say("S: * OK hi\nC: a CAPABILITY\nS: * CAPABILITY IMAP4rev1 STARTTLS\nS: a OK")
    tale.rewrite(S, len("* OK hi\r\n") + len("* CAPABILITY IMAP4rev1"), b" STARTTLS", b"")
    tale.say("C: b NOOP\nC: c SELECT x\nS: b OK\nS: * 3 EXISTS\nS: c NO\nC: d NOOP\nS: d OK\nS: * 4 EXISTS")
    recorded(program.db, tale.end(), name="x")
    return program


@pytest.mark.parametrize(
    ("expression", "client", "server", "sent"),
    [
        ("cmd:CAPABILITY", b"a CAPABILITY\r\n", b"* CAPABILITY IMAP4rev1 STARTTLS\r\na OK\r\n", b" STARTTLS"),
        ("cmd:NOOP", b"b NOOP\r\nd NOOP\r\n", b"b OK\r\nd OK\r\n", b""),
        ("not status:OK", b"c SELECT x\r\n", b"* 3 EXISTS\r\nc NO\r\n", b""),
        ("cmd:NOOP or status:NO", b"b NOOP\r\nc SELECT x\r\nd NOOP\r\n",
         b"b OK\r\n* 3 EXISTS\r\nc NO\r\nd OK\r\n", b""),
        ("cmd:XYZZY", b"", b"", b""),
    ],
)  # fmt: skip
def test_only_what_matches(mixed: Program, expression: str, client: bytes, server: bytes, sent: bytes) -> None:
    """In the order of the stream, without greetings and what came on its own; `sent` is what was taken out of it."""
    words = ("export", "--filter", expression, "x/1", "--side")
    assert mixed(*words, "client").stdout_bytes == client
    assert mixed(*words, "server").stdout_bytes == server
    assert mixed(*words, "server", "--as", "sent").stdout_bytes == server.replace(sent, b"")
    assert mixed(*words, "client", "--as", "sent").stdout_bytes == client


def test_only_holes_in_what_matches_count(weeded: Program) -> None:
    """A letter that was not kept ends it where it is asked for, and does not where it is not."""
    done = weeded("export", "--side", "server", "--filter", "cmd:FETCH", "weeded/1")
    assert done.exit_code == 1
    assert done.stdout_bytes == b"* 4 FETCH (RFC822 {%d}\r\n" % len(LETTER)
    assert "not kept" in done.stderr
    done = weeded("export", "--side", "server", "--filter", "not cmd:FETCH", "weeded/1")
    assert done.exit_code == 0
    assert done.stdout_bytes.endswith(b"* BYE see you\r\n. OK done\r\n")


def test_a_filter_that_cannot_be_read(mixed: Program) -> None:
    assert "column 1" in mixed.refused("export", "--side", "client", "--filter", "comd:NOOP", "x/1")


def test_what_ends_at_a_hole_stays(weeded: Program, tmp_path: Path) -> None:
    """What came before it is all there is, and was asked for."""
    done = weeded("export", "--side", "server", "weeded/1", "-o", str(tmp_path / "out"))
    assert done.exit_code == 1
    assert (tmp_path / "out").read_bytes().endswith(b"* 4 FETCH (RFC822 {%d}\r\n" % len(LETTER))


def test_what_is_missing_counts_where_it_was_wanted(weeded: Program, tmp_path: Path) -> None:
    out = str(tmp_path / "out")
    done = weeded("export", "weeded", "--format", "text", "-o", out)
    assert done.exit_code == 1
    assert f"{len(LETTER):,} bytes are missing" in done.stderr
    sha256 = hashlib.sha256(LETTER).hexdigest()
    told = f"S* {len(LETTER)} bytes of a literal, not kept, sha256 {sha256}\n"
    assert told in (tmp_path / "out").read_text()
    assert weeded("export", "weeded", "--format", "text", "--no-bodies", "-o", out).exit_code == 0
    assert weeded("export", "weeded/1/1", "--format", "text", "-o", out).exit_code == 0


def test_one_exchange_of_a_stream(binary: Program) -> None:
    assert binary("export", "--side", "client", "x/1/2").stdout_bytes == b"b FETCH 1 BODY[]\r\n"
    said = binary.refused("export", "--side", "client", "x/1/2", "--filter", "cmd:NOOP")
    assert "the address names a single one" in said


def test_a_whole_recording_has_no_one_stream(binary: Program) -> None:
    assert "Write x/last" in binary.refused("export", "--side", "client", "x")


def test_a_link_a_pipe_and_a_folder(binary: Program, tmp_path: Path) -> None:
    """A link stays one; what is no file is written to as it is; a folder is no file."""
    (tmp_path / "link").symlink_to(tmp_path / "real")
    (tmp_path / "real").write_text("before")
    words = ("export", "--side", "client", "x/1", "-o")
    assert binary(*words, str(tmp_path / "link")).exit_code == 0
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes().startswith(b"a LOGIN")
    assert binary(*words, "/dev/null").exit_code == 0
    assert not Path("/dev/null").is_file()
    assert "is a folder" in binary.refused(*words, str(tmp_path))


def test_a_bar_for_those_who_watch(binary: Program, tmp_path: Path) -> None:
    """On a terminal, if the export itself does not go there."""
    code, shown = on_a_terminal(binary, "export", "x", "--format", "ndjson", "-o", str(tmp_path / "out"))
    assert code == 0
    assert b"exporting" in shown
    code, shown = on_a_terminal(binary, "export", "x", "--format", "text")
    assert code == 0
    assert b"exporting" not in shown
    assert b"C: b FETCH 1 BODY[]" in shown


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_a_disk_that_is_full_is_told_in_words(binary: Program) -> None:
    command = [sys.executable, "-m", "imaptap", "export", "--format", "text", "x", "--db", str(binary.db)]
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.splitlines()[0] == "imaptap: The export cannot be written: no space left on device."
    assert len(done.stderr.splitlines()) == 2


@pytest.mark.parametrize("ending", ["-wal", "-journal"])
def test_no_database_is_put_beside_what_another_one_left(binary: Program, tmp_path: Path, ending: str) -> None:
    """SQLite would read it into the new one."""
    (tmp_path / f"out.db{ending}").write_bytes(b"x")
    said = binary.refused("export", "x", "--format", "sqlite", "-o", str(tmp_path / "out.db"))
    assert f"out.db{ending} is beside it" in said
    assert not (tmp_path / "out.db").exists()
