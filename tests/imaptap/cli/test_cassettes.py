"""Cassettes on the command line: written, read, and in place of recordings."""

from __future__ import annotations

import stat
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.imaptap.telling import LETTER, Tale, recorded

if TYPE_CHECKING:
    from tests.imaptap.cli.conftest import Program

BY_HAND = """imaptap cassette 1
S: * OK ready
C: b1 LOGIN {{user:bob}} {{password:open sesame}}
S: b1 OK done
C: b2 NOOP
S: b2 NO [ALERT] not now
"""


@pytest.fixture
def by_hand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a cassette in the folder where we are."""
    monkeypatch.chdir(tmp_path)
    Path("hand.cassette").write_text(BY_HAND)
    return "hand.cassette"


def test_out_and_in_again(two: Program, tmp_path: Path) -> None:
    """Into a file and to stdout alike; what is imported is called as the file."""
    file = tmp_path / "again.cassette"
    assert two.lines("export", "typed", "--format", "cassette", "-o", str(file)) == []
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    text = file.read_text()
    assert two("export", "typed", "--format", "cassette").stdout == text
    assert "open sesame" not in text
    lines = LETTER.decode().splitlines()
    assert sum(f"S| {line}\n" in text for line in lines) == len(lines) - 1  # one came in two chunks
    said = two.lines("import", str(file))
    assert said == [f"Imported {file} as 3  again: 2 sessions, 5 exchanges"]
    assert two("export", "again", "--format", "cassette").stdout == text
    assert two.lines("check")[-1].endswith("Nothing is wrong.")
    assert two("diff", "typed", "again").exit_code == 0
    assert two.lines("show", "again/1") == [line.replace("typed", "again") for line in two.lines("show", "typed/1")]


def test_one_session_and_no_exchange(two: Program) -> None:
    text = two("export", "typed/2", "--format", "cassette").stdout
    assert text.count("\nsession number=2 ") == text.count("\nsession ") == 1
    said = two.refused("export", "typed/1/2", "--format", "cassette")
    assert "Export its session: typed/1." in said


@pytest.mark.parametrize("words", [("--side", "client"), ("--as", "sent"), ("--filter", "cmd:NOOP")])
def test_what_only_streams_have(two: Program, words: tuple[str, str]) -> None:
    assert "--format raw" in two.refused("export", "typed/1", "--format", "cassette", *words)


def test_a_stream_needs_its_side(two: Program) -> None:
    assert "--side client" in two.refused("export", "typed/1")


def test_commands_take_a_file_in_place_of_a_recording(program: Program, by_hand: str) -> None:
    """There is no database at all."""
    assert program.lines("show", f"{by_hand}/1/2")[1:] == ["C: b2 NOOP", "S: b2 NO [ALERT] not now"]
    assert program.lines("show", f"./{by_hand}/last/last")[1:] == program.lines("show", f"{by_hand}/1/2")[1:]
    assert "LOGIN bob <masked login>" in program("show", f"{by_hand}/1").stdout
    assert [each["session"] for each in program.json("ls", by_hand)["sessions"]] == [1]
    assert program.json("stats", by_hand)["all"]["count"] == 2
    assert program("lint", by_hand).exit_code in {0, 1}
    assert program.lines("portrait", f"{by_hand}/1")[0].startswith("# portrait of hand/1,")
    assert (
        program("export", f"{by_hand}/1", "--side", "client").stdout_bytes == b"b1 LOGIN bob xxxxxxxxxxx\r\nb2 NOOP\r\n"
    )
    assert not program.db.exists()


def test_a_date_beyond_all_calendars_is_shown_as_their_last(program: Program, by_hand: str) -> None:
    Path(by_hand).write_text(BY_HAND.replace("\n", "\nsession opened=999999999999999999\n", 1))
    assert " 9998-0" in program("show", f"{by_hand}/1").stdout.splitlines()[0]
    assert "9998" in program("ls", by_hand).stdout


def test_nothing_is_left_behind(program: Program, by_hand: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the store that the cassette was read into, whether it was sound or not."""
    folder = Path("temporary").absolute()
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    program.lines("show", by_hand)
    Path(by_hand).write_text(BY_HAND + "C: {{x")
    program.refused("show", by_hand)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("sides", [("hand.cassette", "short"), ("short/1", "hand.cassette/1")])
def test_a_cassette_compared_with_a_recording(two: Program, by_hand: str, sides: tuple[str, str]) -> None:
    recorded(two.db, Tale().say(BY_HAND_AGAIN).end(), name="equal")
    assert two("diff", *sides).exit_code == 1
    same = tuple(side.replace("short", "equal") for side in sides)
    done = two("diff", *same)
    assert done.exit_code == 0
    assert "Equal" in done.stdout
    assert two("diff", by_hand, by_hand).exit_code == 0
    assert two("diff", *same, "--noise", by_hand).exit_code == 0
    assert len(two.json("ls")["recordings"]) == 3


BY_HAND_AGAIN = "S: * OK ready\nC: x LOGIN bob sesame\nS: x OK done\nC: y NOOP\nS: y NO [ALERT] not now"


def test_portraits_of_both(two: Program, by_hand: str) -> None:
    assert two("portrait", by_hand, "--against", "short").exit_code == 0
    assert two("portrait", "short", "--against", by_hand).exit_code == 0


def test_a_wrong_one_is_refused_with_its_place(program: Program, by_hand: str) -> None:
    Path(by_hand).write_text(BY_HAND.replace("{{user:bob}}", "{{user:bob}"))
    for words in (("show", by_hand), ("diff", by_hand, by_hand), ("import", by_hand), ("ls", f"{by_hand}")):
        said = program.refused(*words)
        assert said.startswith(f"imaptap: {by_hand}: The cassette cannot be read at line 3, column 13: ")
    assert program.json("ls")["recordings"] == []


def test_of_several_files_the_wrong_one_is_named(program: Program, by_hand: str) -> None:
    Path("wrong.cassette").write_text(BY_HAND + "C: {{x")
    assert "imaptap: wrong.cassette: The cassette" in program("import", by_hand, "wrong.cassette").stderr


def test_a_command_that_reads_no_cassettes_says_so(two: Program, by_hand: str) -> None:
    """Where the file is there, that no recording has its name would be no help."""
    for words in (("tail", by_hand), ("check", by_hand), ("show", "nowhere.cassette")):
        said = two.refused(*words)
        assert "no such cassette that this command reads" in said
        assert "imaptap import" in said


def test_a_file_that_is_no_cassette_is_said_to_be_one(two: Program, by_hand: str) -> None:
    folder = Path(by_hand).parent
    for name in (f"{folder / 'log.txt'}", "./log.txt", "log.txt"):
        (folder / "log.txt").write_text("* OK ready")
        for words in (("show", f"{name}"), ("show", f"{name}/1"), ("ls", name), ("diff", name, name)):
            said = two.refused(*words)
            assert f"with the name '{name}', and the file is no cassette" in said
            assert "imaptap import" in said
            assert "--db" in said


@pytest.mark.parametrize("name", ["x" * 300, "x/" * 3000 + "x"])
def test_a_name_that_no_file_can_have(two: Program, name: str) -> None:
    for words in (("show", name), ("ls", name), ("diff", name, name)):
        two.refused(*words)


def test_settings_that_nobody_wrote_down_are_no_line(program: Program, by_hand: str) -> None:
    assert "#" not in [line.strip() for line in program.lines("show", by_hand)]


def test_files_that_cannot_be_imported(program: Program, by_hand: str) -> None:
    Path("letter").write_text("Hello")
    assert "letter is of no format that is known" in program.refused("import", by_hand, "letter")
    Path("empty").touch()
    assert "empty is empty" in program.refused("import", "empty")
    Path("taps").write_bytes(b"SQLite format 3\0" + bytes(84))
    assert "imaptap ls --db taps" in program.refused("import", "taps")
    assert "nowhere cannot be read" in program.refused("import", "nowhere")
    assert "--name is for one recording" in program.refused("import", by_hand, by_hand, "--name", "x")
    assert not program.db.exists()


def test_names(program: Program, by_hand: str) -> None:
    """As the file, or as wished; by the time where a file's name is none for a recording."""
    Path("7.cassette").write_text(BY_HAND)
    program.lines("import", by_hand)
    assert "a recording named 'hand'" in program.refused("import", by_hand)
    program.lines("import", by_hand, "--name", "other")
    program.lines("import", "7.cassette")
    names = [each["name"] for each in program.json("ls")["recordings"]]
    assert names[:2] == ["hand", "other"]
    assert names[2].startswith("20")


def test_a_recording_that_is_called_as_a_file_that_is_no_cassette(two: Program, by_hand: str) -> None:
    Path("typed").write_text("no cassette")
    assert two("show", "typed").exit_code == 0
    assert "no recording" in two.refused("show", "nowhere.cassette")
