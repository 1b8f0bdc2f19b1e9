"""pymap, a server from PyPI that keeps mail in memory: small and odd. No NAMESPACE, no SORT, LITERAL+ and OBJECTID."""

from __future__ import annotations

import imaplib
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Self

from tests.servers.certificates import Identity, make_identity
from tests.servers.wait import free_port, until


class Pymap:
    """`with Pymap() as server:` gives one with plain_port (STARTTLS offered), account bob, password secret, no mail."""

    def __init__(self, identity: Identity | None = None) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="imaptap-pymap-")
        self.identity = identity or make_identity(Path(self._folder.name))
        self.ca = self.identity.ca

    def __enter__(self) -> Self:
        self.plain_port = free_port()
        log = Path(self._folder.name) / "log"
        with log.open("wb") as out:
            self._process = subprocess.Popen(
                [
                    *(
                        str(Path(sys.executable).with_name("pymap")),
                        "--host",
                        "127.0.0.1",
                        "--port",
                        str(self.plain_port),
                    ),
                    *("--cert", str(self.identity.cert), "--key", str(self.identity.key)),
                    *("dict", "--demo-data", "--demo-user", "bob", "--demo-password", "secret"),
                ],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
            )
        try:
            until(self._emptied, "pymap's greeting", explain=log.read_text)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(10)
        self._folder.cleanup()

    def _emptied(self) -> bool:
        """Whether it is there, and its own letters are gone: only with them it has an account."""
        if self._process.poll() is not None:
            raise RuntimeError(f"pymap ended with {self._process.returncode}")
        try:
            client = imaplib.IMAP4("127.0.0.1", self.plain_port)
        except OSError:
            return False
        with client:
            client.starttls(self.identity.client_context())
            client.login("bob", "secret")
            for name in ("Sent", "Trash"):
                client.delete(name)
            client.select("INBOX")
            client.store("1:*", "+FLAGS.SILENT", "\\Deleted")
            client.expunge()
        return True
