"""The course of one test: a server is recorded, or a cassette is served, and what comes of it when the test is over."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pytest_imaptap.choice import Choice, signed
from pytest_imaptap.program import Program, run
from pytest_imaptap.report import near_misses
from pytest_imaptap.values import CassetteError

if TYPE_CHECKING:
    from pathlib import Path

NO = 1
"""The exit code of `imaptap serve` when commands matched nothing."""

_SAID = re.compile(r"^[CS][:#]", re.MULTILINE)


class Recording:
    """A true server, recorded; `folder` goes away with all that is in it, but for the cassette."""

    def __init__(self, choice: Choice, upstream: str, folder: Path, home: Path) -> None:
        self._choice, self._folder, self._home = choice, folder, home
        self._db = str(folder / "recording.db")
        trust = ("--upstream-ca", str(choice.upstream_ca)) if choice.upstream_ca else ()
        self.program = Program(folder, home, "record", upstream, *trust, "--db", self._db, "--quiet")

    def finish(self, *, passed: bool) -> None:
        """Write the cassette of a test that has passed. Raises CassetteError if it cannot be, or is empty."""
        code = self.program.stop()
        if not passed:
            return
        if code:
            raise CassetteError(f"The recording is not whole: `imaptap record` ended with {code}.", self.program.said())
        exported = self._folder / "exported"
        name = self.program.ready.recording
        run(self._home, "export", name, "--format", "cassette", "--output", str(exported), "--db", self._db)
        text = exported.read_text(encoding="utf-8")
        if not _SAID.search(text):
            raise CassetteError("There is nothing to keep in a cassette.", "Connect to imap_cassette.host in the test.")
        _write(self._choice.file, signed(text, self._choice.user))


class Serving:
    """A cassette, served."""

    def __init__(self, choice: Choice, folder: Path, home: Path) -> None:
        self._report = folder / "report.json"
        self.program = Program(folder, home, "serve", str(choice.file), "--report", str(self._report), "--quiet")

    def finish(self) -> str:
        """What was asked and is not recorded, in words; empty if all was. Raises CassetteError if that is not known."""
        code = self.program.stop()
        if code not in {0, NO} or not self._report.exists():
            raise CassetteError(f"`imaptap serve` ended with {code}.", self.program.said())
        return near_misses(self._report.read_text(encoding="utf-8"))


def _write(file: Path, text: str) -> None:
    """All at once: a run that is interrupted leaves no half of a cassette."""
    draft = file.with_name(f"{file.name}.new")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        draft.write_text(text, encoding="utf-8", newline="\n")
        draft.replace(file)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise CassetteError(f"The cassette {file} cannot be written: {reason}.", "Name another one.") from error
