"""The installed `imaptap record` as a process of its own, and what it has stored, read back through the commands."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from pathlib import Path
from typing import IO, Any, Self
from urllib.parse import urlsplit

from tests.servers import warm
from tests.servers.reader import Reader
from tests.servers.streams import Rewrite, Stored
from tests.servers.wait import until

EVERY_LISTENER = ("imaps://127.0.0.1:0", "imap://127.0.0.1:0", "imap+insecure://127.0.0.1:0")
SCHEMES = {"implicit": "imaps", "starttls": "imap", "plain": "imap+insecure"}


def program() -> str:
    """The console script of the environment that runs the tests."""
    beside = Path(sys.executable).parent / "imaptap"
    found = str(beside) if beside.exists() else shutil.which("imaptap")
    assert found, "imaptap is not installed in this environment"
    return found


def environment(home: Path) -> dict[str, str]:
    """The caller's environment without any imaptap setting of its own, and with `home` for its data."""
    mine = {name: value for name, value in os.environ.items() if not name.startswith("IMAPTAP_")}
    return {**mine, "IMAPTAP_HOME": str(home), "NO_COLOR": "1", "COLUMNS": "200"}


class Recorder:
    """`with Recorder(folder, upstream, "--upstream-ca", ca) as recorder:` records until the block ends.

    On leaving it is stopped with SIGTERM and must exit with `code`; everything it wrote lies below `folder`. `cold`:
    for a test that looks at the process itself.
    """

    def __init__(
        self, folder: Path, upstream: str, *words: str, db: str | None = None, code: int = 0, cold: bool = False
    ) -> None:
        self.folder, self.words, self.code, self.cold = folder, (upstream, *words), code, cold
        self.db = db or str(folder / "record.db")
        self.reader = Reader({**environment(folder / "home"), "IMAPTAP_DB": self.db})

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        ready = self.folder / "ready.json"
        ready.unlink(missing_ok=True)
        self.output: list[IO[bytes]] = [(self.folder / name).open("wb") for name in ("stdout.log", "stderr.log")]
        self.process = warm.start(
            [program(), "record", *self.words, "--db", self.db, "--ready-file", str(ready)],
            environment(self.folder / "home"),
            stdout=self.output[0],
            stderr=self.output[1],
            cwd=self.folder,
            cold=self.cold,
        )
        try:
            said = until(lambda: self._ready(ready), "imaptap record to be ready", seconds=60, explain=self.log)
        except BaseException:
            self._kill()
            raise
        self.recording = str(said["recording"])
        self.ca = Path(said["ca"])
        self.listen = [str(entry["url"]) for entry in said["listen"]]
        self.said = said
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            code = self.stop()
        finally:
            self._kill()
        if kind is None:
            assert code == self.code, f"imaptap record ended with {code}\n{self.log()}"

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Ask it to stop; its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(20)

    def log(self) -> str:
        """The end of what it printed."""
        files = (self.folder / "stdout.log", self.folder / "stderr.log")
        return "\n".join(f"{file.name}: {file.read_text(errors='replace')[-3000:]}" for file in files)

    def port(self, mode: str) -> int:
        """The port of the first listener for clients of this TLS mode."""
        for url in self.listen:
            parts = urlsplit(url)
            if parts.scheme == SCHEMES[mode]:
                assert parts.port
                return parts.port
        raise AssertionError(f"no listener for {mode} in {self.listen}")

    def run(self, *words: str) -> bytes:
        """What a command that reads prints; it must succeed."""
        code, stdout, output = self.reader.run(*words, "--db", self.db)
        assert code == 0, f"imaptap {' '.join(words)}: {code}\n{output}"
        return stdout

    def json(self, *words: str) -> Any:
        """The same for a command that prints JSON."""
        return json.loads(self.run(*words, "--json"))

    def sessions(self) -> list[dict[str, Any]]:
        """All sessions, as `imaptap ls RECORDING` tells them."""
        listed = self.json("ls", self.recording)
        return list(listed["sessions"])

    def ended(self, number: int) -> list[dict[str, Any]]:
        """Waits until `number` sessions are there and all have ended."""

        def probe() -> list[dict[str, Any]]:
            sessions = self.sessions()
            return sessions if len(sessions) >= number and all(entry["ending"] for entry in sessions) else []

        return until(probe, f"{number} sessions to be there and ended", explain=self.log)

    def session(self, number: int) -> dict[str, Any]:
        """One session with its exchanges, secrets and rewrites."""
        shown = self.json("show", f"{self.recording}/{number}")
        assert isinstance(shown, dict)
        return shown

    def stored(self, number: int) -> Stored:
        """Both streams of a session, with what was masked and rewritten in them."""
        place = f"{self.recording}/{number}"
        shown = self.session(number)
        streams = {side: self.run("export", "--format", "raw", "--side", side, place) for side in ("client", "server")}
        secrets = [(entry["direction"], entry["offset"], entry["length"]) for entry in shown["secrets"]]
        rewrites = [Rewrite.read(entry) for entry in shown["rewrites"]]
        return Stored(streams, secrets, rewrites, shown["ending"] or "")

    def _ready(self, file: Path) -> Any:
        if self.process.poll() is not None:
            raise RuntimeError(f"imaptap record ended with {self.process.returncode}\n{self.log()}")
        try:
            return json.loads(file.read_text())
        except (FileNotFoundError, json.JSONDecodeError):
            return None

    def _kill(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)
        for file in self.output:
            file.close()
