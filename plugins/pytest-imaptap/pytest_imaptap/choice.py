"""Which file a test's server is made of, and whether it is recorded or served: from its marker and the options."""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_imaptap.values import CassetteError, Mode

if TYPE_CHECKING:
    import argparse

    import pytest

MARKER = "imap_cassette"
FOLDER = "cassettes"
USER = "user"
"""Who logs in where nobody has said."""

_UNFIT = re.compile(r"[^\w.]+")
_USER_LINE = re.compile(r"^# user: (.*\S)$", re.MULTILINE)
_FORM = 'Write @pytest.mark.imap_cassette("FILE", mode="none|once|all", user="NAME", strict=True); all may be left out.'


@dataclass(frozen=True, slots=True)
class Choice:
    """`strict`: commands that match nothing make a test fail that has passed. No `upstream`: the file is served."""

    file: Path
    user: str
    strict: bool
    upstream: str | None = None
    upstream_ca: Path | None = None


@dataclass(frozen=True, slots=True)
class _Marked:
    """The marker's words."""

    file: str | Path | None = None
    mode: str | None = None
    user: str | None = None
    strict: bool = True


def choose(module: Path, test: str, marker: pytest.Mark | None, options: argparse.Namespace) -> Choice:
    """What is to be done for a test, which is named as in its node id.

    Raises CassetteError where that cannot be: a wrong marker, no file, no server.
    """
    marked = _marked(marker)
    file = module.parent / marked.file if marked.file else default_file(module, test)
    mode = _mode(options.imap_mode or marked.mode or Mode.ONCE)
    if mode is Mode.NONE or (mode is Mode.ONCE and file.exists()):
        if not file.is_file():
            raise CassetteError(
                f"There is no cassette {file}, and with mode 'none' it is not recorded.",
                "Record it: --imap-mode once --imap-upstream imaps://HOST.",
            )
        return Choice(file, marked.user or _user(file), marked.strict)
    if not options.imap_upstream:
        missing = f"The cassette {file} is to be recorded" if file.exists() else f"There is no cassette {file}"
        raise CassetteError(f"{missing}, and no server is given.", "Give the server: --imap-upstream imaps://HOST.")
    user = marked.user or options.imap_user or USER
    return Choice(file, user, marked.strict, options.imap_upstream, options.imap_upstream_ca)


def default_file(module: Path, test: str) -> Path:
    """`cassettes/MODULE/TEST.cassette` beside the test's module; a class stands before its test."""
    name = _UNFIT.sub("-", test.replace("::", ".")).strip("-")
    return module.parent / FOLDER / module.stem / f"{name}.cassette"


def signed(cassette: str, user: str) -> str:
    """The text of a cassette with a comment that says who logs in: what a client says of it may be masked."""
    first, end, rest = cassette.partition("\n")
    return f"{first}{end}# user: {user}\n{rest}"


def _user(file: Path) -> str:
    with contextlib.suppress(OSError):  # `imaptap serve` will say so
        found = _USER_LINE.search(file.read_text(encoding="utf-8", errors="replace"))
        return found[1] if found else USER
    return USER


def _marked(marker: pytest.Mark | None) -> _Marked:
    try:
        return _Marked(*marker.args, **marker.kwargs) if marker else _Marked()
    except TypeError as error:
        reason = str(error).removeprefix("_Marked.__init__() ")
        raise CassetteError(f"The marker {MARKER} cannot be read: {reason}.", _FORM) from error


def _mode(said: str) -> Mode:
    try:
        return Mode(said)
    except ValueError as error:
        raise CassetteError(f"The marker {MARKER} has no mode {said!r}.", _FORM) from error
