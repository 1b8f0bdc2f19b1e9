"""`imaptap scan`: files of any kind, databases and cassettes, and where it is that something was found."""

from __future__ import annotations

import gzip
import json
import os
import sqlite3
import zipfile
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tests.imaptap.telling import S, Tale, recorded

if TYPE_CHECKING:
    from pathlib import Path

    from tests.imaptap.cli.conftest import Program

SECRET = "Zaunkoenig and friends"


def found(program: Program, file: Path, *words: str) -> list[dict[str, object]]:
    done = program("scan", str(file), "--canary", SECRET, *words, "--json")
    told = json.loads(done.stdout)["files"][0]
    assert done.exit_code == (1 if told["count"] else 0)
    return told["findings"]


def test_a_text_file(program: Program, tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text(f"one\ntwo: bob@mail.company.org\n{SECRET}\n")
    done = program("scan", str(file), "--canary", SECRET)
    assert done.exit_code == 1
    assert done.stdout.splitlines() == [
        f"{file}: byte 9, line 2: address",
        f"{file}: byte 30, line 3: canary 1 (as it is)",
        f"{file}: 2 findings",
    ]
    assert SECRET not in done.stdout
    assert program.lines("scan", str(file), "--find", "key") == [f"{file}: nothing found"]
    assert not program.db.exists()


def test_a_database_by_session_and_exchange(program: Program) -> None:
    letter = f"Subject: x\r\n\r\nDear {SECRET}\r\n".encode() + b"." * 5000
    tale = Tale().say(f"S: * OK hi\nC: a1 NOOP\nS: a1 OK\nC: a2 FETCH 1 BODY[]\nS: * 1 FETCH (BODY[] {{{len(letter)}}}")
    recorded(program.db, tale.send(S, letter).say("S: )\nS: a2 OK").end(), name="private")
    hits = found(program, program.db)
    where = [(hit["where"], hit["exchange"]) for hit in hits]
    assert where == [(f"{program.db}: 1/1 server", 2), (str(program.db), None)]
    cassette = program.db.with_name("it.cassette")
    program.lines("export", "private", "--format", "cassette", "-o", str(cassette))
    assert [hit["where"] for hit in found(program, cassette)] == [f"{cassette}: 1/1 server", str(cassette)]


def test_what_is_left_in_a_database_file(program: Program) -> None:
    """Of tables that are none of ours, too; and of a file that is not ours at all."""
    recorded(program.db, Tale().say("S: * OK hi").end(), name="clean")
    assert found(program, program.db) == []
    for file in (program.db, program.db.with_name("other.db")):
        with closing(sqlite3.connect(file)) as database, database:
            database.execute("CREATE TABLE theirs (text)")
            database.execute("INSERT INTO theirs VALUES (?)", (SECRET,))
        hits = found(program, file)
        assert {hit["what"] for hit in hits} == {"canary 1"}
        assert {hit["where"] for hit in hits} <= {str(file), f"{file}-wal"}


def test_what_is_left_in_a_file_is_told_beside_what_was_recorded(program: Program) -> None:
    """Of one kind, too: however often it was said in the recording, the file has one that is not of it."""
    recorded(program.db, Tale().say("S: * OK hi bob@mail.company.org\n" * 9).end(), name="private")
    before = program("scan", str(program.db)).stdout.splitlines()
    with closing(sqlite3.connect(program.db)) as database, database:
        database.execute("CREATE TABLE theirs (text)")
        database.execute("INSERT INTO theirs VALUES ('jane@mail.company.org')")
    lines = program("scan", str(program.db), "--most", "3").stdout.splitlines()
    assert [line.split(": byte")[0] for line in lines[:6]] == [f"{program.db}: 1/1 server"] * 3 + [str(program.db)] * 3
    was, now = (int(line[-1].split("findings, ")[1].split(" in the file")[0]) for line in (before, lines))
    assert now > was
    assert lines[-1].endswith("in the file and 9 in what was recorded")


def test_what_was_packed(program: Program, tmp_path: Path) -> None:
    packed = tmp_path / "log.gz"
    packed.write_bytes(gzip.compress(SECRET.encode()))
    assert [hit["where"] for hit in found(program, packed)] == [f"{packed} (unpacked)"]
    archive = tmp_path / "log.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("inner.txt", SECRET * 10)
    assert {hit["where"] for hit in found(program, archive)} == {f"{archive}: inner.txt"}
    packed.write_bytes(gzip.compress(SECRET.encode())[:-9])
    assert "cannot be read" in program.refused("scan", str(packed), "--canary", SECRET)


def test_a_zip_with_a_password(program: Program, tmp_path: Path) -> None:
    archive = tmp_path / "log.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("inner.txt", SECRET)
    packed = bytearray(archive.read_bytes())
    packed[6] |= 1
    packed[packed.index(b"PK\x01\x02") + 8] |= 1
    archive.write_bytes(packed)
    assert "inner.txt is encrypted" in program.refused("scan", str(archive), "--find", "key")


def test_a_cassette_that_is_broken_is_a_file(program: Program, tmp_path: Path) -> None:
    file = tmp_path / "broken.cassette"
    file.write_text(f"imaptap cassette 1\nS: * OK {SECRET}\nC: {{{{x")
    done = program("scan", str(file), "--canary", SECRET)
    assert done.exit_code == 1
    assert "is searched as a file only: The cassette cannot be read at line 3" in done.stderr
    assert len(done.stderr.splitlines()) == 2
    assert f"{file}: byte 27, line 2: canary 1" in done.stdout


def test_nothing_in_a_cassette_that_is_broken_is_no_proof(program: Program, tmp_path: Path) -> None:
    file = tmp_path / "broken.cassette"
    file.write_text("imaptap cassette 1\nS: * OK hello\nC: {{{{x")
    done = program("scan", str(file), "--json")
    assert done.exit_code == 2
    assert json.loads(done.stdout)["files"] == [{"file": str(file), "as_file_only": True, "count": 0, "findings": []}]


def test_a_database_of_another_program_is_a_file(program: Program, tmp_path: Path) -> None:
    file = tmp_path / "other.sqlite"
    with closing(sqlite3.connect(file)) as database:
        database.execute("CREATE TABLE t (x)")
    done = program("scan", str(file))
    assert (done.exit_code, done.stderr) == (0, "")


@pytest.mark.parametrize(("password", "code"), [("xxxxxx", 0), ("secret", 1)])
def test_a_placeholder_with_a_mask_is_no_password(program: Program, tmp_path: Path, password: str, code: int) -> None:
    file = tmp_path / "placed.cassette"
    file.write_text(
        f"imaptap cassette 1\nS: * OK hi\nC: a LOGIN {{{{user:bob}}}} {{{{password:{password}}}}}\nS: a OK in\n"
    )
    assert program("scan", str(file)).exit_code == code


def test_a_password_is_called_one(program: Program, tmp_path: Path) -> None:
    file = tmp_path / "log"
    file.write_text("a LOGIN bob hunter2\nthe password: hunter2\n")
    assert program("scan", str(file)).stdout.splitlines()[:2] == [
        f"{file}: byte 2, line 1: password in LOGIN",
        f"{file}: byte 24, line 2: password",
    ]


def test_many_findings(program: Program, tmp_path: Path) -> None:
    file = tmp_path / "many"
    file.write_text(f"{SECRET}                \n" * 500)
    lines = program("scan", str(file), "--canary", SECRET, "--most", "3").stdout.splitlines()
    assert lines[3:] == [f"{file}: … and 497 more", f"{file}: 500 findings"]


def test_canaries_from_a_file(program: Program, tmp_path: Path) -> None:
    listed, file = tmp_path / "canaries", tmp_path / "text"
    listed.write_text("not there\n\nfriends\n")
    file.write_text(SECRET)
    assert "canary 2" in program("scan", str(file), "--canaries", str(listed)).stdout


@pytest.mark.parametrize("canary", ["abc", "   a   "])
def test_canaries_that_are_too_short(program: Program, tmp_path: Path, canary: str) -> None:
    assert "less than 4 characters" in program.refused("scan", str(tmp_path), "--canary", canary)


def test_what_cannot_be_read(program: Program, tmp_path: Path) -> None:
    assert "cannot be read" in program.refused("scan", str(tmp_path / "nowhere"))
    assert "cannot be read" in program.refused("scan", str(tmp_path))
    assert "password" in program.refused("scan", "postgresql://bob:secret@host/db")
    assert "cannot be read" in program.refused("scan", "notes.txt", "--canaries", str(tmp_path / "nowhere"))


def test_a_pipe_is_not_taken_for_a_clean_file(program: Program) -> None:
    """What had been read of it to see what it is would be missing from the search."""
    reading, writing = os.pipe()
    try:
        os.write(writing, b"a LOGIN bob secret\n")
        os.close(writing)
        assert "is a pipe" in program.refused("scan", f"/dev/fd/{reading}")
        assert "is a pipe" in program.refused("import", f"/dev/fd/{reading}")
    finally:
        os.close(reading)


def test_names_of_files_do_not_reach_the_terminal(program: Program, tmp_path: Path) -> None:
    file = tmp_path / "a\x1b[31mb"
    file.write_text("x")
    assert "\x1b" not in program("scan", str(file)).stdout


HAND = """\
imaptap cassette 1
S: * OK ready
C: a1 LOGIN {3}
S: + go
C| bob{{-}}
C:  {6}
S: + go
C| secret{{-}}
C:
S: a1 NO bad secret
C: a2 LOGIN bob secret
S: a2 NO
C: a3 AUTHENTICATE PLAIN
S: +
C: AGJvYgBzZWNyZXQ=
S: a3 OK
"""


def passwords(program: Program, file: Path, *words: str) -> list[tuple[object, ...]]:
    hits = found(program, file, *words)
    assert {hit["kind"] for hit in hits} <= {"password"}
    return [tuple(hit[key] for key in ("where", "offset", "exchange", "what", "line")) for hit in hits]


def test_passwords_that_were_written_into_a_cassette(program: Program, tmp_path: Path) -> None:
    """In literals and answers, too, which the recording that is made of it has masked; each once."""
    file = tmp_path / "hand.cassette"
    file.write_text(HAND)
    assert passwords(program, file) == [
        (f"{file}: 1/1 client", 23, 1, "LOGIN", None),
        (f"{file}: 1/1 client", 44, 2, "LOGIN", None),
        (f"{file}: 1/1 client", 75, 3, "SASL answer", None),
        (f"{file}: 1/1 server", 34, 1, "password said again", None),
        (str(file), 39, None, "LOGIN with a literal", 3),
        (str(file), 129, None, "LOGIN", 11),
        (str(file), 161, None, "SASL answer in a line of its own", 13),
    ]
    assert "secret" not in program("scan", str(file)).stdout
    assert passwords(program, file, "--find", "key") == []


def test_of_a_cassette_that_tells_everything_each_password_is_told_once(program: Program, tmp_path: Path) -> None:
    """Nobody masks those: they would be in the recording that is made of it."""
    file = tmp_path / "hand.cassette"
    file.write_text(HAND.replace("imaptap cassette 1\n", "imaptap cassette 1\nsession tells=everything\n"))
    program.lines("import", str(file))
    for place in (file, program.db):
        recorded_ones = [hit for hit in passwords(program, place) if " 1/1 " in str(hit[0])]
        assert [hit[1:4] for hit in recorded_ones] == [
            (23, None, "LOGIN"),
            (44, None, "LOGIN"),
            (75, None, "SASL answer"),
            (34, None, "password said again"),
        ]


def test_masks_are_no_passwords(program: Program, tmp_path: Path) -> None:
    file = tmp_path / "hand.cassette"
    file.write_text(HAND)
    program.lines("import", str(file))
    program.lines("export", "last", "--format", "cassette", "-o", str(tmp_path / "masked.cassette"))
    program.lines("export", "last", "--format", "text", "-o", str(tmp_path / "masked.txt"))
    for place in (program.db, tmp_path / "masked.cassette", tmp_path / "masked.txt"):
        assert passwords(program, place) == []
