"""`imaptap rm` and `imaptap prune`."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import click
import pytest

from imaptap.cli.amounts import Duration, Size
from storage import Writer, open_store

if TYPE_CHECKING:
    from tests.imaptap.cli.conftest import Program


def names(program: Program) -> list[str]:
    return [each["name"] for each in program.json("ls")["recordings"]]


def test_rm_asks(two: Program) -> None:
    done = two("rm", "typed", answer="n\n")
    assert (done.exit_code, names(two)) == (1, ["typed", "short"])
    assert "typed" in done.stderr
    assert "2 sessions, 5 exchanges" in done.stderr
    assert done.stderr.endswith("imaptap: Nothing was removed.\nAnswer y, or give --yes.\n")
    assert two("rm", "typed", answer="y\n").exit_code == 0
    assert names(two) == ["short"]


def test_rm_with_nobody_to_ask(two: Program) -> None:
    assert two("rm", "typed", answer="").exit_code == 1
    assert names(two) == ["typed", "short"]


def test_rm_yes(two: Program) -> None:
    (line,) = two.lines("rm", "-y", "1")
    assert line.startswith("Removed typed: ")
    assert two.lines("rm", "--yes", "short", "2", "last")[0].startswith("Removed short: ")
    assert names(two) == []


def test_rm_removes_all_or_none(two: Program) -> None:
    assert "'nothing'" in two.refused("rm", "-y", "typed", "nothing")
    assert names(two) == ["typed", "short"]


def test_rm_of_what_is_being_recorded(program: Program) -> None:
    with open_store(program.db, create=True) as store:
        writer = Writer(store, "now")
        try:
            assert "still being recorded" in program.refused("rm", "-y", "now")
        finally:
            writer.close()


def test_prune_by_age(two: Program) -> None:
    with closing(sqlite3.connect(two.db)) as database:
        database.execute("UPDATE recording SET started = started - 40 * 86400000000 WHERE name = 'typed'")
        database.commit()
    (line,) = two.lines("prune", "--older-than", "30d", "--dry-run")
    assert line.startswith("would remove  1  typed  ")
    assert names(two) == ["typed", "short"]
    assert two.lines("prune", "--older-than", "60d", "--dry-run") == ["Nothing to remove."]
    assert two.lines("prune", "--older-than", "30d")[0].startswith("Removed typed: ")
    assert two.lines("prune", "--older-than", "30d")[0].startswith("Removed nothing: ")
    assert names(two) == ["short"]


def test_prune_by_size(two: Program) -> None:
    assert two.lines("prune", "--max-size", "1G")[0].startswith("Removed nothing: ")
    foretold = two.lines("prune", "--max-size", "1K", "--dry-run")
    assert [line.split("  ")[:3:2] for line in foretold] == [
        ["if more than 1.0 kB are left", name] for name in ("typed", "short")
    ]
    assert two.lines("prune", "--max-size", "0")[0].startswith("Removed typed, short: ")


def test_prune_wants_to_know_what(two: Program) -> None:
    assert "--older-than" in two.refused("prune")
    for words in (("--older-than", "soon"), ("--max-size", "-1")):
        assert two("prune", *words).exit_code == 2


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("1.5m", 90), ("2h", 7200), ("30d", 2592000), ("8w", 4838400)]
)
def test_durations(text: str, seconds: float) -> None:
    assert Duration().convert(text, None, None) == seconds


@pytest.mark.parametrize(
    ("text", "size"), [("0", 0), ("500", 500), ("1k", 1000), ("1.5G", 1500000000), ("2TB", 2 * 10**12)]
)
def test_sizes(text: str, size: int) -> None:
    assert Size().convert(text, None, None) == size


@pytest.mark.parametrize("text", ["", "d", "30", "-1d", "1e9d", "9" * 400 + "d", "3 d", "\u0663d", "1d\n"])
def test_no_duration(text: str) -> None:
    with pytest.raises(click.BadParameter, match="no duration"):
        Duration().convert(text, None, None)


@pytest.mark.parametrize("text", ["", "G", "-1G", "1P", "9" * 400, "\u0663G"])
def test_no_size(text: str) -> None:
    with pytest.raises(click.BadParameter, match="no size"):
        Size().convert(text, None, None)


def test_a_recording_with_a_letter_that_was_not_kept(weeded: Program) -> None:
    assert weeded("rm", "--yes", "weeded").exit_code == 0
    assert weeded.lines("check") == ["# recordings: 0, sessions: 0, bodies: 0. Nothing is wrong."]
