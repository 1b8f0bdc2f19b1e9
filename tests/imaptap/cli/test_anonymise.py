"""`imaptap anonymise`: a new recording or a cassette, by level, policy and key; the old one stays as it is."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from proxy.imap.transcript import Piece, Record
from tests.imaptap.telling import S, Tale, recorded

if TYPE_CHECKING:
    from tests.imaptap.cli.conftest import Program

LETTER = (
    b"From: Ottilie Quast <ottilie@quast.company>\r\nSubject: Our Zaunkoenig\r\n"
    b"Date: Tue, 5 Mar 2024 10:00:00 +0100\r\n\r\n" + b"Dear Balthasar, the password: hunter2222\r\n" * 200
)


def private() -> Tale:
    return Tale().say(
        f"""
S: * OK mail.quast.company ready
C: a1 LOGIN ottilie@quast.company geheim
S: a1 OK Logged in as ottilie
C: a2 LIST "" *
S: * LIST (\\HasNoChildren) "/" "Projekte/Zaunkoenig"
S: a2 OK done
C: a3 SELECT "Projekte/Zaunkoenig"
S: * 1 EXISTS
S: * FLAGS (\\Seen Amselfeld)
S: a3 OK [READ-WRITE] done
C: a4 FETCH 1 (INTERNALDATE ENVELOPE BODY.PEEK[])
S: * 1 FETCH (INTERNALDATE " 5-Mar-2024 10:00:00 +0100" ENVELOPE ("Tue, 5 Mar 2024 10:00:00 +0100" "Our Zaunkoenig" (("Ottilie Quast" NIL "ottilie" "quast.company")) NIL NIL NIL NIL NIL NIL NIL) BODY[] {{{len(LETTER)}}}
"""  # noqa: E501
    )


def told() -> list[Record]:
    tale = private().send(S, LETTER[:100], LETTER[100:])
    return tale.say("S: )\nS: a4 OK done\nC: a5 LOGOUT\nS: * BYE Ottilie\nS: a5 OK done").end()


PRIVATE = ("ottilie", "quast", "zaunkoenig", "projekte", "balthasar", "hunter2222", "mar 2024", "geheim", "amselfeld")


@pytest.fixture
def program_told(program: Program, tmp_path: Path) -> Program:
    """Recording 1, "private"; and a key, so that no word comes up by chance."""
    recorded(program.db, told(), name="private")
    (tmp_path / "known").write_bytes(b"k" * 32)
    (tmp_path / "known").chmod(0o600)
    return program


def known(program: Program) -> tuple[str, str]:
    """The option with that key."""
    return "--key", str(program.db.with_name("known"))


def everything(program: Program, name: str) -> str:
    return program("export", name, "--format", "cassette").stdout


def test_a_new_recording(program_told: Program) -> None:
    """Nothing private, a letter as long, and the old one as before."""
    program, before = program_told, everything(program_told, "private")
    said = program.lines("anonymise", "private", *known(program))
    assert said[0].startswith("Anonymised private as 2  anonymised: 1 session, 5 exchanges; level all, the key is in ")
    text = everything(program, "anonymised")
    assert [word for word in PRIVATE if word in text.lower()] == []
    assert f"{{{len(LETTER)}}}" in text
    assert everything(program, "private") == before
    assert program("check").exit_code == 0
    assert program("diff", "anonymised", "anonymised").exit_code == 0
    assert program("show", "anonymised/1", "--bodies").exit_code == 0
    recording = program.json("ls", "anonymised")
    assert (recording["host"], recording["pid"]) == ("", 0)
    assert recording["started"] < program.json("ls", "private")["started"]


def test_many_sessions(program: Program) -> None:
    """More than there are connections to a database."""
    tales = [Tale(number).say("S: * OK hi\nC: a1 NOOP\nS: a1 OK\nC: a2 NOOP").end() for number in range(1, 31)]
    recorded(program.db, *tales, name="many")
    assert "30 sessions, 60 exchanges" in program.lines("anonymise", "many")[0]


def test_names_count_up(program_told: Program) -> None:
    assert program_told.lines("anonymise", "private")[0].endswith("level all, the key is thrown away")
    assert "as 3  anonymised-2:" in program_told.lines("anonymise", "private")[0]
    assert "as 4  mine:" in program_told.lines("anonymise", "private/1", "--name", "mine")[0]
    assert "named 'mine'" in program_told.refused("anonymise", "private", "--name", "mine")


@pytest.mark.parametrize(
    ("level", "gone"),
    [
        ("secrets", {"hunter2222"}),
        ("bodies", {"hunter2222", "balthasar"}),
        ("people", {"hunter2222", "balthasar", "ottilie", "quast"}),
        ("all", set(PRIVATE) - {"geheim"}),
    ],
)
def test_levels(program_told: Program, level: str, gone: set[str]) -> None:
    program_told.lines("anonymise", "private", "--level", level, *known(program_told))
    text = everything(program_told, "anonymised").lower()
    assert {word for word in PRIVATE if word not in text} >= gone | {"geheim"}
    kept = set(PRIVATE) - gone - {"geheim"}
    missing = {word for word in kept if word not in text}
    assert missing <= ({"projekte", "zaunkoenig"} if level == "people" else set())


def test_a_key_that_others_can_read_is_refused(program_told: Program, tmp_path: Path) -> None:
    key = tmp_path / "key"
    program_told.lines("anonymise", "private", "--key", str(key))
    key.chmod(0o644)
    said = program_told.refused("anonymise", "private", "--key", str(key))
    assert f"The key {key} is open to other users (mode 0644)." in said
    assert "chmod 600" in said


def test_the_same_key_the_same_names(program_told: Program, tmp_path: Path) -> None:
    key = tmp_path / "key"
    said = program_told.lines("anonymise", "private", "--key", str(key))[0]
    assert said.endswith(f"the key is in {key}")
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    kept = key.read_bytes()
    program_told.lines("anonymise", "private", "--key", str(key))
    assert key.read_bytes() == kept
    first, second = everything(program_told, "anonymised"), everything(program_told, "anonymised-2")
    assert first == second
    program_told.lines("anonymise", "private")
    assert everything(program_told, "anonymised-3") != first


def test_a_cassette(program_told: Program, tmp_path: Path) -> None:
    """Into a file for its owner's eyes, without a recording; and of a cassette, without a database."""
    key, first, second = tmp_path / "key", tmp_path / "first.cassette", tmp_path / "second.cassette"
    program_told.lines("anonymise", "private", "-o", str(first), "--key", str(key))
    assert stat.S_IMODE(first.stat().st_mode) == 0o600
    assert len(program_told.json("ls")["recordings"]) == 1
    source = tmp_path / "private.cassette"
    source.write_text(everything(program_told, "private"))
    program_told.lines("anonymise", str(source), "-o", str(second), "--key", str(key))
    assert second.read_text() == first.read_text()
    assert [word for word in PRIVATE if word in first.read_text().lower()] == []


def test_a_policy(program_told: Program, tmp_path: Path) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text('[things]\ntext = "remove"\nsubject = "keep"\n[keep]\nmailboxes = ["Projekte"]\n')
    program_told.lines("anonymise", "private", "--policy", str(policy))
    text = everything(program_told, "anonymised")
    assert "Subject: Our Zaunkoenig" in text
    assert '"Our Zaunkoenig"' in text
    assert "Projekte/" in text
    assert "Projekte/Zaunkoenig" not in text
    assert "xxxx xxxxxxxxx, xxx xxxxxxxx: xxxxxxxxxx" in text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("things", "is no TOML"),
        ("[thing]", "unknown table: thing"),
        ("things = 1", "things is no table"),
        ('[things]\nbody = "keep"', "no kind of thing called body"),
        ('[things]\ntext = "hide"', "not known: hide"),
        ("[things]\ntext = []", "not known: []"),
        ("[keep]\nwords = 1", "keep.words is no list"),
        ("[keep]\nfolders = []", "keeps something unknown: folders"),
    ],
)
def test_policies_that_are_wrong(program_told: Program, tmp_path: Path, text: str, said: str) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text(text)
    assert said in program_told.refused("anonymise", "private", "--policy", str(policy))
    assert len(program_told.json("ls")["recordings"]) == 1


def test_what_cannot_be_done(program_told: Program, tmp_path: Path) -> None:
    (tmp_path / "short").write_text("abc")
    assert "is no key" in program_told.refused("anonymise", "private", "--key", str(tmp_path / "short"))
    assert "cannot be written" in program_told.refused("anonymise", "private", "--key", str(tmp_path / "no" / "key"))
    assert "cannot be read" in program_told.refused("anonymise", "private", "--policy", str(tmp_path / "none"))
    assert "is one exchange" in program_told.refused("anonymise", "private/1/2")
    assert "no recording" in program_told.refused("anonymise", "nobody")
    assert "Give one of them" in program_told.refused("anonymise", "private", "-o", str(tmp_path / "x"), "--name", "y")
    assert "the database itself" in program_told.refused("anonymise", "private", "-o", str(program_told.db))
    assert len(program_told.json("ls")["recordings"]) == 1


def test_what_was_not_kept_stays_so(weeded: Program) -> None:
    """Its hash is that of something else."""
    weeded.lines("anonymise", "weeded")
    before, after = everything(weeded, "weeded"), everything(weeded, "anonymised")
    old, new = (next(line for line in text.splitlines() if line.startswith("unkept ")) for text in (before, after))
    assert old.split("sha256=")[0] == new.split("sha256=")[0]
    assert old != new
    assert weeded("check").exit_code == 0


def test_holes_and_raw_bytes(program: Program) -> None:
    """What nobody understands is replaced, too; a session that tells everything is one afterwards."""
    records = told()
    at = next(index for index, record in enumerate(records) if isinstance(record, Piece) and record.literal)
    del records[at]
    recorded(program.db, records, name="torn")
    (program.db.with_name("known")).write_bytes(b"k" * 32)
    (program.db.with_name("known")).chmod(0o600)
    program.lines("anonymise", "torn", *known(program))
    text = everything(program, "anonymised")
    assert "tells=everything" in text
    assert [word for word in PRIVATE if word in text.lower()] == []


def test_nothing_of_a_failed_one_stays(program_told: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("imaptap.privacy.run._exchange", fail)
    monkeypatch.setattr("imaptap.privacy.streams.Rewritten.take", fail)
    assert program_told("anonymise", "private").exit_code == 130
    assert len(program_told.json("ls")["recordings"]) == 1


def test_the_copy_does_not_replace_what_it_is_made_of(program: Program, tmp_path: Path) -> None:
    file = tmp_path / "private.cassette"
    text = "imaptap cassette 1\nS: * OK smith\n"
    file.write_text(text)
    assert "what is to be copied" in program.refused("anonymise", str(file), "-o", str(file))
    assert file.read_text() == text


def test_what_imaptap_says_of_an_import_can_still_be_read(program: Program, tmp_path: Path) -> None:
    """But for names of files: these are somebody's."""
    log = tmp_path / "zaunkoenig.txt"
    log.write_text("C: a1 LOGIN ottilie geheim\nS: a1 OK done\nC: a2 NOOP\nS: a2 OK done\n")
    program.lines("import", str(log))
    program.lines("anonymise", "last", "--name", "safe")
    shown = program("show", "safe/1").stdout
    assert "# unknown to unknown, server unknown" in shown
    assert "; there are no times; line ends are taken for CRLF" in shown
    assert "the log does not say who closed the connection" in shown
    assert "zaunkoenig" not in shown
