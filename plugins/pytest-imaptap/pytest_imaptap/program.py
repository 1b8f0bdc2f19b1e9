"""The installed command `imaptap`, run as a process of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Self
from urllib.parse import urlsplit

from pytest_imaptap.values import CassetteError

if TYPE_CHECKING:
    from types import TracebackType

LISTEN = ("--listen", "imaps://localhost:0", "--listen", "imap://localhost:0")
PATIENCE = 60.0
"""Seconds until a process that does not come, or go, is given up."""

_PAUSE = 0.02


class Ready(NamedTuple):
    """Where a process listens (TLS; STARTTLS), its authority's certificate, and what it records into."""

    host: str
    port: int
    starttls_port: int
    ca: Path
    recording: str


class Program:
    """`imaptap` with these words, as long as the block lasts; `folder` has its files and `home` its authority."""

    def __init__(self, folder: Path, home: Path, *words: str) -> None:
        self._words = words
        self._ready_file = folder / "ready.json"
        self._log = folder / "stderr.log"
        self._home = home

    def __enter__(self) -> Self:
        """Raises CassetteError if it ends before clients may connect, or does not come."""
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603 - the words are ours
                [command(), *self._words, *LISTEN, "--ready-file", str(self._ready_file)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
                env=environment(self._home),
            )
        try:
            self.ready = self._wait()
        except BaseException:
            self._kill()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._kill()

    def stop(self) -> int:
        """Ask it to end, and give its exit code. Raises CassetteError if it does not."""
        self._process.terminate()
        try:
            return self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            raise CassetteError(f"`imaptap {self._words[0]}` does not end.", self.said()) from None

    def said(self) -> str:
        """What it has printed to stderr."""
        return self._log.read_text(encoding="utf-8", errors="replace").strip()

    def _wait(self) -> Ready:
        deadline = time.monotonic() + PATIENCE
        while not self._ready_file.exists():
            if (code := self._process.poll()) is not None:
                raise CassetteError(f"`imaptap {self._words[0]}` ended with {code} at once.", self.said())
            if time.monotonic() > deadline:
                raise CassetteError(f"`imaptap {self._words[0]}` is not ready after {PATIENCE:.0f} s.", self.said())
            time.sleep(_PAUSE)
        return read_ready(self._ready_file.read_text(encoding="utf-8"))

    def _kill(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()


def read_ready(text: str) -> Ready:
    """The content of a ready file (docs/cli.md of imaptap)."""
    said = json.loads(text)
    urls = [urlsplit(str(each["url"])) for each in said["listen"]]
    ports = {url.scheme: url.port or 0 for url in urls}
    return Ready(urls[0].hostname or "", ports["imaps"], ports["imap"], Path(said["ca"]), str(said["recording"]))


def run(home: Path, *words: str) -> None:
    """`imaptap` with these words, to its end. Raises CassetteError if it fails."""
    try:
        done = subprocess.run(  # noqa: S603 - the words are ours
            [command(), *words], capture_output=True, text=True, check=False, env=environment(home), timeout=PATIENCE
        )
    except subprocess.TimeoutExpired:
        raise CassetteError(f"`imaptap {words[0]}` has not ended after {PATIENCE:.0f} s.", "Try it again.") from None
    if done.returncode:
        raise CassetteError(f"`imaptap {words[0]}` ended with {done.returncode}.", done.stderr.strip())


def command() -> str:
    """Where it is installed: beside this Python, or in PATH. Raises CassetteError if it is not."""
    beside = Path(sys.executable).with_name("imaptap")
    found = str(beside) if beside.exists() else shutil.which("imaptap")
    if not found:
        raise CassetteError("The command imaptap is not installed here.", "Install it: pip install imaptap.")
    return found


def environment(home: Path) -> dict[str, str]:
    """The caller's without settings of imaptap: neither their authority nor their database is touched."""
    others = {name: value for name, value in os.environ.items() if not name.startswith("IMAPTAP_")}
    return {**others, "IMAPTAP_HOME": str(home), "NO_COLOR": "1"}
