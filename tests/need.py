"""What a test asks the machine for: programs, and the wide test material that may lie beside the repository."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
NOT_HERE = "not installed here: "
"""How a skip reason of `need` begins; the end of a run counts these by program."""


def search_path() -> str:
    """Where programs are looked for: PATH, and the folders of servers that are in nobody's PATH."""
    postgres = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin", *map(str, postgres)])


def need(program: str) -> str:
    """The path of `program`. Where it is missing the test is skipped, but in CI it fails: no server, no proof."""
    if path := shutil.which(program, path=search_path()):
        return path
    return absent(program)


def absent(what: str) -> str:
    """Something the test needs is not to be had: skipped here, a failure in CI."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{what} is not installed, and CI=true: see `make test`", pytrace=False)
    pytest.skip(NOT_HERE + what)


def shared() -> Path | None:
    """The folder beside the repository with more servers, clients and wire data, where there is one."""
    folder = ROOT.parent / "shared"
    return folder if (folder / "testbed" / "install.sh").is_file() else None
