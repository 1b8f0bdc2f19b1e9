"""`imaptap serve` as a process of its own, with what is asked of it afterwards."""

from __future__ import annotations

import json
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tests.servers import warm
from tests.servers.recorder import EVERY_LISTENER, SCHEMES, environment, program
from tests.servers.wait import until

if TYPE_CHECKING:
    from typing import Self

NEWS = """\
imaptap cassette 1
S: * PREAUTH in
C: a SELECT INBOX
S: a OK selected
C: b IDLE
S: + idling
S: * 1 EXISTS
S: * 2 EXISTS
C: DONE
S: b OK done
"""
"""A cassette with two pieces of news."""


class Served:
    """`with Served(folder, "address", …) as served:` serves until the block ends, and must then exit with `code`.

    None: with 0, or with 1 where something was missed. `cold`: for a test that looks at the process itself.
    """

    def __init__(self, folder: Path, *words: str, code: int | None = 0, cold: bool = False) -> None:
        self.folder, self.words, self.code, self.cold = folder, words, code, cold
        self.report_file = folder / "report.json"

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        ready = self.folder / "ready.json"
        ready.unlink(missing_ok=True)
        self._log: IO[bytes] = (self.folder / "serve.log").open("wb")
        listen = [word for url in EVERY_LISTENER for word in ("--listen", url)]
        files = ("--ready-file", str(ready), "--report", str(self.report_file))
        self.process = warm.start(
            [program(), "serve", *self.words, *listen, *files],
            environment(self.folder / "home"),
            stdout=self._log,
            stderr=self._log,
            cold=self.cold,
        )
        try:
            said = until(lambda: self._ready(ready), "imaptap serve to be ready", seconds=60, explain=self.log)
        except BaseException:
            self._kill()
            raise
        self.ca = Path(said["ca"])
        self._ports = {urlsplit(each["url"]).scheme: urlsplit(each["url"]).port for each in said["listen"]}
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            self.process.terminate()
            code = self.process.wait(20)
        finally:
            self._kill()
        if kind is None:
            wanted = {0, 1} if self.code is None else {self.code}
            assert code in wanted, f"imaptap serve ended with {code}\n{self.log()}"

    def port(self, mode: str) -> int:
        """Of the listener for clients of this TLS mode."""
        port = self._ports[SCHEMES[mode]]
        assert port is not None
        return port

    def log(self) -> str:
        """What it printed."""
        return (self.folder / "serve.log").read_text(errors="replace")

    def report(self) -> dict[str, Any]:
        """What it wrote at its end."""
        found: dict[str, Any] = json.loads(self.report_file.read_text())
        return found

    def _ready(self, file: Path) -> dict[str, Any] | None:
        assert self.process.poll() is None, f"imaptap serve has ended:\n{self.log()}"
        return json.loads(file.read_text()) if file.exists() else None

    def _kill(self) -> None:
        self.process.kill()
        self.process.wait()
        self._log.close()
