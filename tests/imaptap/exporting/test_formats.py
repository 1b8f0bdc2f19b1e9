"""What every format is held to: documented, refuses what it does not know, masks secrets, inert, in little memory."""

from __future__ import annotations

import re
from dataclasses import fields
from typing import TYPE_CHECKING

import pytest

from imaptap.exporting.formats import FORMATS, Kind, Level
from imaptap.exporting.settings import OPTIONS, Settings
from tests.imaptap.exporting.exported import (
    EVIL,
    PASSWORD,
    all_bytes,
    big,
    export,
    hostile,
    open_store,
    peak,
    recorded,
)
from tests.imaptap.telling import typed_session
from tests.need import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from imaptap.exporting.formats import Format
    from storage import Store
    from tests.imaptap.cli.conftest import Program

EVERY = pytest.mark.parametrize("form", FORMATS.values(), ids=lambda form: form.name)
MEMORY_MOST = 45_000_000
"""Of a recording of 60 MB: what is read at once (a body of a megabyte), and what waits for a writer."""


@pytest.fixture
def store(tmp_path: Path) -> Store:
    recorded(tmp_path / "imaptap.db", hostile(), hostile(2), name="evil")
    with open_store(tmp_path / "imaptap.db", create=False) as opened:
        yield opened


def words(form: Format, output: Path | None = None) -> list[str]:
    """What has to be typed at least."""
    needed = [word for name in form.needs for word in OPTIONS[name].example.split(" or ")[0].split()]
    return ["--format", form.name, *needed, *(["-o", str(output)] if output else [])]


def address(form: Format) -> str:
    return "evil" if Level.RECORDING in form.levels else "evil/1"


@EVERY
def test_it_is_described(form: Format) -> None:
    page = (ROOT / "docs" / "export.md").read_text()
    row = re.search(rf"^\| \[`{form.name}`\]\(([^)]*)\) \|.*\|$", page, re.MULTILINE)
    assert row, f"docs/export.md has no row for {form.name}"
    for name in form.options:
        assert OPTIONS[name].name in row[0], f"the row of {form.name} does not name {OPTIONS[name].name}"
    assert f"`{form.name}`" in (ROOT / "docs" / "cli.md").read_text()
    if row[1].startswith("#"):
        assert f"\n## {row[1][1:]}\n" in page
    assert form.help
    assert set(form.needs) <= set(form.options) <= {each.name for each in fields(Settings)}


def test_every_setting_is_an_option() -> None:
    assert set(OPTIONS) == {each.name for each in fields(Settings)}


@EVERY
def test_what_it_does_not_know_is_refused(form: Format, hostile_program: Program, tmp_path: Path) -> None:
    """In one sentence that names the option and who has it; nothing is written."""
    output = tmp_path / "out"
    for name, option in OPTIONS.items():
        if name not in form.options:
            said = hostile_program.refused(
                "export", address(form), *words(form, output), *option.example.split(" or ")[0].split()
            )
            assert f"{option.name} is not for --format {form.name}." in said
    for name in form.needs:
        said = hostile_program.refused("export", address(form), "--format", form.name, "-o", str(output))
        assert f"--format {form.name} needs {OPTIONS[name].name}." in said
    said = hostile_program.refused("export", "nothing", *words(form, output))
    assert "nothing" in said
    assert not output.exists()


@EVERY
def test_it_is_written_whole_or_not_at_all(
    form: Format, hostile_program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is there already stays, and nothing is left beside it."""
    output = tmp_path / "out"
    if form.kind is not Kind.FOLDER:
        output.write_text("precious")

    def broken(*_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(type(form), "writer", lambda _: broken)
    before = sorted(path.name for path in tmp_path.iterdir())
    assert hostile_program("export", address(form), *words(form, output)).exit_code == 130
    assert sorted(path.name for path in tmp_path.iterdir()) == before
    assert form.kind is Kind.FOLDER or output.read_text() == "precious"


@EVERY
def test_it_is_for_its_owner(form: Format, hostile_program: Program, tmp_path: Path) -> None:
    output = tmp_path / "out"
    assert hostile_program("export", address(form), *words(form, output)).exit_code == 0
    assert output.stat().st_mode & 0o077 == 0
    assert all_bytes(output)


@EVERY
def test_secrets_are_masked(form: Format, store: Store, tmp_path: Path) -> None:
    data, _ = export(store, form.name, "evil", session=None if Level.RECORDING in form.levels else 1, folder=tmp_path)
    assert data
    assert PASSWORD.encode() not in data


@EVERY
def test_text_is_inert(form: Format, store: Store, tmp_path: Path) -> None:
    """No terminal obeys it: nothing but printable characters and line feeds."""
    if form.kind is not Kind.TEXT:
        return
    data, missing = export(store, form.name, "evil", folder=tmp_path)
    text = data.decode()
    assert missing == 0
    assert {character for character in text if not character.isprintable()} <= {"\n"}
    assert "owned" in text
    assert EVIL not in text


@pytest.fixture(scope="module")
def much(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with a large recording."""
    db = tmp_path_factory.mktemp("big") / "imaptap.db"
    recorded(db, big(), name="big")
    return db


@EVERY
def test_it_takes_little_memory(form: Format, much: Path, tmp_path: Path) -> None:
    with open_store(much, create=False) as opened:
        assert peak(opened, form.name, tmp_path) < MEMORY_MOST


@EVERY
def test_what_was_not_kept_is_told(form: Format, tmp_path: Path, program: Program) -> None:
    """By the exit code, where the format needs those bytes; and nothing else is made up for them."""
    recorded(program.db, typed_session(), name="weeded", max_literal=5000)
    where = "weeded" if Level.RECORDING in form.levels else "weeded/1"
    done = program("export", where, *words(form, tmp_path / "out"))
    assert done.exit_code in {0, 1}
    assert (done.exit_code == 1) == bool(done.stderr)
    assert b"Line 7 of a letter" not in all_bytes(tmp_path / "out") if (tmp_path / "out").exists() else True


@EVERY
def test_one_exchange_and_a_filter(form: Format, hostile_program: Program, tmp_path: Path) -> None:
    """What was said in others is not there."""
    if Level.EXCHANGE in form.levels:
        assert hostile_program("export", "evil/1/5", *words(form, tmp_path / "one")).exit_code in {0, 2}
    if form.filters:
        done = hostile_program("export", "evil/1", "--filter", "cmd:LOGOUT", *words(form, tmp_path / "some"))
        assert done.exit_code in {0, 2}
        if done.exit_code == 0:
            assert b"XYZZY" not in all_bytes(tmp_path / "some")


@pytest.fixture
def hostile_program(program: Program) -> Program:
    recorded(program.db, hostile(), hostile(2), name="evil")
    return program
