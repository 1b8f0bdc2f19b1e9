"""The house: every command is explained, files stay small, and nothing tells of the machine it was made on."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest

from tests.need import ROOT, need

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGES = ("imaptap", "proxy", "storage", "certs", "plugins")
MOST_LINES = 400

TELLTALES = (
    re.escape(f"{ROOT}/"),
    re.escape(f"{Path.home()}/"),
    "file:///",
    r"index-url\s*=",
    r"registry\s*=\s*http",
    "[Cc]o-[Aa]uthored-[Bb]y",
    "[Gg]enerated (?:by|with)",
)
"""Folders of this machine, package registries, and signatures of whoever or whatever wrote a file."""


def tracked() -> list[Path]:
    """Files under version control; in an unpacked source archive there is none, so all that lies there."""
    listed = subprocess.run(
        [need("git"), "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.split("\0")
    files = [ROOT / name for name in listed if name]
    return [file for file in files or ROOT.rglob("*") if file.is_file()]


def commands(group: click.Group | None = None, path: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command]]:
    """Every command with the words that call it."""
    if group is None:
        from imaptap.cli import cli

        group = cli
    for name, command in group.commands.items():
        yield " ".join((*path, name)), command
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))


def test_every_command_and_option_is_explained() -> None:
    """In --help and in docs/cli.md."""
    page = (ROOT / "docs" / "cli.md").read_text()
    named = dict(commands())
    assert "record" in named
    for words, command in named.items():
        assert command.help, f"imaptap {words} has no help"
        assert f"imaptap {words}" in page, f"docs/cli.md does not mention: imaptap {words}"
        for parameter in command.params:
            if not isinstance(parameter, click.Option) or parameter.hidden:
                continue
            longest = max(parameter.opts, key=len)
            assert parameter.help, f"imaptap {words} {longest} has no help"
            assert longest in page, f"docs/cli.md does not mention {longest} of imaptap {words}"


@pytest.mark.parametrize(
    "name",
    ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "LICENSE", "docs/schema.md", "docs/cli.md"],
)
def test_a_person_finds_what_to_read(name: str) -> None:
    """The pages are there and say something."""
    assert len((ROOT / name).read_text()) > 200


def test_links_between_pages_lead_somewhere() -> None:
    """Every relative link in a page names a file that is there."""
    for page in (file for file in tracked() if file.suffix == ".md"):
        for target in re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.relative_to(ROOT)} points to {target}"


def test_files_stay_small() -> None:
    """One job a file: nobody reads further than this."""
    files = [file for package in PACKAGES for file in (ROOT / package).rglob("*.py")]
    assert files
    long = {str(file.relative_to(ROOT)): file.read_text().count("\n") for file in files}
    assert {name: lines for name, lines in long.items() if lines > MOST_LINES} == {}


def test_no_file_tells_of_the_machine_it_was_made_on() -> None:
    """No folder of one machine, no registry's host, no signature."""
    found = list[str]()
    for file in tracked():
        name = file.relative_to(ROOT).as_posix()
        text = file.read_bytes().decode("utf-8", "replace")
        if file != Path(__file__):
            found += [f"{name}: {match[0]}" for match in re.finditer("|".join(TELLTALES), text)]
    assert found == []
