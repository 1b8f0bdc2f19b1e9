"""requirements/: what `make` installs is named to the byte, fits pyproject.toml, and needs no registry of its own."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from typing import TYPE_CHECKING

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.need import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

FILES = sorted(file.name for file in (ROOT / "requirements").glob("*.txt"))
CONTENTS = {
    "demo.txt": ("", "build"),
    "test.txt": ("", "postgres", "build", "test"),
    "check.txt": ("", "postgres", "build", "check"),
    "lock.txt": ("lock",),
    "fuzz.txt": ("fuzz",),
    "pip.txt": (),
}
"""The tables of pyproject.toml that a file answers for; "" stands for the package's own dependencies."""
HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


@cache
def pins(name: str) -> dict[str, Requirement]:
    """What a file pins, by name."""
    found = dict[str, Requirement]()
    for entry in entries(name):
        requirement = Requirement(HASH.sub("", entry).replace("\\", "").strip())
        found[canonicalize_name(requirement.name)] = requirement
    return found


def entries(name: str) -> Iterator[str]:
    """Each requirement of a file with the lines that belong to it."""
    text = (ROOT / "requirements" / name).read_text()
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    yield from re.findall(r"^\S.*(?:\n[ \t].*)*", "\n".join(lines), re.MULTILINE)


def asked(table: str) -> Iterator[Requirement]:
    """What a table of pyproject.toml asks for, with what it includes."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    groups, extras = project["dependency-groups"], project["project"]["optional-dependencies"]
    for entry in groups.get(table) or extras.get(table) or project["project"]["dependencies"]:
        if isinstance(entry, str):
            yield Requirement(entry)
        else:
            yield from asked(entry["include-group"])


def test_the_files_are_those_that_are_known() -> None:
    assert set(FILES) == set(CONTENTS)


@pytest.mark.parametrize("name", FILES)
def test_every_entry_has_one_version_and_hashes(name: str) -> None:
    """Or pip would not take the file with --require-hashes."""
    assert pins(name)
    for entry in entries(name):
        assert HASH.search(entry), entry
        requirement = Requirement(HASH.sub("", entry).replace("\\", "").strip())
        [specifier] = requirement.specifier
        assert specifier.operator == "==", entry
        assert requirement.url is None, entry


@pytest.mark.parametrize("name", FILES)
def test_no_file_names_a_registry(name: str) -> None:
    """Whoever installs has their own."""
    text = (ROOT / "requirements" / name).read_text()
    assert "://" not in text
    assert not re.search(r"^\s*--(?!hash=)", text, re.MULTILINE)


@pytest.mark.parametrize(("name", "table"), [(name, table) for name, tables in CONTENTS.items() for table in tables])
def test_the_versions_are_those_that_pyproject_allows(name: str, table: str) -> None:
    """If this fails: `make lock`."""
    wanted = list(asked(table))
    assert wanted
    for requirement in wanted:
        pin = pins(name).get(canonicalize_name(requirement.name))
        assert pin is not None, f"{requirement} is not in requirements/{name}: run `make lock`"
        [specifier] = pin.specifier
        assert requirement.specifier.contains(specifier.version, prereleases=True), f"{pin}: run `make lock`"


@pytest.mark.parametrize("name", ["demo.txt", "test.txt", "lock.txt", "fuzz.txt"])
def test_one_environment_serves_all_targets(name: str) -> None:
    """The same versions everywhere, so that `make test` takes nothing back that `make check` has installed."""
    widest = pins("check.txt")
    for package, pin in pins(name).items():
        if name not in {"lock.txt", "fuzz.txt"}:
            assert package in widest
        assert str(widest.get(package, pin).specifier) == str(pin.specifier)
