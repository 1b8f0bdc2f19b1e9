"""`imaptap import` of logs: found by looking, forced, refused, broken."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from imaptap.cli.export_progress import ExportProgress
from tests.imaptap.cli.conftest import Program
from tests.imaptap.telling import recorded, typed_session

if TYPE_CHECKING:
    from pathlib import Path

TYPED = "* OK hi\na login bob open-sesame\na OK in\nb noop\nb OK\n"
IN = "1700000000.000000 a NOOP\r\n"
OUT = "1700000001.000000 a OK\r\n"


def _file(folder: Path, name: str, text: str) -> str:
    (folder / name).write_bytes(text.encode())
    return str(folder / name)


def test_what_it_is_is_found(program: Program, tmp_path: Path) -> None:
    path = _file(tmp_path, "typed.txt", TYPED)
    assert program.lines("import", path) == [f"Imported {path} as 1  typed: 1 session, 2 exchanges, transcript"]
    assert program.lines("check")[-1].endswith("Nothing is wrong.")
    shown = program("show", "typed/1").stdout
    assert "open-sesame" not in shown
    assert (
        f"# notice: imported: transcript {path}; there are no times; line ends are taken for CRLF; whether TLS" in shown
    )
    assert program.lines("show", "typed")[1] == f"# imported from transcript {path}"


def test_the_first_thing_that_somebody_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their data folder is not there yet: it is made, and only they can look into it."""
    home = tmp_path / "home"
    monkeypatch.setenv("IMAPTAP_HOME", str(home))
    own = Program(home / "imaptap.db")
    assert own.lines("import", _file(tmp_path, "typed.txt", TYPED))
    assert home.stat().st_mode & 0o777 == 0o700
    elsewhere = Program(tmp_path / "nowhere" / "x.db")
    assert "does not exist" in elsewhere.refused("import", _file(tmp_path, "typed.txt", TYPED))


def test_ls_says_so(program: Program, tmp_path: Path) -> None:
    path = _file(tmp_path, "typed.txt", TYPED)
    program.lines("import", path)
    assert "ended, imported" in program.lines("ls")[1]
    assert program.json("ls")["recordings"][0]["imported"] == f"transcript {path}"


LETTER = "Subject: topicword\n\nbodyword"
ASKED = f"S: * PREAUTH hi\nC: a FETCH 1 BODY[]\nS: * 1 FETCH (BODY[] {{{len(LETTER) + 2}}}\n"
SAID = {
    "typed.txt": f"* PREAUTH hi\na fetch 1 body[]\n* 1 FETCH (BODY[] {{{len(LETTER) + 2}}}\n{LETTER})\na OK\n",
    "marked.txt": f"{ASKED}S: Subject: topicword\nS: \nS: bodyword)\nS: a OK\n",
    "hand.cassette": f"imaptap cassette 1\n{ASKED}S| Subject: topicword\nS|\nS| bodyword{{{{-}}}}\nS: )\nS: a OK\n",
}


@pytest.mark.parametrize("name", SAID)
@pytest.mark.parametrize("policy", ["full", "headers", "none", "hash"])
def test_what_is_kept_of_letters(program: Program, tmp_path: Path, name: str, policy: str) -> None:
    """As when it is recorded; `ls` says so."""
    path = _file(tmp_path, name, SAID[name])
    program.lines("import", path, "--bodies", policy)
    file = program.db.read_bytes()
    assert (b"bodyword" in file, b"topicword" in file) == (policy == "full", policy in {"full", "headers"})
    assert (f"bodies: {policy}" in program.lines("ls")[1]) == (policy != "full")
    only = program.json("ls")["recordings"][0]
    assert only["bodies"] == policy
    assert "--bodies" not in (only["imported"] or "")
    assert program.lines("check")[-1].endswith("Nothing is wrong.")


def test_what_is_kept_of_letters_in_our_own_formats(program: Program, tmp_path: Path) -> None:
    """Also where they tell everything."""
    recorded(program.db, typed_session(), name="typed")
    for form in ("cassette", "ndjson", "text"):
        path = str(tmp_path / f"own.{form}")
        program.lines("export", "typed", "--format", form, "-o", path)
        program.lines("import", path, "--bodies", "none", "--name", form)
        assert "of a letter." not in "\n".join(program.lines("show", f"{form}/1", "--bodies"))
        assert program.json("show", f"{form}/1")["exchanges"][2]["command"] == "FETCH"
    assert program.lines("check")[-1].endswith("Nothing is wrong.")


def test_recorded_ones_are_not_imported(two: Program) -> None:
    assert [each["imported"] for each in two.json("ls")["recordings"]] == [None, None]


def test_rawlogs_together_are_one_recording(program: Program, tmp_path: Path) -> None:
    """Whatever stands between them on the command line."""
    files = [_file(tmp_path, "x.in", IN), _file(tmp_path, "typed.txt", TYPED), _file(tmp_path, "x.out", OUT)]
    assert program.lines("import", *files) == [
        f"Imported {files[0]} and 1 more file as 1  x: 1 session, 1 exchange, Dovecot rawlog",
        f"Imported {files[1]} as 2  typed: 1 session, 2 exchanges, transcript",
    ]
    assert "--name is for one recording." in program.refused("import", *files, "--name", "y")
    assert program.lines("import", files[0], files[2], "--name", "y")[0].startswith(
        f"Imported {files[0]} and 1 more file as 3  y:"
    )


def test_the_empty_rawlog_of_a_silent_side(program: Program, tmp_path: Path) -> None:
    """Of a server that says BYE at once, Dovecot and our own export have one."""
    files = [_file(tmp_path, "y.in", ""), _file(tmp_path, "y.out", "1700000009.000000 * BYE\r\n")]
    files += [_file(tmp_path, "x.in", IN), _file(tmp_path, "x.out", OUT)]
    assert program.lines("import", *files)[0].endswith("2 sessions, 1 exchange, Dovecot rawlog")
    assert "C: a NOOP" in program.lines("show", "y/1"), "it is the older one"


def test_a_format_can_be_forced(program: Program, tmp_path: Path) -> None:
    path = _file(tmp_path, "x", "C: a NOOP\nS: a OK\n")
    assert program.lines("import", path, "--format", "mailkit")[0].endswith(
        "1 session, 1 exchange, MailKit protocol log"
    )
    said = program.refused("import", path, "--format", "rawlog", "--name", "z")
    assert said.startswith(
        f"imaptap: There is no IMAP session in {path} as a Dovecot rawlog: x at line 1: the line does"
    )
    assert "The cassette cannot be read at line 1" in program.refused(
        "import", path, "--format", "cassette", "--name", "z"
    )
    assert len(program.json("ls")["recordings"]) == 1


def test_what_is_nothing_is_refused_before_anything_is_written(program: Program, tmp_path: Path) -> None:
    typed, letter = _file(tmp_path, "typed.txt", TYPED), _file(tmp_path, "letter", "From: me\n\nhello\n")
    assert f"{letter} is of no format that is known." in program.refused("import", typed, letter)
    assert not program.db.exists()


def test_a_broken_one_is_imported_up_to_there(program: Program, tmp_path: Path) -> None:
    path = _file(tmp_path, "x.in", IN + "\x1b[2J\r\n")
    done = program("import", path)
    assert done.exit_code == 1
    assert done.stdout == f"Imported {path} as 1  x: 1 session, 1 exchange, Dovecot rawlog\n"
    assert done.stderr.splitlines() == [
        "imaptap: x.in at line 2: the line does not begin with a time",
        "What stands before that was imported.",
    ]
    assert "# notice: stopped: x.in at line 2: the line does not begin with a time" in program.lines("show", "x")


@pytest.mark.parametrize("name", ["missing", "."])
def test_what_cannot_be_read(program: Program, tmp_path: Path, name: str) -> None:
    assert "cannot be read" in program.refused("import", str(tmp_path / name))


def test_keys_are_for_captures(program: Program, tmp_path: Path) -> None:
    typed = _file(tmp_path, "typed.txt", TYPED)
    assert "--keylog is for packet captures." in program.refused("import", typed, "--keylog", typed)
    assert "cannot be read" in program.refused("import", typed, "--keylog", str(tmp_path / "none"))


def test_without_tshark(program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.pcap"
    path.write_bytes(bytes.fromhex("d4c3b2a1") + bytes(20))
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "tshark, which is not installed" in program.refused("import", str(path))
    assert program.json("ls")["recordings"] == []


@pytest.mark.parametrize("form", ["cassette", "ndjson", "text", "mailkit"])
def test_ctrl_c_leaves_nothing_of_that_file(
    form: str, program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was whole before that stays. The progress bar is told of each part of the file."""
    recorded(program.db, typed_session(), name="x")
    path = tmp_path / f"y.{form}"
    program("export", "x", "--format", form, "-o", str(path))
    whole = _file(tmp_path, "typed.txt", TYPED)
    done: list[int] = []

    def told(_: object, more: int) -> None:
        done.append(more)
        if path.stat().st_size * 0.8 < sum(done):
            raise KeyboardInterrupt

    monkeypatch.setattr(ExportProgress, "__call__", told)
    assert program("import", whole, str(path)).exit_code == 130
    assert done
    monkeypatch.undo()
    monkeypatch.setenv("TZ", "UTC")
    assert [each["name"] for each in program.json("ls")["recordings"]] == ["x", "typed"]
    assert program.lines("check")[-1].endswith("Nothing is wrong.")
    program.lines("import", str(path))
